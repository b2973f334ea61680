// TensorProto and SparseTensorProto.
#include <algorithm>
#include <cstring>

#include "formats/onnx/parse.h"
#include "formats/onnx/tensor_data.h"

namespace tenon::onnx {

namespace {

using wire::Field;
using wire::WireType;

/// The fields of a TensorProto but for the elements of typed fields.
struct TensorFields {
  std::vector<int64_t> dims;
  int64_t data_type = 0;
  int64_t data_location = 0;
  std::optional<std::string_view> raw_data;
  uint32_t typed_field = 0;  ///< Number of the typed field that has elements, 0 when none does.
};

constexpr size_t kRankMax = 64;

Status read_fields(ParseContext& context, const wire::Field& message, TensorData& tensor,
                   TensorFields& fields) {
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    switch (field.number) {
      case 1:
        TENON_TRY(context.append_integers(field, fields.dims));
        break;
      case 2:
        TENON_TRY(context.integer(field, fields.data_type, tensor.present));
        break;
      case 4:
      case 5:
      case 6:
      case 7:
      case 10:
      case 11:
        if (fields.typed_field != 0 && fields.typed_field != field.number)
          return fail(ErrorCode::kMalformed, "a tensor has elements in several fields");
        fields.typed_field = field.number;
        break;
      case 8:
        TENON_TRY(context.text(field, tensor.name, tensor.present));
        break;
      case 9:
        fields.raw_data = TENON_TRY(context.content(field));
        break;
      case 12:
        TENON_TRY(context.text(field, tensor.doc_string, tensor.present));
        break;
      case 13:
        TENON_TRY(context.append_pair(field, tensor.external_data));
        break;
      case 14:
        TENON_TRY(context.integer(field, fields.data_location, tensor.present));
        break;
      case 16:
        TENON_TRY(context.append_pair(field, tensor.metadata_props));
        break;
      case 3:
        return fail(ErrorCode::kUnsupported, "a tensor is split into segments");
      default:
        TENON_TRY(context.keep(field, tensor.unknown));
    }
  }
  if (fields.dims.size() > kRankMax)
    return at_node(
        fail(ErrorCode::kLimit, "a tensor has {} dimensions, more than {}", fields.dims.size(), kRankMax),
        tensor.name, "tensor");
  return {};
}

/// Fills `tensor` from the elements of one typed field, in whatever mixture of packed and single ones.
class TypedElements {
 public:
  TypedElements(ParseContext& context, Tensor& tensor) : context_(context), tensor_(tensor) {
    bits_ = element_bits(tensor.type());
    // In int32_data an entry is an element, but for types of 4 and 2 bits: there it is a byte of packed ones.
    const bool packed = bits_ == 4 || bits_ == 2;
    per_entry_ = packed ? 8 / bits_ : 1;
  }

  Status take(const Field& field) {
    switch (field.number) {
      case 4:
        return take_fixed(field, WireType::kFixed32, 4);
      case 10:
        return take_fixed(field, WireType::kFixed64, 8);
      case 6: {
        const std::string_view bytes = TENON_TRY(context_.content(field));
        if (filled_ == tensor_.size()) return wrong_count();
        TENON_TRY(context_.charge(bytes.size()));
        tensor_.mutable_data<std::string>()[filled_++] = bytes;
        return {};
      }
      default:
        if (field.type != WireType::kVarint && field.type != WireType::kBytes)
          return context_.wrong_type(field);
        return wire::each_varint(field, context_.origin(),
                                 [this](uint64_t value) { return take_integer(value); });
    }
  }

  Status finish() const { return filled_ == tensor_.size() ? Status() : wrong_count(); }

 private:
  Error wrong_count() const {
    return fail(ErrorCode::kMalformed, "a tensor {} does not have as many elements as its shape {} says",
                data_type_name(tensor_.type()), to_string(tensor_.shape()));
  }

  Status take_fixed(const Field& field, WireType single, size_t width) {
    std::string_view bytes = field.bytes;
    if (field.type == single)
      bytes = {reinterpret_cast<const char*>(&field.value), width};
    else if (field.type != WireType::kBytes || bytes.size() % width != 0)
      return context_.wrong_type(field);
    // A complex element is two numbers: count bytes.
    const size_t total = tensor_.bytes();
    if (bytes.size() > total - bytes_filled_) return wrong_count();
    if (!bytes.empty()) std::memcpy(tensor_.mutable_raw() + bytes_filled_, bytes.data(), bytes.size());
    bytes_filled_ += bytes.size();
    filled_ = bytes_filled_ == total ? tensor_.size() : 0;
    return {};
  }

  Status take_integer(uint64_t value) {
    if (filled_ == tensor_.size()) return wrong_count();
    for (int64_t i = 0; i < per_entry_ && filled_ < tensor_.size(); ++i, ++filled_) {
      std::byte* out = tensor_.mutable_raw() + static_cast<size_t>(filled_) * element_size(tensor_.type());
      uint64_t element = value;
      if (bits_ < 8) element = value >> (i * bits_) & ((uint64_t{1} << bits_) - 1);
      if (tensor_.type() == DataType::kBool) element = value != 0 ? 1 : 0;
      std::memcpy(out, &element, element_size(tensor_.type()));
    }
    return {};
  }

