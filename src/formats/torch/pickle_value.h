// What a pickle says, as plain data. PyTorch's objects (storages, tensors) are described, not made: tensors
// get their bytes in torch_save.h. No class, function or module of the file exists here.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "formats/torch/scalar_type.h"
#include "formats/torch/strided.h"

namespace tenon::pickle {

struct Value;

struct None {};
/// bytes and bytearray.
struct Bytes {
  std::string_view data;
};
/// An int of more than 64 bits: two's complement, little-endian.
struct BigInt {
  std::string_view data;
};
/// tuple and torch.Size, list, set and frozenset.
struct Sequence {
  enum class Kind : uint8_t { kTuple, kList, kSet };
  Kind kind = Kind::kTuple;
  std::vector<const Value*> items;
};
/// dict, OrderedDict and Counter, in the order of assignment. A key that was assigned twice is there twice,
/// and the last one counts.
struct Dict {
  bool ordered = false;  ///< An OrderedDict or Counter: these may carry a state.
  std::vector<std::pair<const Value*, const Value*>> entries;

  /// The value of a text key, or null.
  const Value* find(std::string_view key) const;
};

/// Everything that a pickle may name. The list is the whole of what is allowed.
enum class GlobalKind : uint8_t {
  kDtype,
  kTypedStorage,  ///< torch.FloatStorage and the like.
  kUntypedStorage,
  kQuantizationScheme,
  kTensorClass,
  kParameterClass,
  kOrderedDict,
  kCounter,
  kSize,
  kDevice,
  kGetLayout,
  kEncode,
  kByteArray,
  kSet,
  kFrozenSet,
  kComplex,
  kRebuildTensor,
  kRebuildTensorV2,
  kRebuildTensorV3,
  kRebuildParameter,
  kRebuildParameterWithState,
  kRebuildFromType,
  kRebuildQuantized,
  kRebuildSparse,
  kRebuildMeta,
};
struct Global {
  GlobalKind kind;
  const TorchScalarType* type = nullptr;  ///< Of dtypes and typed storages.
};

/// Bytes in the file, by key. Several tensors may share one.
struct Storage {
  std::string_view key;
  const TorchScalarType* type = nullptr;  ///< Null when untyped: then elements are bytes.
  int64_t elements = 0;
  /// Legacy files: this storage is the part [view_offset, view_offset + view_elements) of the one with the
  /// key.
  bool is_view = false;
  int64_t view_offset = 0;
  int64_t view_elements = 0;
};

struct Tensor {
  const Storage* storage = nullptr;  ///< Null when `unsupported` says why there is none.
  const TorchScalarType* type = nullptr;
  StridedLayout layout;  ///< As the file says: not yet checked against the storage.
  bool is_parameter = false;
  std::string_view unsupported = {};  ///< "is quantized", ...; empty for a tensor that can be loaded.
};

struct Value {
  std::variant<None, bool, int64_t, double, std::complex<double>, std::string_view, Bytes, BigInt, Sequence,
               Dict, Global, Storage*, Tensor*>
      data;

  /// The alternative of that type, or null.
  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
  /// The tensor described here, or null.
  const Tensor* tensor() const {
    Tensor* const* pointer = std::get_if<Tensor*>(&data);
    return pointer == nullptr ? nullptr : *pointer;
  }
  const Storage* storage() const {
    Storage* const* pointer = std::get_if<Storage*>(&data);
    return pointer == nullptr ? nullptr : *pointer;
  }
  /// "a dict", "the number 3", for messages.
  std::string_view kind_name() const;
};

}  // namespace tenon::pickle
