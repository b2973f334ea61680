// Slice: every step-th element between two bounds, along some axes.
// https://onnx.ai/onnx/operators/onnx__Slice.html
#include "ops/slice/slice.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/strided_copy.h"
#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// Bounds at least this far out of a symbolic dimension mean "to the end": exporters write the largest int32
// or int64.
constexpr int64_t kFar = std::numeric_limits<int32_t>::max();

// A bound of a slice over a symbolic dimension: `offset` elements from the front or, counted back, from the
// end.
struct Bound {
  SymInt offset;
  bool from_end = false;
};

std::optional<Bound> read_bound(const SymInt& bound, const SymInt& dim) {
  if (auto value = bound.constant()) {
    if (*value >= kFar) return Bound{0, true};
    if (*value <= -kFar) return Bound{0, false};
    return *value < 0 ? Bound{-*value, true} : Bound{*value, false};
  }
  if (auto distance = (dim - bound).constant(); distance && *distance >= 0) return Bound{*distance, true};
  if (is_nonnegative(bound)) return Bound{bound, false};
  return std::nullopt;
}

SymInt from_front(const Bound& bound, const SymInt& dim) {
  return bound.from_end ? max(dim - bound.offset, 0) : min(bound.offset, dim);
}

// The slice of a symbolic dimension with a positive step, in the simplest exact form.
std::optional<AxisSlice> resolve_symbolic(const SymInt& dim, const SymInt& start, const SymInt& end,
                                          int64_t step) {
  auto first = read_bound(start, dim), last = read_bound(end, dim);
  if (!first || !last) return std::nullopt;
  SymInt span;
  if (!first->from_end && last->from_end)
    span = dim - first->offset - last->offset;
  else if (!first->from_end)
    span = min(last->offset, dim) - first->offset;
  else if (last->from_end)
    span = min(first->offset, dim) - min(last->offset, dim);
  else
    span = from_front(*last, dim) - from_front(*first, dim);
  return AxisSlice{from_front(*first, dim), ceil_div(max(span, 0), step), step};
}

// `low` and `high` are what the bound is clamped to.
int64_t clamp_bound(int64_t bound, int64_t dim, int64_t low, int64_t high) {
  return std::max(low, std::min(bound < 0 ? bound + dim : bound, high));
}

}  // namespace

std::optional<AxisSlice> resolve_slice(const SymInt& dim, const SymInt& start, const SymInt& end,
                                       int64_t step) {
  if (!dim.is_constant() || !start.is_constant() || !end.is_constant()) {
    if (step > 0) return resolve_symbolic(dim, start, end, step);
    // The whole axis reversed: the one symbolic case that programs hold.
    auto first = start.constant(), last = end.constant();
    if (step == -1 && first && last && (*first == -1 || *first >= kFar) && *last <= -kFar)
      return AxisSlice{dim - 1, dim, step};
    return std::nullopt;
  }
  const int64_t d = *dim.constant();
  // With a negative step the end may lie before index 0, at -1.
  const int64_t high = step > 0 ? d : d - 1;
  const int64_t first = clamp_bound(*start.constant(), d, 0, high);
  const int64_t last = clamp_bound(*end.constant(), d, step > 0 ? 0 : -1, high);
  const uint64_t span = step > 0 ? (last > first ? static_cast<uint64_t>(last - first) : 0)
                                 : (first > last ? static_cast<uint64_t>(first - last) : 0);
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : -static_cast<uint64_t>(step);
  const uint64_t length = span == 0 ? 0 : (span - 1) / stride + 1;
  return AxisSlice{first, static_cast<int64_t>(length), step};
}

