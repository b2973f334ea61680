// Lowering of operators that repeat a tensor's elements.
#include <algorithm>

#include "lower/aten/families.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

Status lower_expand(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  std::vector<Size> sizes = TENON_TRY(size_list(context, TENON_TRY(context.args().sym_items("size"))));
  // -1 keeps the dimension, and so does 1 in ONNX.
  for (Size& size : sizes)
    if (size.is_number() && size.number == -1) size = Size(1);
  return context.finish(expand(context, self, sizes));
}

Status expand_as(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  return context.finish(expand_like(context, self, TENON_TRY(context.tensor("other"))));
}

// The values of `src` in the shape and type of self, what is left of an in-place copy after
// functionalisation.
Status lower_copy(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  ValueId src = TENON_TRY(context.cast(TENON_TRY(context.tensor("src")), context.element(self)));
  return context.finish(expand_like(context, src, self));
}

// Repeats at least as many dimensions as the tensor has; new ones come in front.
Status tile(LowerContext& context, ValueId self, std::vector<Size> repeats) {
  const auto rank = static_cast<size_t>(TENON_TRY(context.rank(self)));
  if (repeats.size() < rank) repeats.insert(repeats.begin(), rank - repeats.size(), Size(1));
  std::vector<int64_t> front;
  for (size_t i = rank; i < repeats.size(); ++i) front.push_back(static_cast<int64_t>(i - rank));
  ValueId wide = TENON_TRY(unsqueeze(context, self, std::move(front)));
  if (std::all_of(repeats.begin(), repeats.end(),
                  [](const Size& s) { return s.is_number() && s.number == 1; }))
    return context.finish(wide);
  return context.finish(Op::kTile, {wide, TENON_TRY(size_vector(context, repeats))});
}

Status lower_repeat(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  return tile(context, self, TENON_TRY(size_list(context, TENON_TRY(context.args().sym_items("repeats")))));
}

Status lower_tile(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  return tile(context, self, TENON_TRY(size_list(context, TENON_TRY(context.args().sym_items("dims")))));
}

// The tensor along one axis: itself, or flattened when `dim` is None.
struct Line {
  ValueId tensor;
  int64_t axis;
};
Result<Line> line_of(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  auto dim = TENON_TRY(context.args().optional_integer("dim"));
  if (!dim) return Line{TENON_TRY(reshape(context, self, {Size(-1)})), 0};
  return Line{self, TENON_TRY(ops::normalize_axis(*dim, TENON_TRY(context.rank(self))))};
}

Status repeat_interleave_int(LowerContext& context) {
  Line line = TENON_TRY(line_of(context));
  Size repeats = TENON_TRY(size_argument(context, "repeats"));
  std::vector<Size> sizes = TENON_TRY(sizes_of(context, line.tensor));
  std::vector<Size> wide(sizes.size() + 1, Size(1));
  const auto axis = static_cast<size_t>(line.axis);
  wide[axis + 1] = repeats;
  ValueId tall = TENON_TRY(unsqueeze(context, line.tensor, {line.axis + 1}));
  ValueId repeated = TENON_TRY(expand(context, tall, wide));
  sizes[axis] = TENON_TRY(combine(context, Op::kMul, sizes[axis], repeats));
  return context.finish(reshape(context, repeated, std::move(sizes)));
}

// For each place of the result the index of the element that it repeats: how many of the running sums of
// `repeats` are at or below it.
Result<ValueId> repeated_indices(LowerContext& context, ValueId repeats) {
  ValueId counts = TENON_TRY(context.cast(repeats, DataType::kInt64));
  ValueId zero = context.builder().constant(Tensor::scalar(int64_t{0}));
  ValueId one = context.builder().constant(Tensor::scalar(int64_t{1}));
  ValueId sums = TENON_TRY(context.add(Op::kCumSum, {counts, zero}));
  ValueId total = TENON_TRY(context.add(Op::kReduceSum, {counts}, {{"keepdims", int64_t{0}}}));
  ValueId places = TENON_TRY(context.add(Op::kRange, {zero, total, one}));
  ValueId column = TENON_TRY(unsqueeze(context, places, {1}));
  ValueId below = TENON_TRY(context.add(Op::kLessOrEqual, {sums, column}));
  ValueId ones = TENON_TRY(context.cast(below, DataType::kInt64));
  return context.add(Op::kReduceSum, {ones, context.ints({1})}, {{"keepdims", int64_t{0}}});
}

