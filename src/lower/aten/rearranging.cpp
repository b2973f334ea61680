// Lowering of operators that rearrange elements: roll, flip, rot90, triangles and diagonals.
#include <algorithm>
#include <limits>

#include "lower/aten/families.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

// Elements that leave at the end of the axis come back at its start.
Result<ValueId> roll_axis(LowerContext& context, ValueId self, int64_t axis, int64_t shift) {
  Size whole = TENON_TRY(size_of(context, self, axis));
  if (whole.is_number() && whole.number == 0) return self;
  if (whole.is_number()) shift = ((shift % whole.number) + whole.number) % whole.number;
  if (shift == 0) return self;
  ValueId head = TENON_TRY(slice(context, self, axis, Size(-shift), Size(kToEnd)));
  ValueId tail = TENON_TRY(slice(context, self, axis, Size(0), Size(-shift)));
  return context.add(Op::kConcat, {head, tail}, {{"axis", axis}});
}

Status roll(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  std::vector<int64_t> shifts = TENON_TRY(context.args().integers("shifts"));
  std::vector<int64_t> dims = TENON_TRY(context.args().integers("dims"));
  const int64_t rank = TENON_TRY(context.rank(self));
  if (dims.empty()) {
    if (shifts.size() != 1) return context.unsupported("several shifts without dims");
    ValueId flat = TENON_TRY(reshape(context, self, {Size(-1)}));
    ValueId rolled = TENON_TRY(roll_axis(context, flat, 0, shifts[0]));
    return context.finish(reshape(context, rolled, TENON_TRY(sizes_of(context, self))));
  }
  if (shifts.size() != dims.size()) return context.unsupported("shifts and dims differ in length");
  for (size_t i = 0; i < dims.size(); ++i)
    self = TENON_TRY(roll_axis(context, self, TENON_TRY(ops::normalize_axis(dims[i], rank)), shifts[i]));
  return context.finish(self);
}

Result<ValueId> flip_axes(LowerContext& context, ValueId self, const std::vector<int64_t>& axes) {
  if (axes.empty()) return self;
  const std::vector<int64_t> last(axes.size(), -1);
  const std::vector<int64_t> before_first(axes.size(), std::numeric_limits<int64_t>::min());
  return context.add(Op::kSlice, {self, context.ints(last), context.ints(before_first), context.ints(axes),
                                  context.ints(std::vector<int64_t>(axes.size(), -1))});
}

Status flip(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  if (rank == 0) return context.finish(self);
  std::vector<int64_t> axes = TENON_TRY(context.args().integers("dims"));
  for (int64_t& axis : axes) axis = TENON_TRY(ops::normalize_axis(axis, rank));
  return context.finish(flip_axes(context, self, axes));
}

Status fliplr(LowerContext& context) {
  return context.finish(flip_axes(context, TENON_TRY(context.tensor("self")), {1}));
}
Status flipud(LowerContext& context) {
  return context.finish(flip_axes(context, TENON_TRY(context.tensor("self")), {0}));
}

Status rot90(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  std::vector<int64_t> dims = TENON_TRY(context.args().integers("dims"));
  if (dims.size() != 2) return context.unsupported("a rotation in other than two dims");
  for (int64_t& dim : dims) dim = TENON_TRY(ops::normalize_axis(dim, rank));
  const int64_t turns = TENON_TRY(context.args().integer("k"));
  std::vector<int64_t> order(static_cast<size_t>(rank));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  std::swap(order[static_cast<size_t>(dims[0])], order[static_cast<size_t>(dims[1])]);
  switch (((turns % 4) + 4) % 4) {
    case 1:
      return context.finish(
          permute(context, TENON_TRY(flip_axes(context, self, {dims[1]})), std::move(order)));
    case 2:
      return context.finish(flip_axes(context, self, dims));
    case 3:
      return context.finish(
          permute(context, TENON_TRY(flip_axes(context, self, {dims[0]})), std::move(order)));
    default:
      return context.finish(self);
  }
}

Status triangle(LowerContext& context, bool upper) {
  ValueId self = TENON_TRY(context.tensor("self"));
  std::vector<ValueId> inputs = {self};
  Size diagonal = TENON_TRY(size_argument(context, "diagonal"));
  if (!diagonal.is_number() || diagonal.number != 0)
    inputs.push_back(TENON_TRY(size_scalar(context, diagonal)));
  return context.finish(Op::kTrilu, std::move(inputs), {{"upper", int64_t{upper}}});
}

Status tril(LowerContext& context) {
  return triangle(context, false);
}
Status triu(LowerContext& context) {
  return triangle(context, true);
}