  ParseContext& context_;
  Tensor& tensor_;
  int bits_ = 0;
  int64_t per_entry_ = 1;
  int64_t filled_ = 0;
  size_t bytes_filled_ = 0;
};

Result<Tensor> read_typed(ParseContext& context, const wire::Field& message, DataType type, Shape shape,
                          uint32_t number) {
  const int64_t count = TENON_TRY(element_count(shape));
  if (count > 0 && number == 0) return fail(ErrorCode::kMalformed, "a tensor has no elements");
  if (number != 0 && number != typed_field(type)) {
    return fail(ErrorCode::kMalformed, "a tensor of {} has its elements in field {} of TensorProto",
                data_type_name(type), number);
  }
  // Each byte of the message holds at most four elements: memory is not taken on the word of the shape alone.
  const int64_t per_byte = element_bits(type) == 2 ? 4 : element_bits(type) == 4 ? 2 : 1;
  if (count / per_byte > static_cast<int64_t>(message.bytes.size())) {
    return fail(ErrorCode::kMalformed, "a tensor has fewer elements than its shape {} says",
                to_string(shape));
  }
  if (type == DataType::kString) TENON_TRY(context.charge(static_cast<size_t>(count) * sizeof(std::string)));
  Tensor result = Tensor::allocate(type, std::move(shape));
  TypedElements elements(context, result);
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field)))
    if (field.number == number) TENON_TRY(elements.take(field));
  TENON_TRY(elements.finish());
  return result;
}

Status read_value(ParseContext& context, const wire::Field& message, TensorData& tensor,
                  TensorFields& fields) {
  if (fields.data_type <= 0 || fields.data_type >= kDataTypeCount)
    return fail(ErrorCode::kMalformed, "a tensor has the unknown element type {}", fields.data_type);
  const auto type = static_cast<DataType>(fields.data_type);
  const int64_t count = TENON_TRY(element_count(fields.dims));
  if (fields.data_location == 1) {
    if (fields.raw_data || fields.typed_field != 0)
      return fail(ErrorCode::kMalformed, "a tensor has elements both in the model and in external data");
    const ExternalReference reference = TENON_TRY(parse_external_reference(tensor.external_data));
    tensor.encoding = TensorData::Encoding::kExternal;
    tensor.value = TENON_TRY(context.files().read(reference, type, std::move(fields.dims)));
    return {};
  }
  if (fields.data_location != 0)
    return fail(ErrorCode::kMalformed, "a tensor has the unknown data location {}", fields.data_location);
  if (!fields.raw_data) {
    tensor.encoding = TensorData::Encoding::kTyped;
    tensor.value = TENON_TRY(read_typed(context, message, type, std::move(fields.dims), fields.typed_field));
    return {};
  }
  if (fields.typed_field != 0) return fail(ErrorCode::kMalformed, "a tensor has elements in several fields");
  if (type == DataType::kString) return fail(ErrorCode::kMalformed, "a tensor of strings has raw data");
  tensor.encoding = TensorData::Encoding::kRaw;
  const uint64_t needed = TENON_TRY(packed_bytes(type, count));
  if (fields.raw_data->size() != needed) {
    return fail(ErrorCode::kMalformed, "a tensor has {} bytes of raw data, but {}{} takes {}",
                fields.raw_data->size(), data_type_name(type), to_string(fields.dims), needed);
  }
  tensor.value = tensor_from_raw(type, std::move(fields.dims), *fields.raw_data, context.owner());
  return {};
}

}  // namespace

Result<TensorData> parse_tensor(ParseContext& context, const wire::Field& message) {
  TENON_TRY(context.charge(sizeof(TensorData)));
  TensorData tensor;
  TensorFields fields;
  TENON_TRY(read_fields(context, message, tensor, fields));
  Status status = read_value(context, message, tensor, fields);
  if (!status.ok()) return at_node(std::move(status.error()), tensor.name, "tensor");
  return tensor;
}

Result<SparseTensorData> parse_sparse_tensor(ParseContext& context, const wire::Field& message) {
  SparseTensorData result;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  bool has_values = false;
  bool has_indices = false;
  while (TENON_TRY(reader.next(field))) {
    if (field.number == 1 || field.number == 2) {
      bool& seen = field.number == 1 ? has_values : has_indices;
      if (seen) return fail(ErrorCode::kMalformed, "a sparse tensor has two sets of values or indices");
      seen = true;
      (field.number == 1 ? result.values : result.indices) = TENON_TRY(parse_tensor(context, field));
    } else if (field.number == 3) {
      TENON_TRY(context.append_integers(field, result.dims));
    } else {
      TENON_TRY(context.keep(field, result.unknown));
    }
  }
  if (!has_values || !has_indices)
    return fail(ErrorCode::kMalformed, "a sparse tensor lacks its values or its indices");
  if (result.dims.size() > kRankMax)
    return fail(ErrorCode::kLimit, "a sparse tensor has {} dimensions, more than {}", result.dims.size(),
                kRankMax);
  TENON_TRY(element_count(result.dims));
  return result;
}

}  // namespace tenon::onnx
