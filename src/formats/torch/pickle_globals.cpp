#include "formats/torch/pickle_globals.h"

#include <algorithm>
#include <array>

#include "base/try.h"

namespace tenon::pickle {

namespace {

struct GlobalRow {
  std::string_view module;
  std::string_view name;
  GlobalKind kind;
};

constexpr std::array kGlobals = {
    GlobalRow{"collections", "OrderedDict", GlobalKind::kOrderedDict},
    GlobalRow{"collections", "Counter", GlobalKind::kCounter},
    GlobalRow{"_codecs", "encode", GlobalKind::kEncode},
    GlobalRow{"builtins", "bytearray", GlobalKind::kByteArray},
    GlobalRow{"builtins", "set", GlobalKind::kSet},
    GlobalRow{"builtins", "frozenset", GlobalKind::kFrozenSet},
    GlobalRow{"builtins", "complex", GlobalKind::kComplex},
    GlobalRow{"torch", "Size", GlobalKind::kSize},
    GlobalRow{"torch", "Tensor", GlobalKind::kTensorClass},
    GlobalRow{"torch", "device", GlobalKind::kDevice},
    GlobalRow{"torch", "per_tensor_affine", GlobalKind::kQuantizationScheme},
    GlobalRow{"torch", "per_tensor_symmetric", GlobalKind::kQuantizationScheme},
    GlobalRow{"torch", "per_channel_affine", GlobalKind::kQuantizationScheme},
    GlobalRow{"torch", "per_channel_symmetric", GlobalKind::kQuantizationScheme},
    GlobalRow{"torch", "per_channel_affine_float_qparams", GlobalKind::kQuantizationScheme},
    GlobalRow{"torch", "UntypedStorage", GlobalKind::kUntypedStorage},
    GlobalRow{"torch.storage", "UntypedStorage", GlobalKind::kUntypedStorage},
    GlobalRow{"torch.serialization", "_get_layout", GlobalKind::kGetLayout},
    GlobalRow{"torch.nn.parameter", "Parameter", GlobalKind::kParameterClass},
    GlobalRow{"torch._utils", "_rebuild_tensor", GlobalKind::kRebuildTensor},
    GlobalRow{"torch._utils", "_rebuild_tensor_v2", GlobalKind::kRebuildTensorV2},
    GlobalRow{"torch._utils", "_rebuild_tensor_v3", GlobalKind::kRebuildTensorV3},
    GlobalRow{"torch._utils", "_rebuild_parameter", GlobalKind::kRebuildParameter},
    GlobalRow{"torch._utils", "_rebuild_parameter_with_state", GlobalKind::kRebuildParameterWithState},
    GlobalRow{"torch._utils", "_rebuild_qtensor", GlobalKind::kRebuildQuantized},
    GlobalRow{"torch._utils", "_rebuild_sparse_tensor", GlobalKind::kRebuildSparse},
    GlobalRow{"torch._utils", "_rebuild_meta_tensor_no_storage", GlobalKind::kRebuildMeta},
    GlobalRow{"torch._tensor", "_rebuild_from_type_v2", GlobalKind::kRebuildFromType},
};

/// PyTorch's are numbers. Every use of a storage compares its key.
constexpr size_t kMaxStorageKeyBytes = 256;

using Arguments = std::span<const Value* const>;

Error bad_arguments(std::string_view what) {
  return fail(ErrorCode::kMalformed, "the arguments of {} do not fit it", what);
}

Value* add(Arena& arena, Value value) {
  return &arena.values.emplace_back(std::move(value));
}

Value* add(Arena& arena, Tensor tensor, size_t& steps) {
  steps += 4 + (tensor.layout.sizes.size() + tensor.layout.strides.size()) / 4;
  return add(arena, Value{&arena.tensors.emplace_back(std::move(tensor))});
}

/// A tensor that is known to be there but cannot be loaded.
Value* add_unsupported(Arena& arena, std::string_view why, size_t& steps) {
  Tensor tensor;
  tensor.unsupported = why;
  return add(arena, std::move(tensor), steps);
}

/// A sequence of at most 64 integers; nothing when it is none.
std::optional<std::vector<int64_t>> as_dimensions(const Value& value) {
  const Sequence* sequence = value.as<Sequence>();
  if (sequence == nullptr || sequence->items.size() > 64) return std::nullopt;
  std::vector<int64_t> result;
  for (const Value* item : sequence->items) {
    const int64_t* number = item->as<int64_t>();
    if (number == nullptr) return std::nullopt;
    result.push_back(*number);
  }
  return result;
}

/// True when tensor metadata (torch._utils.get_tensor_metadata) has a bit set that changes what the bytes
/// mean.
bool has_lazy_bits(const Value& metadata, size_t& steps) {
  const Dict* dict = metadata.as<Dict>();
  if (dict == nullptr) return false;
  steps += dict->entries.size();
  return std::any_of(dict->entries.begin(), dict->entries.end(), [](const auto& entry) {
    const bool* set = entry.second->template as<bool>();
    return set == nullptr || *set;
  });
}

/// _rebuild_tensor(storage, offset, size, stride), v2(..., requires_grad, hooks[, metadata]) and
/// v3(..., requires_grad, hooks, dtype[, metadata]) of torch/_utils.py.
Result<Value*> rebuild_tensor(GlobalKind kind, Arguments arguments, Arena& arena, size_t& steps) {
  const bool has_dtype = kind == GlobalKind::kRebuildTensorV3;
  const size_t required = kind == GlobalKind::kRebuildTensor ? 4 : has_dtype ? 7 : 6;
  const size_t allowed = kind == GlobalKind::kRebuildTensor ? 4 : required + 1;
  if (arguments.size() < required || arguments.size() > allowed) return bad_arguments("_rebuild_tensor");
  const Storage* storage = arguments[0]->storage();
  const int64_t* offset = arguments[1]->as<int64_t>();
  auto sizes = as_dimensions(*arguments[2]);
  auto strides = as_dimensions(*arguments[3]);
  if (storage == nullptr || offset == nullptr || !sizes || !strides) return bad_arguments("_rebuild_tensor");
  Tensor tensor{
      .storage = storage, .type = storage->type, .layout = {std::move(*sizes), std::move(*strides), *offset}};
  if (has_dtype) {
    const Global* dtype = arguments[6]->as<Global>();
    if (dtype == nullptr || dtype->kind != GlobalKind::kDtype) return bad_arguments("_rebuild_tensor_v3");
    tensor.type = dtype->type;
  }
  if (tensor.type == nullptr) return bad_arguments("_rebuild_tensor");
  if (tensor.type->type == DataType::kUndefined)
    tensor.unsupported = "has an element type without a counterpart";
  if (arguments.size() > required && has_lazy_bits(*arguments[required], steps)) {
    tensor.unsupported = "is a lazy conjugate or negative";
  }
  return add(arena, std::move(tensor), steps);
}

/// The tensor `value` describes, as a parameter.
Result<Value*> as_parameter(const Value& value, Arena& arena, size_t& steps) {
  if (value.tensor() == nullptr) return bad_arguments("Parameter");
  Tensor tensor = *value.tensor();
  tensor.is_parameter = true;
  return add(arena, std::move(tensor), steps);
}

/// codecs.encode(text, "latin1"), which is how protocol 2 writes bytes.
Result<Value*> encode(Arguments arguments, Arena& arena, size_t& steps) {
  const auto* text = arguments.empty() ? nullptr : arguments[0]->as<std::string_view>();
  const auto* codec = arguments.size() != 2 ? nullptr : arguments[1]->as<std::string_view>();
  if (text == nullptr || codec == nullptr || (*codec != "latin1" && *codec != "latin-1")) {
    return bad_arguments("_codecs.encode");
  }
  steps += text->size() / 8;
  std::string bytes;
  bytes.reserve(text->size());
  for (size_t i = 0; i < text->size(); ++i) {  // The text is valid UTF-8; latin1 ends at U+00FF.
    const auto lead = static_cast<unsigned char>((*text)[i]);
    if (lead < 0x80) {
      bytes += (*text)[i];
    } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < text->size()) {
      bytes += static_cast<char>(((lead & 3) << 6) | (static_cast<unsigned char>((*text)[++i]) & 0x3F));
    } else {
      return bad_arguments("_codecs.encode");
    }
  }
  return add(arena, Value{Bytes{arena.texts.emplace_back(std::move(bytes))}});
}

/// OrderedDict(), OrderedDict([(key, value), ...]), Counter({...}).
Result<Value*> make_dict(Arguments arguments, Arena& arena, size_t& steps) {
  Dict dict{.ordered = true, .entries = {}};
  if (arguments.size() > 1) return bad_arguments("OrderedDict");
  if (arguments.size() == 1) {
    if (const Dict* other = arguments[0]->as<Dict>()) {
      dict.entries = other->entries;
    } else if (const Sequence* pairs = arguments[0]->as<Sequence>()) {
      for (const Value* item : pairs->items) {
        const Sequence* pair = item->as<Sequence>();
        if (pair == nullptr || pair->items.size() != 2) return bad_arguments("OrderedDict");
        dict.entries.emplace_back(pair->items[0], pair->items[1]);
      }
    } else {
      return bad_arguments("OrderedDict");
    }
    steps += dict.entries.size();
  }
  return add(arena, Value{std::move(dict)});
}

/// set(iterable), torch.Size(iterable).
Result<Value*> make_sequence(Sequence::Kind kind, Arguments arguments, Arena& arena, size_t& steps) {
  Sequence result{.kind = kind, .items = {}};
  if (arguments.size() == 1 && arguments[0]->as<Sequence>() != nullptr) {
    result.items = arguments[0]->as<Sequence>()->items;
    steps += result.items.size();
  } else if (!arguments.empty()) {
    return bad_arguments("a set or size");
  }
  return add(arena, Value{std::move(result)});
}

Result<Value*> make_complex(Arguments arguments, Arena& arena) {
  if (arguments.size() != 2) return bad_arguments("complex");
  const double* real = arguments[0]->as<double>();
  const double* imaginary = arguments[1]->as<double>();
  if (real == nullptr || imaginary == nullptr) return bad_arguments("complex");
  return add(arena, Value{std::complex<double>(*real, *imaginary)});
}

/// _rebuild_from_type_v2(function, type, arguments, state): a tensor with Python attributes, which are
/// dropped.
Result<Value*> rebuild_from_type(Arguments arguments, Arena& arena, size_t& steps) {
  if (arguments.size() != 4) return bad_arguments("_rebuild_from_type_v2");
  const Global* function = arguments[0]->as<Global>();
  const Global* type = arguments[1]->as<Global>();
  const Sequence* inner = arguments[2]->as<Sequence>();
  if (function == nullptr || type == nullptr || inner == nullptr ||
      function->kind == GlobalKind::kRebuildFromType) {
    return bad_arguments("_rebuild_from_type_v2");
  }
  Value* value = TENON_TRY(reduce(*function, inner->items, arena, steps));
  if (type->kind == GlobalKind::kParameterClass) return as_parameter(*value, arena, steps);
  if (type->kind != GlobalKind::kTensorClass) return bad_arguments("_rebuild_from_type_v2");
  return value;
}

}  // namespace

