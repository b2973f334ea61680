// Arrays between .npy bytes and tensors, in memory: what npy and npz files share.
#pragma once

#include <span>
#include <string>

#include "base/shared_bytes.h"
#include "tenon/error.h"
#include "tenon/tensor.h"

namespace tenon {

/// The array in the bytes of a whole .npy file; see read_npy. A view of `file` where order, byte order and
/// alignment allow.
Result<Tensor> decode_npy(const SharedBytes& file);

/// A .npy file in two parts. `data` may share the tensor's bytes.
struct EncodedNpy {
  std::string header;
  SharedBytes data;
};

/// See write_npy.
Result<EncodedNpy> encode_npy(const Tensor& tensor);

}  // namespace tenon
