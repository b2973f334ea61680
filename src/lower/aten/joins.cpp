// Lowering of operators that join tensors and cut them into parts.
#include <algorithm>

#include "lower/aten/families.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

// Tensors of the result's element type, without the empty vectors that PyTorch's cat passes over.
Result<std::vector<ValueId>> parts_of(LowerContext& context, bool skip_empty) {
  const aten::TensorMeta& meta = *TENON_TRY(context.output_meta());
  std::vector<ValueId> parts;
  for (ValueId id : TENON_TRY(context.tensors("tensors"))) {
    const SymShape* shape = context.shape(id);
    if (skip_empty && shape != nullptr && shape->size() == 1 && (*shape)[0].is(0) && meta.sizes.size() != 1)
      continue;
    parts.push_back(TENON_TRY(context.cast(id, meta.type)));
  }
  return parts;
}

Status join(LowerContext& context, std::vector<ValueId> parts, int64_t axis) {
  if (parts.size() == 1) return context.finish(parts[0]);
  return context.finish(Op::kConcat, std::move(parts), {{"axis", axis}});
}

Status cat(LowerContext& context) {
  std::vector<ValueId> parts = TENON_TRY(parts_of(context, true));
  if (parts.empty()) return context.unsupported("nothing but empty tensors to join");
  return join(context, parts, TENON_TRY(axis_argument(context, "dim", TENON_TRY(context.rank(parts[0])))));
}

Status stack(LowerContext& context) {
  std::vector<ValueId> parts = TENON_TRY(parts_of(context, false));
  if (parts.empty()) return context.unsupported("nothing to stack");
  const int64_t rank = TENON_TRY(context.rank(parts[0])) + 1;
  const int64_t axis = TENON_TRY(axis_argument(context, "dim", rank));
  for (ValueId& id : parts) id = TENON_TRY(unsqueeze(context, id, {axis}));
  return join(context, std::move(parts), axis);
}

// Adds dimensions of 1 at these places, by rank, then joins.
Status stack_with(LowerContext& context, const std::vector<std::vector<int64_t>>& axes_by_rank,
                  int64_t axis) {
  std::vector<ValueId> parts = TENON_TRY(parts_of(context, false));
  for (ValueId& id : parts) {
    const auto rank = static_cast<size_t>(TENON_TRY(context.rank(id)));
    if (rank < axes_by_rank.size()) id = TENON_TRY(unsqueeze(context, id, axes_by_rank[rank]));
  }
  if (parts.empty()) return context.unsupported("nothing to stack");
  const int64_t rank = TENON_TRY(context.rank(parts[0]));
  return join(context, std::move(parts), std::min(axis, rank - 1));
}

Status hstack(LowerContext& context) {
  return stack_with(context, {{0}}, 1);
}
Status vstack(LowerContext& context) {
  return stack_with(context, {{0, 1}, {0}}, 0);
}
Status dstack(LowerContext& context) {
  return stack_with(context, {{0, 1, 2}, {0, 2}, {2}}, 2);
}
Status column_stack(LowerContext& context) {
  return stack_with(context, {{0, 1}, {1}}, 1);
}

size_t result_count(const LowerContext& context) {
  if (context.node().outputs.empty()) return 0;
  const auto* list = context.node().outputs[0].get<aten::TensorList>();
  return list != nullptr ? list->names.size() : context.node().outputs.size();
}

Status cut(LowerContext& context, ValueId self, int64_t axis, const std::vector<Size>& lengths) {
  if (lengths.empty()) return context.finish(std::vector<ValueId>{});
  if (lengths.size() == 1) return context.finish(self);
  return context.finish(TENON_TRY(context.add_multi(
      Op::kSplit, {self, TENON_TRY(size_vector(context, lengths))}, {{"axis", axis}}, lengths.size())));
}

// Parts of one length; the last takes what is left.
Status cut_evenly(LowerContext& context, ValueId self, int64_t axis, const Size& length) {
  const size_t count = result_count(context);
  std::vector<Size> lengths(count, length);
  if (count > 1) {
    Size whole = TENON_TRY(size_of(context, self, axis));
    Size taken = TENON_TRY(combine(context, Op::kMul, length, Size(static_cast<int64_t>(count) - 1)));
    lengths.back() = TENON_TRY(combine(context, Op::kSub, whole, taken));
  }
  return cut(context, self, axis, lengths);
}

Result<int64_t> dim_of(LowerContext& context, ValueId self) {
  return TENON_TRY(axis_argument(context, "dim", TENON_TRY(context.rank(self))));
}

Status split(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(dim_of(context, self));
  return cut_evenly(context, self, axis, TENON_TRY(size_argument(context, "split_size")));
}