std::optional<Global> find_global(std::string_view module, std::string_view name) {
  if (module == "__builtin__") module = "builtins";
  for (const GlobalRow& row : kGlobals) {
    if (row.module == module && row.name == name) return Global{row.kind};
  }
  if (module != "torch" && module != "torch.cuda") return std::nullopt;
  if (const TorchScalarType* type = find_storage_type(name)) return Global{GlobalKind::kTypedStorage, type};
  const TorchScalarType* type = module == "torch" ? find_scalar_type(name) : nullptr;
  return type == nullptr ? std::nullopt : std::optional(Global{GlobalKind::kDtype, type});
}

Result<Value*> reduce(Global global, Arguments arguments, Arena& arena, size_t& steps) {
  switch (global.kind) {
    case GlobalKind::kRebuildTensor:
    case GlobalKind::kRebuildTensorV2:
    case GlobalKind::kRebuildTensorV3:
      return rebuild_tensor(global.kind, arguments, arena, steps);
    case GlobalKind::kParameterClass:
    case GlobalKind::kRebuildParameter:
    case GlobalKind::kRebuildParameterWithState:
      if (arguments.empty()) return bad_arguments("Parameter");
      return as_parameter(*arguments[0], arena, steps);
    case GlobalKind::kRebuildFromType:
      return rebuild_from_type(arguments, arena, steps);
    case GlobalKind::kRebuildQuantized:
      return add_unsupported(arena, "is quantized", steps);
    case GlobalKind::kRebuildSparse:
      return add_unsupported(arena, "is sparse", steps);
    case GlobalKind::kRebuildMeta:
      return add_unsupported(arena, "is on the meta device, so it has no data", steps);
    case GlobalKind::kOrderedDict:
    case GlobalKind::kCounter:
      return make_dict(arguments, arena, steps);
    case GlobalKind::kSize:
      return make_sequence(Sequence::Kind::kTuple, arguments, arena, steps);
    case GlobalKind::kSet:
    case GlobalKind::kFrozenSet:
      return make_sequence(Sequence::Kind::kSet, arguments, arena, steps);
    case GlobalKind::kComplex:
      return make_complex(arguments, arena);
    case GlobalKind::kEncode:
      return encode(arguments, arena, steps);
    case GlobalKind::kByteArray:
      if (arguments.empty()) return add(arena, Value{Bytes{}});
      if (arguments[0]->as<Bytes>() == nullptr) return bad_arguments("bytearray");
      return add(arena, Value{*arguments[0]->as<Bytes>()});
    case GlobalKind::kDevice:
    case GlobalKind::kGetLayout:
      if (arguments.empty() || arguments[0]->as<std::string_view>() == nullptr)
        return bad_arguments("torch.device");
      return add(arena, Value{*arguments[0]->as<std::string_view>()});
    case GlobalKind::kDtype:
    case GlobalKind::kTypedStorage:
    case GlobalKind::kUntypedStorage:
    case GlobalKind::kQuantizationScheme:
    case GlobalKind::kTensorClass:
      break;
  }
  return fail(ErrorCode::kMalformed, "it calls a name that cannot be called");
}

