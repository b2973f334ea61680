#include "ir/verify_parts.h"

#include "base/try.h"

namespace tenon::onnx {

Status check_type(const Type& type) {
  if (type.shape) {
    for (const Dimension& dimension : *type.shape) {
      const auto* size = std::get_if<int64_t>(&dimension.value);
      if (size != nullptr && *size < 0)
        return fail(ErrorCode::kInvalidModel, "a type has the negative dimension {}", *size);
    }
  }
  const bool is_container = type.kind == Type::Kind::kSequence || type.kind == Type::Kind::kOptional ||
                            type.kind == Type::Kind::kMap;
  if (is_container && !type.inner)
    return fail(ErrorCode::kInvalidModel, "a sequence, optional or map does not say of what");
  if (type.kind == Type::Kind::kMap) {
    const auto key = static_cast<int>(type.element);
    const bool is_integer_key =
        (key >= 2 && key <= 7) || type.element == DataType::kUInt32 || type.element == DataType::kUInt64;
    if (!is_integer_key && type.element != DataType::kString)
      return fail(ErrorCode::kInvalidModel, "a map has keys of type {}", data_type_name(type.element));
  }
  return type.inner ? check_type(*type.inner) : Status();
}

Status check_attribute(const Attribute& attribute, bool in_function) {
  if (attribute.name.empty()) return fail(ErrorCode::kInvalidModel, "an attribute has no name");
  const bool has_value = attribute.value.index() != 0;
  if (!attribute.ref_attr_name.empty()) {
    if (!in_function) {
      return fail(ErrorCode::kInvalidModel,
                  "attribute \"{}\" refers to an attribute of a function, outside of one", attribute.name);
    }
    if (has_value)
      return fail(ErrorCode::kInvalidModel, "attribute \"{}\" has a value and a reference", attribute.name);
    return {};
  }
  if (!has_value) return fail(ErrorCode::kInvalidModel, "attribute \"{}\" has no value", attribute.name);
  if (attribute.value.index() != static_cast<size_t>(attribute.kind)) {
    return fail(ErrorCode::kInvalidModel, "the value of attribute \"{}\" is not of the type that it states",
                attribute.name);
  }
  if (const auto* sparse = std::get_if<SparseTensorData>(&attribute.value)) return check_sparse(*sparse);
  if (const auto* list = std::get_if<std::vector<SparseTensorData>>(&attribute.value))
    for (const SparseTensorData& item : *list) TENON_TRY(check_sparse(item));
  if (const auto* type = std::get_if<Type>(&attribute.value)) return check_type(*type);
  return {};
}

Status check_sparse(const SparseTensorData& tensor) {
  const Tensor& values = tensor.values.value;
  const Tensor& indices = tensor.indices.value;
  const auto rank = static_cast<int64_t>(tensor.dims.size());
  const int64_t count = TENON_TRY(element_count(tensor.dims));
  if (rank == 0) return fail(ErrorCode::kInvalidModel, "a sparse tensor has no dimensions");
  if (values.rank() != 1) return fail(ErrorCode::kInvalidModel, "the values of a sparse tensor are no list");
  if (indices.type() != DataType::kInt64)
    return fail(ErrorCode::kInvalidModel, "the indices of a sparse tensor are {}, not int64",
                data_type_name(indices.type()));
  const int64_t items = values.size();
  const bool is_linear = indices.rank() == 1 && indices.size() == items;
  const bool is_coordinates = indices.rank() == 2 && indices.dim(0) == items && indices.dim(1) == rank;
  if (!is_linear && !is_coordinates) {
    return fail(ErrorCode::kInvalidModel, "a sparse tensor of {} values and rank {} has indices of shape {}",
                items, rank, to_string(indices.shape()));
  }
  const int64_t* at = indices.data<int64_t>();
  int64_t previous = -1;
  for (int64_t i = 0; i < items; ++i) {
    int64_t linear = 0;
    if (is_linear) {
      linear = at[i];
    } else {
      for (int64_t d = 0; d < rank; ++d) {
        const int64_t coordinate = at[i * rank + d];
        const int64_t size = tensor.dims[static_cast<size_t>(d)];
        if (coordinate < 0 || coordinate >= size)
          return fail(ErrorCode::kInvalidModel, "index {} of a sparse tensor is out of range", i);
        linear = linear * size + coordinate;
      }
    }
    if (linear < 0 || linear >= count)
      return fail(ErrorCode::kInvalidModel, "index {} of a sparse tensor is out of range", i);
    if (linear <= previous)
      return fail(ErrorCode::kInvalidModel, "the indices of a sparse tensor are not in ascending order");
    previous = linear;
  }
  return {};
}

}  // namespace tenon::onnx
