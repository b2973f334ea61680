#include "formats/onnx/value_file.h"

#include <new>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "formats/onnx/build.h"
#include "formats/onnx/parse.h"

namespace tenon::onnx {

namespace {

using wire::Field;
using wire::Message;

// Numbers of SequenceProto.DataType and OptionalProto.DataType.
enum ElementKind : int64_t {
  kNothing = 0,
  kTensorElement = 1,
  kSequenceElement = 3,
  kMapElement = 4,
  kOptionalElement = 5
};

constexpr int kDepthMax = kTypeDepthMax;

Result<Value> parse_any(ParseContext& context, const Field& message, ValueKind kind, std::string& name,
                        int depth);

/// The kind of value behind a field of SequenceProto or OptionalProto; nullopt for other fields.
Result<std::optional<ValueKind>> kind_of_field(uint32_t number) {
  switch (number) {
    case 3:
      return std::optional(ValueKind::kTensor);
    case 4:
      return fail(ErrorCode::kUnsupported, "sparse tensors are not supported as values");
    case 5:
      return std::optional(ValueKind::kSequence);
    case 6:
      return std::optional(ValueKind::kMap);
    case 7:
      return std::optional(ValueKind::kOptional);
    default:
      return std::optional<ValueKind>();
  }
}

Result<Value> parse_tensor_value(ParseContext& context, const Field& message, std::string& name) {
  TensorData tensor = TENON_TRY(parse_tensor(context, message));
  name = std::move(tensor.name);
  return Value(std::move(tensor.value));
}

Result<Sequence> parse_sequence(ParseContext& context, const Field& message, std::string& name, int depth) {
  Sequence result;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    if (field.number == 1) {
      TENON_TRY(context.text(field, name));
      continue;
    }
    const std::optional<ValueKind> kind = TENON_TRY(kind_of_field(field.number));
    if (!kind) continue;
    TENON_TRY(context.charge(sizeof(Value)));
    std::string item_name;
    result.items.push_back(TENON_TRY(parse_any(context, field, *kind, item_name, depth + 1)));
  }
  if (!result.items.empty() && result.items[0].is_tensor())
    result.element_type = result.items[0].tensor().type();
  return result;
}

Result<Value> parse_optional(ParseContext& context, const Field& message, std::string& name, int depth) {
  Optional result;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    if (field.number == 1) {
      TENON_TRY(context.text(field, name));
      continue;
    }
    const std::optional<ValueKind> kind = TENON_TRY(kind_of_field(field.number));
    if (!kind) continue;
    if (result.value) return fail(ErrorCode::kMalformed, "an optional has two values");
    std::string item_name;
    result.value = std::make_shared<Value>(TENON_TRY(parse_any(context, field, *kind, item_name, depth + 1)));
  }
  return Value(std::move(result));
}

Result<Value> parse_map(ParseContext& context, const Field& message, std::string& name, int depth) {
  int64_t key_type = 0;
  PresentFields present = 0;
  std::vector<int64_t> keys;
  std::vector<std::string> string_keys;
  Sequence values;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    if (field.number == 1) TENON_TRY(context.text(field, name));
    if (field.number == 2) TENON_TRY(context.integer(field, key_type, present));
    if (field.number == 3) TENON_TRY(context.append_integers(field, keys));
    if (field.number == 4) TENON_TRY(context.append_text(field, string_keys));
    if (field.number == 5) {
      std::string values_name;
      values = TENON_TRY(parse_sequence(context, field, values_name, depth + 1));
    }
  }
  const bool has_strings = key_type == static_cast<int64_t>(DataType::kString);
  const size_t key_count = has_strings ? string_keys.size() : keys.size();
  if (key_count != values.items.size() || (has_strings ? !keys.empty() : !string_keys.empty()))
    return fail(ErrorCode::kMalformed, "a map has {} keys and {} values", key_count, values.items.size());
  if (key_type <= 0 || key_type >= kDataTypeCount)
    return fail(ErrorCode::kMalformed, "a map has the unknown key type {}", key_type);
  Map result;
  result.key_type = has_strings ? DataType::kString : DataType::kInt64;
  result.value_type = values.element_type;
  for (size_t i = 0; i < key_count; ++i) {
    auto key = has_strings ? std::variant<int64_t, std::string>(std::move(string_keys[i])) : keys[i];
    if (!result.entries.emplace(std::move(key), std::move(values.items[i])).second)
      return fail(ErrorCode::kMalformed, "a map has a key twice");
  }
  return Value(std::move(result));
}