namespace {

struct Bounds {
  std::vector<SymInt> starts, ends;
  std::vector<int64_t> axes, steps;  // axes non-negative
};

Status check(const Bounds& bounds) {
  if (bounds.starts.size() != bounds.axes.size() || bounds.ends.size() != bounds.axes.size() ||
      bounds.steps.size() != bounds.axes.size())
    return fail(ErrorCode::kInvalidModel, "starts, ends, axes and steps differ in length ({}, {}, {}, {})",
                bounds.starts.size(), bounds.ends.size(), bounds.axes.size(), bounds.steps.size());
  if (std::count(bounds.steps.begin(), bounds.steps.end(), 0) > 0)
    return fail(ErrorCode::kInvalidModel, "a step of 0");
  return {};
}

Result<Bounds> bounds_of(std::vector<SymInt> starts, std::vector<SymInt> ends,
                         std::optional<std::vector<int64_t>> axes, std::optional<std::vector<int64_t>> steps,
                         int64_t rank) {
  Bounds bounds{std::move(starts), std::move(ends), {}, {}};
  if (axes) {
    for (int64_t axis : *axes) bounds.axes.push_back(TENON_TRY(normalize_axis(axis, rank)));
    TENON_TRY(normalize_axes(bounds.axes, rank));
  } else {
    if (static_cast<int64_t>(bounds.starts.size()) > rank)
      return fail(ErrorCode::kInvalidModel, "{} starts for a tensor of rank {}", bounds.starts.size(), rank);
    bounds.axes.resize(bounds.starts.size());
    std::iota(bounds.axes.begin(), bounds.axes.end(), 0);
  }
  bounds.steps = steps ? std::move(*steps) : std::vector<int64_t>(bounds.starts.size(), 1);
  TENON_TRY(check(bounds));
  return bounds;
}

// Without the bounds' values only the dimensions of axes that are not sliced are known.
Status infer_unknown_bounds(InferContext& context, SymShape shape) {
  std::optional<std::vector<int64_t>> axes;
  if (context.has_input(3)) axes = context.known_ints(3);
  if (!context.has_input(3)) {
    const SymShape* starts = context.shape(1);
    if (starts != nullptr && starts->size() == 1 && (*starts)[0].is_constant()) {
      axes.emplace(static_cast<size_t>(std::clamp<int64_t>(*(*starts)[0].constant(), 0, kTrackedElements)));
      std::iota(axes->begin(), axes->end(), 0);
    }
  }
  if (axes) {
    for (int64_t axis : *axes)
      shape[static_cast<size_t>(TENON_TRY(normalize_axis(axis, static_cast<int64_t>(shape.size()))))] =
          context.fresh_symbol();
  } else {
    shape = context.fresh_shape(shape.size());
  }
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

Status infer(InferContext& context) {
  const SymShape* input = context.shape(0);
  if (input == nullptr) {
    context.set_output(0, context.element(0));
    return {};
  }
  auto starts = context.elements(1), ends = context.elements(2);
  auto axes = context.known_ints(3), steps = context.known_ints(4);
  if (!starts || !ends || (context.has_input(3) && !axes) || (context.has_input(4) && !steps))
    return infer_unknown_bounds(context, *input);
  Bounds bounds = TENON_TRY(bounds_of(std::move(*starts), std::move(*ends), std::move(axes), std::move(steps),
                                      static_cast<int64_t>(input->size())));
  SymShape shape = *input;
  std::optional<AxisSlice> only;
  for (size_t i = 0; i < bounds.axes.size(); ++i) {
    SymInt& dim = shape[static_cast<size_t>(bounds.axes[i])];
    only = resolve_slice(dim, bounds.starts[i], bounds.ends[i], bounds.steps[i]);
    dim = only ? only->length : context.fresh_symbol();
  }
  context.set_output(0, context.element(0), shape);
  auto elements = context.elements(0);
  if (!elements || shape.size() != 1) return {};
  if (bounds.axes.empty()) {
    context.set_elements(0, std::move(*elements));
  } else if (only && only->start.is_constant() && only->length.is_constant()) {
    std::vector<SymInt> picked;
    for (int64_t k = 0; k < *only->length.constant(); ++k) {
      int64_t index = *only->start.constant() + k * only->step;
      if (index < 0 || index >= static_cast<int64_t>(elements->size())) return {};
      picked.push_back((*elements)[static_cast<size_t>(index)]);
    }
    context.set_elements(0, std::move(picked));
  }
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  auto ints = [&](size_t i) -> std::optional<std::vector<int64_t>> {
    if (!context.has_input(i)) return std::nullopt;
    return to_ints(context.input(i));
  };
  Bounds bounds = TENON_TRY(bounds_of(to_sym(*ints(1)), to_sym(*ints(2)), ints(3), ints(4), input.rank()));
  Shape shape = input.shape();
  const std::vector<int64_t> dense = kernels::dense_strides(shape);
  std::vector<int64_t> in_strides = dense;
  int64_t offset = 0;
  for (size_t i = 0; i < bounds.axes.size(); ++i) {
    auto axis = static_cast<size_t>(bounds.axes[i]);
    AxisSlice slice = *resolve_slice(shape[axis], bounds.starts[i], bounds.ends[i], bounds.steps[i]);
    shape[axis] = *slice.length.constant();
    if (shape[axis] == 0) continue;
    offset += *slice.start.constant() * dense[axis];
    in_strides[axis] = shape[axis] > 1 ? dense[axis] * slice.step : 0;
  }
  Tensor& output = context.output(0, input.type(), shape);
  if (output.size() == 0) return {};
  kernels::StridedCopy copy(input.type(), shape, in_strides, kernels::dense_strides(shape));
  const std::byte* source = input.raw() + static_cast<size_t>(offset) * element_size(input.type());
  context.parallel_for(
      copy.outer(), std::max<int64_t>(1, 16384 / copy.inner_size()),
      [&](int64_t begin, int64_t end) { copy.run(source, output.mutable_raw(), begin, end); });
  return {};
}

// Before 10 the bounds were attributes and there were no steps.
Status upgrade(UpgradeContext& context) {
  if (context.since_version() >= 10) return upgrade_unchanged(context);
  const Attributes& old = context.attributes();
  GraphBuilder& builder = context.builder();
  std::vector<ValueId> inputs = {context.input(0), builder.constant_ints(old.integers("starts")),
                                 builder.constant_ints(old.integers("ends"))};
  if (old.has("axes")) inputs.push_back(builder.constant_ints(old.integers("axes")));
  return context.finish(Op::kSlice, std::move(inputs), {});
}

Status emit(EmitContext& context) {
  if (context.opset() >= 11) return emit_unchanged(context);
  // Negative axes came with 11, bounds as inputs with 10.
  std::vector<std::optional<std::vector<int64_t>>> values(5);
  for (size_t i = 1; i < 5; ++i) {
    if (!context.has_input(i)) continue;
    const Tensor* constant = context.constant(i);
    if (constant != nullptr) values[i] = to_ints(*constant);
    if (constant == nullptr && (context.opset() < 10 || i == 3))
      return context.unsupported(i == 3 ? 11 : 10, "bounds that are computed by the model");
  }
  if (values[3] && std::any_of(values[3]->begin(), values[3]->end(), [](int64_t axis) { return axis < 0; })) {
    std::optional<int64_t> rank = rank_of(context.input_type(0));
    if (!rank) return context.unsupported(11, "a negative axis of a tensor of unknown rank");
    for (int64_t& axis : *values[3]) axis = TENON_TRY(normalize_axis(axis, *rank));
  }
  if (context.opset() >= 10) {
    std::vector<std::string> inputs = context.inputs();
    if (values[3]) inputs[3] = context.constant(Tensor::from_ints(*values[3]), "axes");
    return context.finish("Slice", std::move(inputs));
  }
  if (values[4] && std::any_of(values[4]->begin(), values[4]->end(), [](int64_t step) { return step != 1; }))
    return context.unsupported(10, "steps other than 1");
  Attributes attributes = {{"starts", *values[1]}, {"ends", *values[2]}};
  if (values[3]) attributes.set("axes", *values[3]);
  return context.finish("Slice", {context.input(0)}, attributes);
}

}  // namespace

constinit const OpDef kSlice{
    .name = "Slice", .infer = infer, .reference = reference, .upgrade = upgrade, .emit = emit};

}  // namespace tenon::ops
