#include "ops/control_flow/stack.h"

#include "kernels/strided_copy.h"
#include "ops/core/infer.h"

namespace tenon::ops {

Status ScanOutput::append(const Value& value) {
  if (!value.is_tensor()) return fail(ErrorCode::kInvalidModel, "a scan output is not a tensor");
  const Tensor& part = value.tensor();
  if (!parts_.empty() && (part.type() != parts_[0].type() || part.shape() != parts_[0].shape()))
    return fail(ErrorCode::kInvalidModel, "a scan output changes from {}{} to {}{} between iterations",
                data_type_name(parts_[0].type()), to_string(parts_[0].shape()), data_type_name(part.type()),
                to_string(part.shape()));
  parts_.push_back(part);
  return {};
}

Status ScanOutput::write(KernelContext& context, size_t i, int64_t axis, bool reverse) const {
  DataType type = element_.element == DataType::kUndefined ? DataType::kFloat32 : element_.element;
  Shape part_shape;
  if (!parts_.empty()) {
    type = parts_[0].type();
    part_shape = parts_[0].shape();
  } else if (element_.shape) {
    for (const SymInt& dim : *element_.shape) part_shape.push_back(dim.constant().value_or(0));
  }
  Shape shape = part_shape;
  const auto place = TENON_TRY(normalize_axis(axis, static_cast<int64_t>(shape.size()) + 1));
  shape.insert(shape.begin() + place, static_cast<int64_t>(parts_.size()));
  TENON_TRY(element_count(shape));
  std::vector<int64_t> strides = kernels::dense_strides(shape);
  const size_t step = static_cast<size_t>(strides[static_cast<size_t>(place)]) * element_size(type);
  strides.erase(strides.begin() + place);
  Tensor& output = context.output(i, type, std::move(shape));
  if (parts_.empty()) return {};
  kernels::StridedCopy copy(type, part_shape, kernels::dense_strides(part_shape), strides);
  for (size_t k = 0; k < parts_.size(); ++k)
    copy.run(parts_[k].raw(), output.mutable_raw() + step * (reverse ? parts_.size() - 1 - k : k));
  return {};
}

}  // namespace tenon::ops
