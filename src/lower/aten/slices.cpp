// Lowering of operators that pick parts of a tensor along an axis.
#include <algorithm>
#include <numeric>

#include "lower/aten/families.h"
#include "lower/aten/sizes.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// The bound `name`, or `fallback` for None.
Result<Size> bound(LowerContext& context, std::string_view name, int64_t fallback) {
  if (!context.args().has(name)) return Size(fallback);
  return size_argument(context, name);
}

struct Axis {
  ValueId self;
  int64_t rank, axis;
};
Result<Axis> axis_of(LowerContext& context, std::string_view name = "dim") {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  return Axis{self, rank, TENON_TRY(axis_argument(context, name, rank))};
}

Status slice_tensor(LowerContext& context) {
  Axis at = TENON_TRY(axis_of(context));
  Size start = TENON_TRY(bound(context, "start", 0)), end = TENON_TRY(bound(context, "end", kToEnd));
  const int64_t step = TENON_TRY(context.args().integer("step"));
  return context.finish(slice(context, at.self, at.axis, start, end, step));
}

Status select_int(LowerContext& context) {
  Axis at = TENON_TRY(axis_of(context));
  return context.finish(Op::kGather, {at.self, TENON_TRY(context.int_scalar("index"))}, {{"axis", at.axis}});
}

Status narrow(LowerContext& context) {
  Axis at = TENON_TRY(axis_of(context));
  Size start = TENON_TRY(size_argument(context, "start")),
       length = TENON_TRY(size_argument(context, "length"));
  Size end = TENON_TRY(combine(context, Op::kAdd, start, length));
  // A start that counts from the end may reach it exactly.
  if (start.is_number() && start.number < 0 && end.is_number() && end.number >= 0) end = Size(kToEnd);
  return context.finish(slice(context, at.self, at.axis, start, end));
}

// Gather takes scalars as a vector of one, and picks from scalars as from a vector.
Status index_select(LowerContext& context) {
  Axis at = TENON_TRY(axis_of(context));
  ValueId index = TENON_TRY(context.tensor("index"));
  if (at.rank == 0) return context.finish(at.self);
  if (TENON_TRY(context.rank(index)) == 0) index = TENON_TRY(unsqueeze(context, index, {0}));
  return context.finish(Op::kGather, {at.self, index}, {{"axis", at.axis}});
}

Status gather(LowerContext& context) {
  Axis at = TENON_TRY(axis_of(context));
  ValueId index = TENON_TRY(context.tensor("index"));
  const int64_t index_rank = TENON_TRY(context.rank(index));
  if (at.rank == 0 && index_rank == 0) return context.finish(at.self);
  ValueId data = at.rank == 0 ? TENON_TRY(unsqueeze(context, at.self, {0})) : at.self;
  ValueId picks = index_rank == 0 ? TENON_TRY(unsqueeze(context, index, {0})) : index;
  ValueId picked = TENON_TRY(context.add(Op::kGatherElements, {data, picks}, {{"axis", at.axis}}));
  return context.finish(index_rank == 0 ? squeeze(context, picked, {0}) : Result<ValueId>(picked));
}

Status take(LowerContext& context) {
  ValueId flat = TENON_TRY(reshape(context, TENON_TRY(context.tensor("self")), {Size(-1)}));
  return context.finish(Op::kGather, {flat, TENON_TRY(context.tensor("index"))}, {{"axis", int64_t{0}}});
}

// Both tensors broadcast against each other, but for the axis itself.
Status take_along_dim(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  ValueId index = TENON_TRY(context.tensor("indices"));
  auto dim = TENON_TRY(context.args().optional_integer("dim"));
  if (!dim) {
    self = TENON_TRY(reshape(context, self, {Size(-1)}));
    index = TENON_TRY(reshape(context, index, {Size(-1)}));
  }
  const int64_t rank = TENON_TRY(context.rank(self));
  const int64_t axis = TENON_TRY(ops::normalize_axis(dim.value_or(0), rank));
  SymShape a = TENON_TRY(context.known_shape(self)), b = TENON_TRY(context.known_shape(index));
  if (a.size() != b.size()) return context.unsupported("the tensor and its indices differ in rank");
  std::vector<Size> self_sizes(a.size(), Size(1)), index_sizes(a.size(), Size(1));
  bool same = true;
  for (size_t i = 0; i < a.size(); ++i) {
    if (static_cast<int64_t>(i) == axis || a[i] == b[i]) continue;
    same = false;
    if (a[i].is(1))
      self_sizes[i] = TENON_TRY(size_of(context, index, static_cast<int64_t>(i)));
    else
      index_sizes[i] = TENON_TRY(size_of(context, self, static_cast<int64_t>(i)));
  }
  if (!same) {
    self = TENON_TRY(expand(context, self, self_sizes));
    index = TENON_TRY(expand(context, index, index_sizes));
  }
  return context.finish(Op::kGatherElements, {self, index}, {{"axis", axis}});
}

