// ScatterElements: updates written into a tensor at the places of indices along one axis.
// https://onnx.ai/onnx/operators/onnx__ScatterElements.html. Scatter is its name in opsets 9 and 10.
#include "kernels/strided_copy.h"
#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "ops/gather/gather.h"
#include "ops/scatter/scatter.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* data = context.shape(0);
  const SymShape* indices = context.shape(1);
  if (data != nullptr && indices != nullptr && data->size() != indices->size())
    return fail(ErrorCode::kInvalidModel, "data of shape {} and indices of shape {} differ in rank",
                to_string(*data), to_string(*indices));
  context.set_output(0, context.type(0));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& updates = context.input(2);
  const Shape& shape = context.input(1).shape();
  ScatterReduction reduction = TENON_TRY(scatter_reduction(context.attributes().string("reduction", "none")));
  auto axis =
      static_cast<size_t>(TENON_TRY(normalize_axis(context.attributes().integer("axis"), data.rank())));
  bool fits = shape == updates.shape() && shape.size() == data.shape().size();
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = i == axis || shape[i] <= data.dim(i);
  if (!fits)
    return fail(ErrorCode::kInvalidModel,
                "data of shape {}, indices of shape {} and updates of shape {} do not fit",
                to_string(data.shape()), to_string(shape), to_string(updates.shape()));
  std::vector<int64_t> targets = to_ints(context.input(1));
  TENON_TRY(resolve_indices(targets, data.dim(axis)));
  const std::vector<int64_t> strides = kernels::dense_strides(data.shape());
  const std::vector<int64_t> places = kernels::dense_strides(shape);
  for (size_t i = 0; i < targets.size(); ++i) {
    targets[i] *= strides[axis];
    for (size_t k = 0; k < shape.size(); ++k)
      if (k != axis) targets[i] += static_cast<int64_t>(i) / places[k] % shape[k] * strides[k];
  }
  Tensor output = data.clone();
  TENON_TRY(scatter_blocks(output, updates, targets, 1, reduction));
  context.set_output(0, std::move(output));
  return {};
}

Status upgrade_scatter(UpgradeContext& context) {
  Attributes attributes = context.attributes();
  attributes.set("reduction", std::string("none"));
  return context.finish(Op::kScatterElements, context.inputs(), std::move(attributes));
}

}  // namespace

constinit const OpDef kScatterElements{
    .name = "ScatterElements", .infer = infer, .reference = reference, .emit = emit_scatter};

constinit const LegacyOp kScatterLegacy{.name = "Scatter", .upgrade = upgrade_scatter};

}  // namespace tenon::ops
