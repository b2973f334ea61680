// TypeProto and ValueInfoProto.
#include "formats/onnx/parse.h"

namespace tenon::onnx {

namespace {

using wire::Field;
using wire::WireType;

Result<Dimension> parse_dimension(ParseContext& context, const wire::Field& message) {
  Dimension result;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    if (field.number == 1) {
      if (field.type != WireType::kVarint) return context.wrong_type(field);
      result.value = field.integer();
    } else if (field.number == 2) {
      std::string name;
      TENON_TRY(context.text(field, name));
      result.value = std::move(name);
    } else if (field.number == 3) {
      TENON_TRY(context.text(field, result.denotation, result.present));
    }
  }
  return result;
}

Result<std::vector<Dimension>> parse_shape(ParseContext& context, const wire::Field& message) {
  std::vector<Dimension> result;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    if (field.number != 1) continue;
    TENON_TRY(context.charge(sizeof(Dimension)));
    result.push_back(TENON_TRY(parse_dimension(context, field)));
  }
  return result;
}

/// TypeProto.Tensor, .SparseTensor, .Sequence, .Optional and .Map: field 1 is a number or a type, field 2 a
/// shape or a type.
Status parse_content(ParseContext& context, const wire::Field& message, Type& type, int depth) {
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  const bool is_tensor = type.kind == Type::Kind::kTensor || type.kind == Type::Kind::kSparseTensor;
  const bool is_map = type.kind == Type::Kind::kMap;
  while (TENON_TRY(reader.next(field))) {
    if (field.number == 1 && (is_tensor || is_map)) {
      int64_t element = 0;
      TENON_TRY(context.integer(field, element, type.present));
      if (element < 0 || element >= kDataTypeCount)
        return fail(ErrorCode::kInvalidModel, "a type has the unknown element type {}", element);
      type.element = static_cast<DataType>(element);
    } else if (field.number == 2 && is_tensor) {
      type.shape = TENON_TRY(parse_shape(context, field));
    } else if ((field.number == 1 && !is_tensor) || (field.number == 2 && is_map)) {
      TENON_TRY(context.charge(sizeof(Type)));
      type.inner = std::make_shared<Type>(TENON_TRY(parse_type(context, field, depth + 1)));
    }
  }
  return {};
}

Type::Kind kind_of_field(uint32_t number) {
  switch (number) {
    case 1:
      return Type::Kind::kTensor;
    case 4:
      return Type::Kind::kSequence;
    case 5:
      return Type::Kind::kMap;
    case 8:
      return Type::Kind::kSparseTensor;
    case 9:
      return Type::Kind::kOptional;
    default:
      return Type::Kind::kNone;
  }
}

}  // namespace

Result<Type> parse_type(ParseContext& context, const wire::Field& message, int depth) {
  if (depth > kTypeDepthMax)
    return fail(ErrorCode::kLimit, "types are nested deeper than {} levels", kTypeDepthMax);
  Type type;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    const Type::Kind kind = kind_of_field(field.number);
    if (kind != Type::Kind::kNone) {
      if (type.kind != Type::Kind::kNone)
        return fail(ErrorCode::kMalformed, "a type is of two kinds at once");
      type.kind = kind;
      TENON_TRY(parse_content(context, field, type, depth));
    } else if (field.number == 6) {
      TENON_TRY(context.text(field, type.denotation, type.present));
    } else {
      TENON_TRY(context.keep(field, type.unknown));
    }
  }
  return type;
}

Result<ValueInfo> parse_value_info(ParseContext& context, const wire::Field& message) {
  TENON_TRY(context.charge(sizeof(ValueInfo)));
  ValueInfo info;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    switch (field.number) {
      case 1:
        TENON_TRY(context.text(field, info.name, info.present));
        break;
      case 2: {
        if (info.type) return fail(ErrorCode::kMalformed, "value \"{}\" has two types", info.name);
        Result<Type> type = parse_type(context, field);
        if (!type.ok()) return at_node(std::move(type.error()), info.name, "");
        info.type = std::move(*type);
        break;
      }
      case 3:
        TENON_TRY(context.text(field, info.doc_string, info.present));
        break;
      case 4:
        TENON_TRY(context.append_pair(field, info.metadata_props));
        break;
      default:
        TENON_TRY(context.keep(field, info.unknown));
    }
  }
  return info;
}

}  // namespace tenon::onnx
