// Tensors: the data that models take and give. The lowest layer of the public interface beside error.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tenon/error.h"
#include "tenon/shape.h"

namespace tenon {

/// Element types, numbered as in ONNX's TensorProto.DataType.
enum class DataType : uint8_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUInt8 = 2,
  kInt8 = 3,
  kUInt16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUInt32 = 12,
  kUInt64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBFloat16 = 16,
  kFloat8E4M3FN = 17,
  kFloat8E4M3FNUZ = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2FNUZ = 20,
  kUInt4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
  kFloat8E8M0 = 24,
  kUInt2 = 25,
  kInt2 = 26,
  kFloat6E2M3 = 27,
  kFloat6E3M2 = 28,
};
inline constexpr int kDataTypeCount = 29;

/// "float32", "int64", "bfloat16", ... ; "undefined" for kUndefined and for numbers outside the enum.
std::string_view data_type_name(DataType type);
/// The inverse of data_type_name; kUndefined when the name is unknown.
DataType data_type_from_name(std::string_view name);
/// Bytes that one element takes in a Tensor. Types below a byte take one whole byte each (in files they are
/// packed); a string takes sizeof(std::string). 0 for kUndefined.
size_t element_size(DataType type);
/// Bits that one element takes in a file: 2, 4, 6, 8, ... ; 0 for kString and kUndefined.
int element_bits(DataType type);

/// "[1,3,224,224]".
std::string to_string(std::span<const int64_t> shape);
/// The product of the dimensions, or an error when one is negative or the product overflows int64.
Result<int64_t> element_count(std::span<const int64_t> shape);

/// A dense row-major array with a shared, immutable-by-convention buffer. Copying a Tensor shares its bytes;
/// only the code that has just allocated one writes into it.
class Tensor {
 public:
  Tensor() = default;

  /// A new buffer, 64-byte aligned, its contents not set (strings: empty). Throws std::bad_alloc.
  static Tensor allocate(DataType type, Shape shape);
  /// A view of bytes that `owner` keeps alive: a mapped file, another tensor. `data` holds
  /// element_count * element_size bytes and is suitably aligned for the element type.
  static Tensor view(DataType type, Shape shape, const void* data, std::shared_ptr<const void> owner);

  /// One-dimensional (or scalar) tensors from values.
  static Tensor from_ints(std::span<const int64_t> values);
  static Tensor from_floats(std::span<const float> values);
  static Tensor scalar(int64_t value);
  static Tensor scalar(float value);
  template <class T>
  static Tensor from(DataType type, Shape shape, std::span<const T> values) {
    Tensor result = allocate(type, std::move(shape));
    for (size_t i = 0; i < values.size(); ++i) result.mutable_data<T>()[i] = values[i];
    return result;
  }

  DataType type() const { return type_; }
  const Shape& shape() const { return shape_; }
  int64_t dim(size_t axis) const { return shape_[axis]; }
  int64_t rank() const { return static_cast<int64_t>(shape_.size()); }
  int64_t size() const { return size_; }  ///< Number of elements.
  size_t bytes() const { return static_cast<size_t>(size_) * element_size(type_); }
  bool defined() const { return type_ != DataType::kUndefined; }
  bool is_string() const { return type_ == DataType::kString; }

  const std::byte* raw() const { return data_; }
  std::byte* mutable_raw() { return data_; }
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(data_);
  }
  template <class T>
  T* mutable_data() {
    return reinterpret_cast<T*>(data_);
  }
  template <class T>
  std::span<const T> span() const {
    return {data<T>(), static_cast<size_t>(size_)};
  }
  std::span<const std::string> strings() const { return span<std::string>(); }

  /// The same elements under another shape with the same element count. Shares the bytes.
  Tensor reshaped(Shape shape) const;
  /// The same bytes as another type of the same element_size. Shares the bytes.
  Tensor reinterpreted(DataType type) const;
  /// A copy with bytes of its own.
  Tensor clone() const;
  /// What keeps the bytes alive.
  const std::shared_ptr<const void>& owner() const { return owner_; }

 private:
  DataType type_ = DataType::kUndefined;
  Shape shape_;
  int64_t size_ = 0;
  std::byte* data_ = nullptr;
  std::shared_ptr<const void> owner_;
};

class Value;

/// A sequence of values of one type.
struct Sequence {
  DataType element_type = DataType::kUndefined;  ///< Of the tensors inside; known even when empty.
  std::vector<Value> items;
};
/// A value or nothing.
struct Optional {
  std::shared_ptr<Value> value;
};
/// A map from int64 or string to a value of one type.
struct Map {
  DataType key_type = DataType::kInt64;
  DataType value_type = DataType::kUndefined;
  std::map<std::variant<int64_t, std::string>, Value> entries;
};

/// What flows along an edge of a graph.
class Value {
 public:
  Value() = default;
  Value(Tensor tensor) : state_(std::move(tensor)) {}        // NOLINT: implicit by design
  Value(Sequence sequence) : state_(std::move(sequence)) {}  // NOLINT
  Value(Optional optional) : state_(std::move(optional)) {}  // NOLINT
  Value(Map map) : state_(std::move(map)) {}                 // NOLINT

  bool is_tensor() const { return std::holds_alternative<Tensor>(state_); }
  bool is_sequence() const { return std::holds_alternative<Sequence>(state_); }
  bool is_optional() const { return std::holds_alternative<Optional>(state_); }
  bool is_map() const { return std::holds_alternative<Map>(state_); }

  const Tensor& tensor() const { return *std::get_if<Tensor>(&state_); }
  Tensor& tensor() { return *std::get_if<Tensor>(&state_); }
  const Sequence& sequence() const { return *std::get_if<Sequence>(&state_); }
  Sequence& sequence() { return *std::get_if<Sequence>(&state_); }
  const Optional& optional() const { return *std::get_if<Optional>(&state_); }
  const Map& map() const { return *std::get_if<Map>(&state_); }

 private:
  std::variant<Tensor, Sequence, Optional, Map> state_;
};

/// A value with the name that a model gives it.
struct NamedValue {
  std::string name;
  Value value;
};

}  // namespace tenon