Status repeat_interleave_self_tensor(LowerContext& context) {
  Line line = TENON_TRY(line_of(context));
  ValueId repeats = TENON_TRY(context.tensor("repeats"));
  const int64_t rank = TENON_TRY(context.rank(repeats));
  // One number, in a tensor, repeats every element as often.
  ValueId counts = TENON_TRY(reshape(context, repeats, {Size(-1)}));
  SymShape shape = TENON_TRY(context.known_shape(counts));
  if (rank == 0 || shape[0].is(1))
    counts = TENON_TRY(expand(context, counts, {TENON_TRY(size_of(context, line.tensor, line.axis))}));
  ValueId indices = TENON_TRY(repeated_indices(context, counts));
  return context.finish(Op::kGather, {line.tensor, indices}, {{"axis", line.axis}});
}

Status repeat_interleave_tensor(LowerContext& context) {
  return context.finish(repeated_indices(context, TENON_TRY(context.tensor("repeats"))));
}

Status broadcast_tensors(LowerContext& context) {
  std::vector<ValueId> tensors = TENON_TRY(context.tensors("tensors"));
  SymShape common;
  for (ValueId id : tensors) common = TENON_TRY(ops::broadcast(common, TENON_TRY(context.known_shape(id))));
  std::vector<Size> sizes;
  for (size_t i = 0; i < common.size(); ++i) {
    if (auto number = common[i].constant()) {
      sizes.emplace_back(*number);
      continue;
    }
    // Some tensor has the dimension as it is.
    for (ValueId id : tensors) {
      SymShape shape = TENON_TRY(context.known_shape(id));
      const size_t offset = common.size() - shape.size();
      if (i < offset || !(shape[i - offset] == common[i])) continue;
      sizes.push_back(TENON_TRY(size_of(context, id, static_cast<int64_t>(i - offset))));
      break;
    }
  }
  std::vector<ValueId> results;
  for (ValueId id : tensors) results.push_back(TENON_TRY(expand(context, id, sizes)));
  return context.finish(results);
}

Status meshgrid(LowerContext& context) {
  std::vector<ValueId> tensors = TENON_TRY(context.tensors("tensors"));
  const bool swapped = context.node().find_input("indexing") != nullptr &&
                       TENON_TRY(context.args().string("indexing")) == "xy";
  if (swapped && tensors.size() > 1) std::swap(tensors[0], tensors[1]);
  std::vector<Size> sizes;
  std::vector<ValueId> lines;
  for (ValueId id : tensors) {
    lines.push_back(TENON_TRY(reshape(context, id, {Size(-1)})));
    sizes.push_back(TENON_TRY(size_of(context, lines.back(), 0)));
  }
  std::vector<ValueId> results;
  for (size_t i = 0; i < lines.size(); ++i) {
    std::vector<int64_t> axes;
    for (size_t k = 0; k < lines.size(); ++k)
      if (k != i) axes.push_back(static_cast<int64_t>(k));
    results.push_back(TENON_TRY(expand(context, TENON_TRY(unsqueeze(context, lines[i], axes)), sizes)));
  }
  if (swapped && results.size() > 1) {
    for (ValueId& id : results) {
      std::vector<int64_t> order(results.size());
      for (size_t k = 0; k < order.size(); ++k) order[k] = static_cast<int64_t>(k);
      std::swap(order[0], order[1]);
      id = TENON_TRY(permute(context, id, std::move(order)));
    }
    std::swap(results[0], results[1]);
  }
  return context.finish(results);
}

constexpr Handler kHandlers[] = {
    {"aten.expand.default", lower_expand},
    {"aten.expand_copy.default", lower_expand},
    {"aten.broadcast_to.default", lower_expand},
    {"aten.copy.default", lower_copy},
    {"aten.expand_as.default", expand_as},
    {"aten.repeat.default", lower_repeat},
    {"aten.tile.default", lower_tile},
    {"aten.repeat_interleave.self_int", repeat_interleave_int},
    {"aten.repeat_interleave.self_Tensor", repeat_interleave_self_tensor},
    {"aten.repeat_interleave.Tensor", repeat_interleave_tensor},
    {"aten.broadcast_tensors.default", broadcast_tensors},
    {"aten.meshgrid.default", meshgrid},
    {"aten.meshgrid.indexing", meshgrid},
};

}  // namespace

std::span<const Handler> expand_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