Result<Value> parse_any(ParseContext& context, const Field& message, ValueKind kind, std::string& name,
                        int depth) {
  if (depth > kDepthMax) return fail(ErrorCode::kLimit, "values are nested deeper than {} levels", kDepthMax);
  switch (kind) {
    case ValueKind::kTensor:
      return parse_tensor_value(context, message, name);
    case ValueKind::kSequence:
      return Value(TENON_TRY(parse_sequence(context, message, name, depth)));
    case ValueKind::kOptional:
      return parse_optional(context, message, name, depth);
    case ValueKind::kMap:
      return parse_map(context, message, name, depth);
  }
  return fail(ErrorCode::kInternal, "no such kind of value");
}

Message build_value(const Value& value, const std::string& name);

int64_t element_kind(const Value& value) {
  if (value.is_tensor()) return kTensorElement;
  if (value.is_sequence()) return kSequenceElement;
  return value.is_map() ? kMapElement : kOptionalElement;
}

uint32_t field_of_kind(int64_t kind) {
  return static_cast<uint32_t>(kind) + 2;
}

Message build_sequence(const std::vector<const Value*>& items, const std::string& name) {
  Message message;
  message.add_bytes(1, name);
  const int64_t kind = items.empty() ? kTensorElement : element_kind(*items[0]);
  message.add_integer(2, kind);
  for (const Value* item : items) message.add_message(field_of_kind(kind), build_value(*item, ""));
  return message;
}

Message build_map(const Map& map, const std::string& name) {
  Message message;
  message.add_bytes(1, name);
  message.add_integer(2, static_cast<int64_t>(map.key_type));
  std::vector<const Value*> values;
  for (const auto& [key, value] : map.entries) {
    if (const auto* number = std::get_if<int64_t>(&key))
      message.add_integer(3, *number);
    else
      message.add_bytes(4, std::get<std::string>(key));
    values.push_back(&value);
  }
  message.add_message(5, build_sequence(values, ""));
  return message;
}

Message build_value(const Value& value, const std::string& name) {
  if (value.is_tensor()) {
    TensorData data;
    data.name = name;
    data.value = value.tensor();
    return build_tensor(data);
  }
  if (value.is_sequence()) {
    std::vector<const Value*> items;
    for (const Value& item : value.sequence().items) items.push_back(&item);
    return build_sequence(items, name);
  }
  if (value.is_map()) return build_map(value.map(), name);
  Message message;
  message.add_bytes(1, name);
  const std::shared_ptr<Value>& inner = value.optional().value;
  const int64_t kind = inner ? element_kind(*inner) : kNothing;
  message.add_integer(2, kind);
  if (inner) message.add_message(field_of_kind(kind), build_value(*inner, ""));
  return message;
}

}  // namespace

Result<NamedValue> parse_value(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                               ValueKind kind, const std::string& base_dir, const ReadOptions& options) {
  const std::string_view message(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ParseContext context(message, std::move(owner), base_dir, options);
  try {
    NamedValue result;
    result.value = TENON_TRY(parse_any(context, Field::outermost(message), kind, result.name, 0));
    return result;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kOutOfMemory, "not enough memory to read the value");
  }
}

Result<NamedValue> read_value(const std::string& path, ValueKind kind, const ReadOptions& options) {
  const auto file = TENON_TRY(MappedFile::open(path));
  Result<NamedValue> value = parse_value(file->bytes(), file, kind, folder_of(path), options);
  if (!value.ok()) return at_file(std::move(value.error()), path);
  return value;
}

Result<AtomicFile> prepare_value(const std::string& path, const Value& value, const std::string& name) {
  AtomicFile file = TENON_TRY(AtomicFile::create(path));
  TENON_TRY(build_value(value, name).write_pieces([&](std::string_view piece) { return file.write(piece); }));
  return file;
}

Status write_value(const std::string& path, const Value& value, const std::string& name) {
  AtomicFile file = TENON_TRY(prepare_value(path, value, name));
  return file.commit();
}

Result<std::string> serialize_value(const Value& value, const std::string& name) {
  return build_value(value, name).to_string();
}

}  // namespace tenon::onnx
