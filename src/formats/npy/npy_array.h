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
/// The same for one of several arrays, which share `strings_budget_bytes`: what their texts may take beside
/// their characters. kLimit when it is used up.
Result<Tensor> decode_npy(const SharedBytes& file, size_t& strings_budget_bytes);

/// A .npy file in two parts. `data` may share the tensor's bytes.
struct EncodedNpy {
  std::string header;
  SharedBytes data;
};

/// See write_npy.
Result<EncodedNpy> encode_npy(const Tensor& tensor);

}  // namespace tenon