Status split_sizes(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(dim_of(context, self));
  const bool plural = context.node().find_input("split_sizes") != nullptr;
  aten::SymIntList items = TENON_TRY(context.args().sym_items(plural ? "split_sizes" : "split_size"));
  return cut(context, self, axis, TENON_TRY(size_list(context, items)));
}

Status chunk(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(dim_of(context, self));
  const int64_t chunks = TENON_TRY(context.args().integer("chunks"));
  if (chunks <= 0) return context.unsupported("a split into no chunks");
  Size whole = TENON_TRY(size_of(context, self, axis));
  if (whole.is_number()) return cut_evenly(context, self, axis, Size((whole.number + chunks - 1) / chunks));
  Size raised = TENON_TRY(combine(context, Op::kAdd, whole, Size(chunks - 1)));
  return cut_evenly(context, self, axis, TENON_TRY(combine(context, Op::kDiv, raised, Size(chunks))));
}

// Sections whose lengths differ by one at most, the longer ones first.
Status cut_sections(LowerContext& context, ValueId self, int64_t axis, int64_t sections) {
  Size whole = TENON_TRY(size_of(context, self, axis));
  if (sections <= 0 || !whole.is_number())
    return context.unsupported("sections of a dimension that is not known at export");
  std::vector<Size> lengths;
  for (int64_t i = 0; i < sections; ++i)
    lengths.emplace_back(whole.number / sections + (i < whole.number % sections ? 1 : 0));
  return cut(context, self, axis, lengths);
}

// A part for each pair of neighbouring indices, as slices do it.
Status cut_at(LowerContext& context, ValueId self, int64_t axis, const std::vector<Size>& indices) {
  std::vector<ValueId> parts;
  Size start = 0;
  for (const Size& index : indices) {
    parts.push_back(TENON_TRY(slice(context, self, axis, start, index)));
    start = index;
  }
  parts.push_back(TENON_TRY(slice(context, self, axis, start, Size(kToEnd))));
  return context.finish(parts);
}

Status tensor_split_sections(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(dim_of(context, self));
  return cut_sections(context, self, axis, TENON_TRY(context.args().integer("sections")));
}

Status tensor_split_indices(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(dim_of(context, self));
  aten::SymIntList items = TENON_TRY(context.args().sym_items("indices"));
  return cut_at(context, self, axis, TENON_TRY(size_list(context, items)));
}

template <int64_t kAxis>
Status split_axis(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  // A vector is split along its only dimension.
  const int64_t axis = std::min(kAxis, TENON_TRY(context.rank(self)) - 1);
  if (context.node().find_input("sections") != nullptr)
    return cut_sections(context, self, axis, TENON_TRY(context.args().integer("sections")));
  aten::SymIntList items = TENON_TRY(context.args().sym_items("indices"));
  return cut_at(context, self, axis, TENON_TRY(size_list(context, items)));
}

Status unbind(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(dim_of(context, self));
  std::vector<ValueId> results;
  for (size_t i = 0; i < result_count(context); ++i) {
    ValueId index = context.builder().constant(Tensor::scalar(static_cast<int64_t>(i)));
    results.push_back(TENON_TRY(context.add(Op::kGather, {self, index}, {{"axis", axis}})));
  }
  return context.finish(results);
}

constexpr Handler kHandlers[] = {
    {"aten.cat.default", cat},
    {"aten.concat.default", cat},
    {"aten.concatenate.default", cat},
    {"aten.stack.default", stack},
    {"aten.hstack.default", hstack},
    {"aten.vstack.default", vstack},
    {"aten.row_stack.default", vstack},
    {"aten.dstack.default", dstack},
    {"aten.column_stack.default", column_stack},
    {"aten.split.Tensor", split},
    {"aten.split_copy.Tensor", split},
    {"aten.unsafe_split.Tensor", split},
    {"aten.split.sizes", split_sizes},
    {"aten.split_with_sizes.default", split_sizes},
    {"aten.split_with_sizes_copy.default", split_sizes},
    {"aten.unsafe_split_with_sizes.default", split_sizes},
    {"aten.chunk.default", chunk},
    {"aten.unsafe_chunk.default", chunk},
    {"aten.tensor_split.sections", tensor_split_sections},
    {"aten.tensor_split.indices", tensor_split_indices},
    {"aten.hsplit.int", split_axis<1>},
    {"aten.hsplit.array", split_axis<1>},
    {"aten.vsplit.int", split_axis<0>},
    {"aten.vsplit.array", split_axis<0>},
    {"aten.dsplit.int", split_axis<2>},
    {"aten.dsplit.array", split_axis<2>},
    {"aten.unbind.int", unbind},
    {"aten.unbind_copy.int", unbind},
};

}  // namespace

std::span<const Handler> join_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
