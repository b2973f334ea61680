// How the elements of a TensorProto lie in its fields: packed bits of types below a byte, and the typed field
// (float_data, int32_data, ...) that holds each element type. Shared by reader and writer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tenon/error.h"
#include "tenon/tensor.h"

namespace tenon::onnx {

/// Number of the TensorProto field that holds elements of a type when raw_data does not: 4 float_data,
/// 5 int32_data, 6 string_data, 7 int64_data, 10 double_data, 11 uint64_data; 0 for kUndefined.
uint32_t typed_field(DataType type);

/// Bytes that `count` elements take in raw_data; an error when they cannot be counted. Not for strings.
Result<uint64_t> packed_bytes(DataType type, int64_t count);

/// Elements as raw_data holds them: types below a byte packed from the least significant bit on, the unused
/// bits of the last byte zero. `tensor` is of such a type.
std::string pack_bits(const Tensor& tensor);

/// True for types whose elements can be used as they lie in raw_data: neither packed, nor to be checked one
/// by one as bools are.
bool is_plain(DataType type);
/// True when the bytes lie where elements of the type may lie.
bool is_aligned(DataType type, std::string_view bytes);

/// A tensor of `type` and `shape` over the bytes of raw_data or of an external file. A view kept alive by
/// `owner` where alignment allows, else a copy; types below a byte take a byte each, bools become 0 or 1.
/// `bytes` is as long as packed_bytes says. Not for strings.
Tensor tensor_from_raw(DataType type, Shape shape, std::string_view bytes,
                       const std::shared_ptr<const void>& owner);

}  // namespace tenon::onnx