// Windows along an axis: their elements become a new last dimension.
Status unfold(LowerContext& context) {
  Axis at = TENON_TRY(axis_of(context, "dimension"));
  const int64_t size = TENON_TRY(context.args().integer("size")),
                step = TENON_TRY(context.args().integer("step"));
  if (size < 0 || step <= 0) return context.unsupported("windows of negative size or step");
  ValueId self = at.rank == 0 ? TENON_TRY(unsqueeze(context, at.self, {0})) : at.self;
  Size whole = TENON_TRY(size_of(context, self, at.axis));
  ValueId indices;
  if (whole.is_number()) {
    const int64_t count = std::max<int64_t>(0, (whole.number - size) / step + 1);
    std::vector<int64_t> places;
    for (int64_t i = 0; i < count; ++i)
      for (int64_t k = 0; k < size; ++k) places.push_back(i * step + k);
    indices = context.builder().constant(Tensor::from<int64_t>(DataType::kInt64, {count, size}, places));
  } else {
    Size limit = TENON_TRY(combine(context, Op::kSub, whole, Size(size - 1)));
    ValueId starts = TENON_TRY(context.add(
        Op::kRange, {TENON_TRY(size_scalar(context, Size(0))), TENON_TRY(size_scalar(context, limit)),
                     TENON_TRY(size_scalar(context, Size(step)))}));
    std::vector<int64_t> offsets(static_cast<size_t>(size));
    std::iota(offsets.begin(), offsets.end(), 0);
    ValueId column = TENON_TRY(unsqueeze(context, starts, {1}));
    indices = TENON_TRY(context.add(Op::kAdd, {column, context.ints(offsets)}));
  }
  ValueId windows = TENON_TRY(context.add(Op::kGather, {self, indices}, {{"axis", at.axis}}));
  const int64_t last = TENON_TRY(context.rank(windows)) - 1;
  if (at.rank == 0) return context.finish(squeeze(context, windows, {0}));
  return context.finish(move_axis(context, windows, at.axis + 1, last));
}

// A window onto the tensor's memory, as PyTorch laid it out: each element of the result is looked up among
// the tensor's own.
Status as_strided(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const aten::TensorMeta& meta = *TENON_TRY(context.args().meta(TENON_TRY(context.args().tensor("self"))));
  auto shape = static_shape(context, self);
  auto self_strides = constant_shape(meta.strides);
  auto size = constant_shape(TENON_TRY(context.args().sym_integers("size")));
  auto stride = constant_shape(TENON_TRY(context.args().sym_integers("stride")));
  auto offset = TENON_TRY(context.args().optional_sym_integer("storage_offset"));
  if (!shape || !size || !stride || !self_strides || self_strides->size() != shape->size() ||
      size->size() != stride->size() || (offset && !offset->is_constant()) ||
      !meta.storage_offset.is_constant())
    return context.unsupported("sizes or strides that are not known at export");
  const int64_t count = TENON_TRY(element_count(*size)), own = TENON_TRY(element_count(*shape));
  if (count > (int64_t{1} << 26) || own > (int64_t{1} << 26))
    return context.unsupported("a window of this size");
  auto place = [](int64_t i, const Shape& dims, const std::vector<int64_t>& strides) {
    int64_t result = 0;
    for (size_t k = dims.size(); k-- > 0; i /= dims[k]) result += i % dims[k] * strides[k];
    return result;
  };
  // Where each place of the storage lies in the tensor's row-major order.
  std::vector<std::pair<int64_t, int64_t>> places;
  for (int64_t i = 0; i < own; ++i)
    places.emplace_back(*meta.storage_offset.constant() + place(i, *shape, *self_strides), i);
  std::sort(places.begin(), places.end());
  std::vector<int64_t> picks;
  const int64_t start = offset ? *offset->constant() : *meta.storage_offset.constant();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t wanted = start + place(i, *size, *stride);
    auto found = std::lower_bound(places.begin(), places.end(), std::pair<int64_t, int64_t>(wanted, 0));
    if (found == places.end() || found->first != wanted)
      return context.unsupported("a window onto memory beyond the tensor");
    picks.push_back(found->second);
  }
  ValueId flat = TENON_TRY(reshape(context, self, {Size(-1)}));
  ValueId indices = context.builder().constant(Tensor::from<int64_t>(DataType::kInt64, *size, picks));
  return context.finish(Op::kGather, {flat, indices}, {{"axis", int64_t{0}}});
}

