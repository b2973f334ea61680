#include "tenon/tensor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "base/memory.h"
#include "base/try.h"

namespace tenon {

namespace {

struct TypeFacts {
  std::string_view name;
  uint8_t size;  // bytes in memory
  uint8_t bits;  // bits in a file
};

constexpr std::array<TypeFacts, kDataTypeCount> kTypes = {{
    {"undefined", 0, 0},      {"float32", 4, 32},   {"uint8", 1, 8},
    {"int8", 1, 8},           {"uint16", 2, 16},    {"int16", 2, 16},
    {"int32", 4, 32},         {"int64", 8, 64},     {"string", sizeof(std::string), 0},
    {"bool", 1, 8},           {"float16", 2, 16},   {"float64", 8, 64},
    {"uint32", 4, 32},        {"uint64", 8, 64},    {"complex64", 8, 64},
    {"complex128", 16, 128},  {"bfloat16", 2, 16},  {"float8e4m3fn", 1, 8},
    {"float8e4m3fnuz", 1, 8}, {"float8e5m2", 1, 8}, {"float8e5m2fnuz", 1, 8},
    {"uint4", 1, 4},          {"int4", 1, 4},       {"float4e2m1", 1, 4},
    {"float8e8m0", 1, 8},     {"uint2", 1, 2},      {"int2", 1, 2},
    {"float6e2m3", 1, 6},     {"float6e3m2", 1, 6},
}};

const TypeFacts& facts(DataType type) {
  auto index = static_cast<size_t>(type);
  return kTypes[index < kTypes.size() ? index : 0];
}

}  // namespace

std::string_view data_type_name(DataType type) {
  return facts(type).name;
}
size_t element_size(DataType type) {
  return facts(type).size;
}
int element_bits(DataType type) {
  return facts(type).bits;
}

DataType data_type_from_name(std::string_view name) {
  for (size_t i = 0; i < kTypes.size(); ++i)
    if (kTypes[i].name == name) return static_cast<DataType>(i);
  return DataType::kUndefined;
}

std::string to_string(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

Result<int64_t> element_count(std::span<const int64_t> shape) {
  int64_t count = 1;
  bool overflow = false;
  bool empty = false;
  for (int64_t dim : shape) {
    if (dim < 0) return fail(ErrorCode::kInvalidModel, "shape {} has a negative dimension", to_string(shape));
    if (dim == 0)
      empty = true;
    else
      overflow |= __builtin_mul_overflow(count, dim, &count);
  }
  if (empty) return int64_t{0};
  if (overflow)
    return fail(ErrorCode::kLimit, "shape {} has more elements than can be counted", to_string(shape));
  return count;
}

Tensor Tensor::allocate(DataType type, Shape shape) {
  auto count = tenon::element_count(shape);
  size_t bytes = 0;
  if (!count.ok() || __builtin_mul_overflow(static_cast<size_t>(*count), element_size(type), &bytes))
    throw std::bad_alloc();
  Tensor result;
  result.type_ = type;
  result.shape_ = std::move(shape);
  result.size_ = *count;
  if (type == DataType::kString) {
    if (bytes > memory_limit_bytes()) throw std::bad_alloc();
    auto strings = std::make_shared<std::vector<std::string>>(static_cast<size_t>(*count));
    result.data_ = reinterpret_cast<std::byte*>(strings->data());
    result.owner_ = std::move(strings);
  } else {
    auto memory = share_memory(bytes);
    result.data_ = memory.get();
    result.owner_ = std::move(memory);
  }
  return result;
}

Tensor Tensor::view(DataType type, Shape shape, const void* data, std::shared_ptr<const void> owner) {
  Tensor result;
  result.type_ = type;
  result.shape_ = std::move(shape);
  result.size_ = element_count(result.shape_).value();
  result.data_ = static_cast<std::byte*>(const_cast<void*>(data));
  result.owner_ = std::move(owner);
  return result;
}

Tensor Tensor::from_ints(std::span<const int64_t> values) {
  return from<int64_t>(DataType::kInt64, {static_cast<int64_t>(values.size())}, values);
}
Tensor Tensor::from_floats(std::span<const float> values) {
  return from<float>(DataType::kFloat32, {static_cast<int64_t>(values.size())}, values);
}
Tensor Tensor::scalar(int64_t value) {
  return from<int64_t>(DataType::kInt64, {}, {&value, 1});
}
Tensor Tensor::scalar(float value) {
  return from<float>(DataType::kFloat32, {}, {&value, 1});
}

Tensor Tensor::reshaped(Shape shape) const {
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::reinterpreted(DataType type) const {
  Tensor result = *this;
  result.type_ = type;
  return result;
}

Tensor Tensor::clone() const {
  Tensor result = allocate(type_, shape_);
  if (is_string())
    std::copy_n(data<std::string>(), size_, result.mutable_data<std::string>());
  else if (bytes() > 0)
    std::memcpy(result.data_, data_, bytes());
  return result;
}

}  // namespace tenon
