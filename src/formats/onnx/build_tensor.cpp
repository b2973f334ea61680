// TensorProto, SparseTensorProto, TypeProto, ValueInfoProto.
#include <bit>
#include <cstring>

#include "formats/onnx/build.h"
#include "formats/onnx/tensor_data.h"
#include "tensor/element.h"

namespace tenon::onnx {

using wire::Message;

void add_text(Message& message, uint32_t number, const std::string& text, PresentFields present) {
  if (!text.empty() || (present >> number & 1) != 0) message.add_bytes(number, text);
}

void add_number(Message& message, uint32_t number, int64_t value, PresentFields present) {
  if (value != 0 || (present >> number & 1) != 0) message.add_integer(number, value);
}

void add_pairs(Message& message, uint32_t number, const StringPairs& pairs) {
  for (const auto& [key, value] : pairs) {
    Message pair;
    pair.add_bytes(1, key);
    pair.add_bytes(2, value);
    message.add_message(number, pair);
  }
}

std::string_view raw_elements(const Tensor& tensor, std::string& scratch) {
  if (element_bits(tensor.type()) < 8) {
    scratch = pack_bits(tensor);
    return scratch;
  }
  return {reinterpret_cast<const char*>(tensor.raw()), tensor.bytes()};
}

namespace {

/// The entries of int32_data, int64_data or uint64_data.
std::string integer_entries(const Tensor& tensor) {
  std::string packed;
  const DataType type = tensor.type();
  const auto add = [&](uint64_t value) { wire::append_varint(packed, value); };
  const int bits = element_bits(type);
  if (bits == 4 || bits == 2) {
    for (char byte : pack_bits(tensor)) add(static_cast<uint8_t>(byte));
    return packed;
  }
  const bool is_signed = is_integer(type) && compute_kind(type) == ComputeKind::kSigned;
  const size_t width = element_size(type);
  for (int64_t i = 0; i < tensor.size(); ++i) {
    uint64_t value = 0;
    std::memcpy(&value, tensor.raw() + static_cast<size_t>(i) * width, width);
    const auto unused = static_cast<unsigned>(64 - 8 * width);
    if (is_signed) value = static_cast<uint64_t>(static_cast<int64_t>(value << unused) >> unused);
    add(value);
  }
  return packed;
}

void add_typed(Message& message, const Tensor& tensor) {
  const uint32_t number = typed_field(tensor.type());
  if (tensor.is_string()) {
    for (const std::string& text : tensor.strings()) message.add_bytes(number, text);
  } else if (tensor.size() > 0 && (number == 4 || number == 10)) {
    message.add_view(number, {reinterpret_cast<const char*>(tensor.raw()), tensor.bytes()});
  } else if (tensor.size() > 0) {
    message.add_bytes(number, integer_entries(tensor));
  }
}

}  // namespace

Message build_tensor(const TensorData& tensor, const std::optional<StringPairs>& external) {
  Message message;
  const Tensor& value = tensor.value;
  for (int64_t dim : value.shape()) message.add_integer(1, dim);
  add_number(message, 2, static_cast<int64_t>(value.type()), tensor.present);
  const bool inline_typed = value.is_string() || tensor.encoding == TensorData::Encoding::kTyped;
  if (!external && inline_typed) add_typed(message, value);
  add_text(message, 8, tensor.name, tensor.present);
  if (!external && !inline_typed) {
    std::string scratch;
    const std::string_view elements = raw_elements(value, scratch);
    if (scratch.empty())
      message.add_view(9, elements);
    else
      message.add_bytes(9, elements);
  }
  add_text(message, 12, tensor.doc_string, tensor.present);
  if (external) {
    add_pairs(message, 13, *external);
    message.add_integer(14, 1);
  } else {
    if (tensor.encoding != TensorData::Encoding::kExternal) add_pairs(message, 13, tensor.external_data);
    add_number(message, 14, 0, tensor.present);
  }
  add_pairs(message, 16, tensor.metadata_props);
  message.append(tensor.unknown);
  return message;
}

Message build_sparse_tensor(const SparseTensorData& tensor, DataPlacement& placement) {
  const auto part = [&](const TensorData& data) {
    return build_tensor(data, placement.place(data, DataPlacement::Role::kOther));
  };
  Message message;
  message.add_message(1, part(tensor.values));
  message.add_message(2, part(tensor.indices));
  for (int64_t dim : tensor.dims) message.add_integer(3, dim);
  message.append(tensor.unknown);
  return message;
}

namespace {

Message build_shape(const std::vector<Dimension>& shape) {
  Message message;
  for (const Dimension& dimension : shape) {
    Message dim;
    if (const auto* value = std::get_if<int64_t>(&dimension.value)) dim.add_integer(1, *value);
    if (const auto* name = std::get_if<std::string>(&dimension.value)) dim.add_bytes(2, *name);
    add_text(dim, 3, dimension.denotation, dimension.present);
    message.add_message(1, dim);
  }
  return message;
}

uint32_t field_of_kind(Type::Kind kind) {
  switch (kind) {
    case Type::Kind::kTensor:
      return 1;
    case Type::Kind::kSequence:
      return 4;
    case Type::Kind::kMap:
      return 5;
    case Type::Kind::kSparseTensor:
      return 8;
    case Type::Kind::kOptional:
      return 9;
    case Type::Kind::kNone:
      return 0;
  }
  return 0;
}

}  // namespace

Message build_type(const Type& type) {
  Message message;
  if (type.kind != Type::Kind::kNone) {
    Message content;
    const bool is_map = type.kind == Type::Kind::kMap;
    if (is_map || type.kind == Type::Kind::kTensor || type.kind == Type::Kind::kSparseTensor)
      add_number(content, 1, static_cast<int64_t>(type.element), type.present);
    if (type.shape) content.add_message(2, build_shape(*type.shape));
    if (type.inner) content.add_message(is_map ? 2 : 1, build_type(*type.inner));
    message.add_message(field_of_kind(type.kind), content);
  }
  add_text(message, 6, type.denotation, type.present);
  message.append(type.unknown);
  return message;
}

Message build_value_info(const ValueInfo& info) {
  Message message;
  add_text(message, 1, info.name, info.present);
  if (info.type) message.add_message(2, build_type(*info.type));
  add_text(message, 3, info.doc_string, info.present);
  add_pairs(message, 4, info.metadata_props);
  message.append(info.unknown);
  return message;
}

}  // namespace tenon::onnx