// The tensor with `src` in place of its elements [start, end) along the axis.
Result<ValueId> put_between(LowerContext& context, const Axis& at, ValueId src, const Size& start,
                            const Size& end) {
  std::vector<ValueId> parts;
  if (!(start.is_number() && start.number == 0))
    parts.push_back(TENON_TRY(slice(context, at.self, at.axis, Size(0), start)));
  parts.push_back(src);
  if (!(end.is_number() && end.number == kToEnd))
    parts.push_back(TENON_TRY(slice(context, at.self, at.axis, end, Size(kToEnd))));
  if (parts.size() == 1) return src;
  return context.add(Op::kConcat, std::move(parts), {{"axis", at.axis}});
}

// A bound as slicing reads it: counted from the front and clamped, where the dimension is known.
void resolve(Size& bound, const Size& whole) {
  if (!bound.is_number() || !whole.is_number()) return;
  if (bound.number < 0) bound.number += whole.number;
  bound.number = std::clamp<int64_t>(bound.number, 0, whole.number);
}

Status slice_scatter(LowerContext& context) {
  Axis at = TENON_TRY(axis_of(context));
  ValueId src = TENON_TRY(context.cast(TENON_TRY(context.tensor("src")), context.element(at.self)));
  Size start = TENON_TRY(bound(context, "start", 0)), end = TENON_TRY(bound(context, "end", kToEnd));
  const int64_t step = TENON_TRY(context.args().integer("step"));
  Size whole = TENON_TRY(size_of(context, at.self, at.axis));
  resolve(start, whole);
  resolve(end, whole);
  if (whole.is_number() && end.is_number() && start.is_number() && end.number <= start.number)
    return context.finish(at.self);
  if (step == 1) {
    if (whole.is_number() && end.is_number() && end.number == whole.number) end = Size(kToEnd);
    return context.finish(put_between(context, at, src, start, end));
  }
  if (!whole.is_number() || !start.is_number() || !end.is_number())
    return context.unsupported("steps through a dimension that is not known at export");
  std::vector<int64_t> rows;
  for (int64_t i = start.number; i < end.number; i += step) rows.push_back(i);
  auto count = static_cast<int64_t>(rows.size());
  ValueId indices = context.builder().constant(Tensor::from<int64_t>(DataType::kInt64, {count, 1}, rows));
  ValueId front = TENON_TRY(move_axis(context, at.self, at.axis, 0));
  ValueId updates = TENON_TRY(move_axis(context, src, at.axis, 0));
  ValueId written = TENON_TRY(context.add(Op::kScatterND, {front, indices, updates}));
  return context.finish(move_axis(context, written, 0, at.axis));
}

Status select_scatter(LowerContext& context) {
  Axis at = TENON_TRY(axis_of(context));
  ValueId src = TENON_TRY(context.cast(TENON_TRY(context.tensor("src")), context.element(at.self)));
  Size start = TENON_TRY(size_argument(context, "index"));
  Size whole = TENON_TRY(size_of(context, at.self, at.axis));
  resolve(start, whole);
  Size end = TENON_TRY(combine(context, Op::kAdd, start, Size(1)));
  if (start.is_number() && (start.number == -1 || (whole.is_number() && end.number == whole.number)))
    end = Size(kToEnd);
  return context.finish(put_between(context, at, TENON_TRY(unsqueeze(context, src, {at.axis})), start, end));
}

constexpr Handler kHandlers[] = {
    {"aten.slice.Tensor", slice_tensor},
    {"aten.slice_copy.Tensor", slice_tensor},
    {"aten.select.int", select_int},
    {"aten.select_copy.int", select_int},
    {"aten.narrow.default", narrow},
    {"aten.narrow_copy.default", narrow},
    {"aten.index_select.default", index_select},
    {"aten.gather.default", gather},
    {"aten.take.default", take},
    {"aten.take_along_dim.default", take_along_dim},
    {"aten.unfold.default", unfold},
    {"aten.unfold_copy.default", unfold},
    {"aten.as_strided.default", as_strided},
    {"aten.as_strided_copy.default", as_strided},
    {"aten.slice_scatter.default", slice_scatter},
    {"aten.select_scatter.default", select_scatter},
};

}  // namespace

std::span<const Handler> slice_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
