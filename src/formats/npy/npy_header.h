// The header of a .npy file: what its array is and where its elements begin.
//
// Follows numpy.lib.format, versions 1.0 to 3.0.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tenon/error.h"
#include "tenon/tensor.h"

namespace tenon {

/// How one element lies in the file.
enum class NpyKind : uint8_t {
  kNumber,  ///< As in a Tensor, up to byte order.
  kBytes,   ///< 'S': item_bytes bytes, padded with NULs.
  kText,    ///< 'U': item_bytes / 4 code points of 32 bits, padded with zeros.
};

struct NpyType {
  NpyKind kind = NpyKind::kNumber;
  DataType type = DataType::kUndefined;
  size_t item_bytes = 0;
  bool big_endian = false;
};

struct NpyHeader {
  NpyType type;
  bool fortran_order = false;
  Shape shape;             ///< At most 64 dimensions, none negative, their product checked.
  size_t data_offset = 0;  ///< Of the first element from the start of the file.
};

bool is_npy(std::span<const std::byte> bytes);

/// Reads the header at the front of a whole file. Fails with kMalformed, and with kUnsupported for types that
/// a Tensor cannot hold.
Result<NpyHeader> parse_npy_header(std::span<const std::byte> file);

/// The header, version 1.0, of a C-ordered array; its size is a multiple of 64. `descr` is NumPy's name of
/// the type
/// ("<f4").
std::string format_npy_header(std::string_view descr, std::span<const int64_t> shape);

/// The descr of a numeric type that NumPy or ml_dtypes can store as it lies in a Tensor; empty for others.
std::string_view npy_descr(DataType type);

}  // namespace tenon