// The elements on a diagonal of two dimensions, which becomes the last one.
Result<ValueId> diagonal_of(LowerContext& context, ValueId self, int64_t offset, int64_t dim1, int64_t dim2) {
  const int64_t rank = TENON_TRY(context.rank(self));
  dim1 = TENON_TRY(ops::normalize_axis(dim1, rank));
  dim2 = TENON_TRY(ops::normalize_axis(dim2, rank));
  if (dim1 == dim2) return context.unsupported("a diagonal of one dimension");
  std::vector<int64_t> order;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (axis != dim1 && axis != dim2) order.push_back(axis);
  order.insert(order.end(), {dim1, dim2});
  ValueId last = TENON_TRY(permute(context, self, order));
  std::vector<Size> sizes = TENON_TRY(sizes_of(context, last));
  const Size rows = sizes[sizes.size() - 2], columns = sizes.back();
  if (!rows.is_number() || !columns.is_number())
    return context.unsupported("a diagonal of dimensions that are not known at export");
  std::vector<int64_t> places;
  for (int64_t row = std::max<int64_t>(0, -offset); row < rows.number && row + offset < columns.number; ++row)
    if (row + offset >= 0) places.push_back(row * columns.number + row + offset);
  sizes.erase(sizes.end() - 2, sizes.end());
  sizes.emplace_back(rows.number * columns.number);
  ValueId flat = TENON_TRY(reshape(context, last, sizes));
  return context.add(Op::kGather, {flat, context.ints(places)}, {{"axis", rank - 2}});
}

Status diagonal(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  return context.finish(diagonal_of(context, self, TENON_TRY(context.args().integer("offset")),
                                    TENON_TRY(context.args().integer("dim1")),
                                    TENON_TRY(context.args().integer("dim2"))));
}

// Matrices that have the last dimension's elements on a diagonal and zeros elsewhere.
Result<ValueId> embed_diagonal(LowerContext& context, ValueId self, int64_t offset) {
  const int64_t rank = TENON_TRY(context.rank(self));
  Size length = TENON_TRY(size_of(context, self, rank - 1));
  if (!length.is_number()) return context.unsupported("a diagonal whose length is not known at export");
  const int64_t side = length.number + std::abs(offset);
  // Row r holds element r - max(-offset, 0), at column r + offset.
  std::vector<int64_t> picks;
  Tensor on = Tensor::allocate(DataType::kBool, {side, side});
  std::fill_n(on.mutable_raw(), on.bytes(), std::byte{0});
  for (int64_t row = 0; row < side; ++row) {
    const int64_t element = row - std::max<int64_t>(-offset, 0);
    picks.push_back(std::clamp<int64_t>(element, 0, std::max<int64_t>(length.number - 1, 0)));
    if (element >= 0 && element < length.number) on.mutable_data<uint8_t>()[row * side + row + offset] = 1;
  }
  if (length.number == 0) return context.unsupported("an empty diagonal");
  ValueId rows = TENON_TRY(context.add(Op::kGather, {self, context.ints(picks)}, {{"axis", rank - 1}}));
  ValueId column = TENON_TRY(unsqueeze(context, rows, {rank}));
  ValueId zero = context.number(context.element(self), 0);
  return context.add(Op::kWhere, {context.builder().constant(std::move(on)), column, zero});
}

Status diag_embed(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self)) + 1;
  const int64_t dim1 = TENON_TRY(axis_argument(context, "dim1", rank));
  const int64_t dim2 = TENON_TRY(axis_argument(context, "dim2", rank));
  ValueId matrices = TENON_TRY(embed_diagonal(context, self, TENON_TRY(context.args().integer("offset"))));
  // Rows go to dim1 and columns to dim2; the others keep their order.
  std::vector<int64_t> order(static_cast<size_t>(rank), -1);
  order[static_cast<size_t>(dim1)] = rank - 2;
  order[static_cast<size_t>(dim2)] = rank - 1;
  int64_t next = 0;
  for (int64_t& axis : order)
    if (axis < 0) axis = next++;
  return context.finish(permute(context, matrices, std::move(order)));
}

Status diag(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t offset = TENON_TRY(context.args().integer("diagonal"));
  if (TENON_TRY(context.rank(self)) == 1) return context.finish(embed_diagonal(context, self, offset));
  return context.finish(diagonal_of(context, self, offset, 0, 1));
}

constexpr Handler kHandlers[] = {
    {"aten.roll.default", roll},
    {"aten.flip.default", flip},
    {"aten.fliplr.default", fliplr},
    {"aten.flipud.default", flipud},
    {"aten.rot90.default", rot90},
    {"aten.tril.default", tril},
    {"aten.triu.default", triu},
    {"aten.diagonal.default", diagonal},
    {"aten.diagonal_copy.default", diagonal},
    {"aten.diag_embed.default", diag_embed},
    {"aten.diag.default", diag},
};

}  // namespace

std::span<const Handler> rearranging_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