Result<Value*> load_persistent(const Value& id, Arena& arena) {
  const Error bad = fail(ErrorCode::kMalformed, "a persistent id is not that of a storage");
  const Sequence* parts = id.as<Sequence>();
  if (parts == nullptr || parts->items.size() < 5 || parts->items.size() > 6) return bad;
  const auto* tag = parts->items[0]->as<std::string_view>();
  const auto* type = parts->items[1]->as<Global>();
  const auto* key = parts->items[2]->as<std::string_view>();
  const auto* elements = parts->items[4]->as<int64_t>();
  if (tag == nullptr || *tag != "storage" || type == nullptr || key == nullptr || elements == nullptr)
    return bad;
  if (type->kind != GlobalKind::kTypedStorage && type->kind != GlobalKind::kUntypedStorage) return bad;
  if (key->size() > kMaxStorageKeyBytes) return bad;
  Storage storage{.key = *key, .type = type->type, .elements = *elements};
  if (*elements < 0) return fail(ErrorCode::kMalformed, "storage '{}' has {} elements", *key, *elements);
  if (parts->items.size() == 6 && parts->items[5]->as<None>() == nullptr) {
    const Sequence* view = parts->items[5]->as<Sequence>();
    if (view == nullptr || view->items.size() != 3) return bad;
    const int64_t* offset = view->items[1]->as<int64_t>();
    const int64_t* count = view->items[2]->as<int64_t>();
    if (offset == nullptr || count == nullptr) return bad;
    if (*offset < 0 || *count < 0 || *offset > *elements || *count > *elements - *offset) {
      return fail(ErrorCode::kMalformed, "a view of storage '{}' reaches outside it", *key);
    }
    storage.is_view = true;
    storage.view_offset = *offset;
    storage.view_elements = *count;
  }
  return add(arena, Value{&arena.storages.emplace_back(storage)});
}

}  // namespace tenon::pickle
