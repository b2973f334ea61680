#include "formats/onnx/tensor_data.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"

namespace tenon::onnx {

namespace {

/// Bytes to which a type's elements are aligned for direct use.
size_t alignment_of(DataType type) {
  return type == DataType::kComplex64 ? 4 : std::min<size_t>(element_size(type), 8);
}

void unpack_bits(std::string_view packed, int bits, int64_t count, uint8_t* out) {
  const auto* in = reinterpret_cast<const uint8_t*>(packed.data());
  const uint32_t mask = (1u << bits) - 1;
  uint32_t window = 0;
  int available = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (available < bits) {
      window |= static_cast<uint32_t>(*in++) << available;
      available += 8;
    }
    out[i] = static_cast<uint8_t>(window & mask);
    window >>= bits;
    available -= bits;
  }
}

}  // namespace

uint32_t typed_field(DataType type) {
  switch (type) {
    case DataType::kUndefined:
      return 0;
    case DataType::kFloat32:
    case DataType::kComplex64:
      return 4;
    case DataType::kString:
      return 6;
    case DataType::kInt64:
      return 7;
    case DataType::kFloat64:
    case DataType::kComplex128:
      return 10;
    case DataType::kUInt32:
    case DataType::kUInt64:
      return 11;
    default:
      return 5;
  }
}

Result<uint64_t> packed_bytes(DataType type, int64_t count) {
  uint64_t bits = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(count), static_cast<uint64_t>(element_bits(type)),
                             &bits) ||
      bits > UINT64_MAX - 7)
    return fail(ErrorCode::kLimit, "{} elements of {} are more than can be addressed", count,
                data_type_name(type));
  return (bits + 7) / 8;
}

std::string pack_bits(const Tensor& tensor) {
  const int bits = element_bits(tensor.type());
  const auto* in = tensor.data<uint8_t>();
  const uint32_t mask = (1u << bits) - 1;
  std::string out;
  out.reserve(static_cast<size_t>((tensor.size() * bits + 7) / 8));
  uint32_t window = 0;
  int filled = 0;
  for (int64_t i = 0; i < tensor.size(); ++i) {
    window |= (in[i] & mask) << filled;
    filled += bits;
    if (filled >= 8) {
      out.push_back(static_cast<char>(window & 0xff));
      window >>= 8;
      filled -= 8;
    }
  }
  if (filled > 0) out.push_back(static_cast<char>(window & 0xff));
  return out;
}

bool is_plain(DataType type) {
  return element_bits(type) >= 8 && type != DataType::kBool;
}

bool is_aligned(DataType type, std::string_view bytes) {
  return reinterpret_cast<uintptr_t>(bytes.data()) % alignment_of(type) == 0;
}

Tensor tensor_from_raw(DataType type, Shape shape, std::string_view bytes,
                       const std::shared_ptr<const void>& owner) {
  const int bits = element_bits(type);
  if (bits < 8) {
    Tensor result = Tensor::allocate(type, std::move(shape));
    unpack_bits(bytes, bits, result.size(), result.mutable_data<uint8_t>());
    return result;
  }
  const auto is_strange_bool = [](char c) { return static_cast<uint8_t>(c) > 1; };
  if (type == DataType::kBool && std::ranges::any_of(bytes, is_strange_bool)) {
    Tensor result = Tensor::allocate(type, std::move(shape));
    std::ranges::transform(bytes, result.mutable_data<uint8_t>(), [](char c) { return c != 0 ? 1 : 0; });
    return result;
  }
  if (is_aligned(type, bytes) && owner != nullptr && !bytes.empty())
    return Tensor::view(type, std::move(shape), bytes.data(), owner);
  Tensor result = Tensor::allocate(type, std::move(shape));
  if (!bytes.empty()) std::memcpy(result.mutable_raw(), bytes.data(), bytes.size());
  return result;
}

}  // namespace tenon::onnx
