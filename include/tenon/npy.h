// NumPy's files: one array (.npy) and archives of named arrays (.npz), how tensors come from and go to
// Python.
#pragma once

#include <string>
#include <vector>

#include "tenon/error.h"
#include "tenon/tensor.h"

namespace tenon {

/// The array in a .npy file of version 1, 2 or 3, in C or Fortran order, of either byte order, as a row-major
/// tensor (perhaps a view of the mapped file). Types: bool, integers, float16/32/64, complex64/128, 'U' and
/// 'S' strings (to UTF-8 and bytes, without trailing NULs), and as ml_dtypes saves them bfloat16 ('V2') and
/// float8e5m2
/// ('f1'). Fails with kMalformed for damaged files, kUnsupported for Python objects, which are never
/// unpickled, structured arrays, dates, long double and other types. Bytes behind the array are ignored, as
/// NumPy does.
Result<Tensor> read_npy(const std::string& path);

/// Writes an array that numpy.load reads, version 1.0, C order, replacing the file only when complete. Types
/// that NumPy lacks: bfloat16 is written as 'V2', so that array.view(ml_dtypes.bfloat16) has it; float8,
/// float6 and float4 as float32, 2 and 4-bit integers as (u)int8, all exactly. Strings become 'U', or 'S'
/// when one of them is not UTF-8 or holds NUL.
Status write_npy(const std::string& path, const Tensor& tensor);

/// All arrays of a .npz archive, stored or deflated, in the order of the archive, named without ".npy". Fails
/// as read_npy does, naming the array, and with kMalformed for damaged or hostile archives.
Result<std::vector<NamedValue>> read_npz(const std::string& path);

/// Writes an uncompressed .npz as write_npy writes arrays. Names may hold any character but NUL. Fails with
/// kUsage for names that repeat, and with kUnsupported for values that are not tensors.
Status write_npz(const std::string& path, const std::vector<NamedValue>& values);

}  // namespace tenon
