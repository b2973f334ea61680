// Lowering of operators that give a tensor another shape with the same elements in the same order.
#include <algorithm>
#include <numeric>

#include "lower/aten/families.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

Status pass_through(LowerContext& context) {
  return context.finish(context.tensor("self"));
}

Status view(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const bool reshape_op = context.node().find_input("shape") != nullptr;
  aten::SymIntList items = TENON_TRY(context.args().sym_items(reshape_op ? "shape" : "size"));
  return context.finish(reshape(context, self, TENON_TRY(size_list(context, items))));
}

Status view_as(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  ValueId other = TENON_TRY(context.tensor("other"));
  return context.finish(reshape(context, self, TENON_TRY(sizes_of(context, other))));
}

Status flatten(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  const int64_t start = TENON_TRY(axis_argument(context, "start_dim", rank));
  const int64_t end = TENON_TRY(axis_argument(context, "end_dim", rank));
  if (rank > 0 && start == end) return context.finish(self);
  if (start == 1 && end == rank - 1) return context.finish(Op::kFlatten, {self}, {{"axis", int64_t{1}}});
  std::vector<Size> sizes;
  for (int64_t axis = 0; axis < start; ++axis) sizes.push_back(TENON_TRY(size_of(context, self, axis)));
  sizes.emplace_back(-1);
  for (int64_t axis = end + 1; axis < rank; ++axis) sizes.push_back(TENON_TRY(size_of(context, self, axis)));
  return context.finish(reshape(context, self, std::move(sizes)));
}

Status ravel(LowerContext& context) {
  return context.finish(reshape(context, TENON_TRY(context.tensor("self")), {Size(-1)}));
}

Status unflatten(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  const int64_t dim = TENON_TRY(axis_argument(context, "dim", rank));
  std::vector<Size> parts = TENON_TRY(size_list(context, TENON_TRY(context.args().sym_items("sizes"))));
  std::vector<Size> sizes;
  for (int64_t axis = 0; axis < dim; ++axis) sizes.push_back(TENON_TRY(size_of(context, self, axis)));
  sizes.insert(sizes.end(), parts.begin(), parts.end());
  for (int64_t axis = dim + 1; axis < rank; ++axis) sizes.push_back(TENON_TRY(size_of(context, self, axis)));
  return context.finish(reshape(context, self, std::move(sizes)));
}

// PyTorch squeezes only the dimensions that are 1, and lets the others be.
Status squeeze_axes(LowerContext& context, ValueId self, const std::vector<int64_t>& axes) {
  SymShape shape = TENON_TRY(context.known_shape(self));
  std::vector<int64_t> ones;
  for (int64_t axis : axes)
    if (shape[static_cast<size_t>(axis)].is(1)) ones.push_back(axis);
  return context.finish(squeeze(context, self, std::move(ones)));
}

Status squeeze_all(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  std::vector<int64_t> axes(static_cast<size_t>(TENON_TRY(context.rank(self))));
  std::iota(axes.begin(), axes.end(), 0);
  return squeeze_axes(context, self, axes);
}

Status squeeze_dims(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  if (rank == 0) return context.finish(self);
  std::vector<int64_t> axes;
  aten::Argument dim = TENON_TRY(context.args().argument("dim"));
  std::vector<int64_t> given = dim.get<int64_t>() != nullptr ? std::vector<int64_t>{*dim.get<int64_t>()}
                                                             : TENON_TRY(context.args().integers("dim"));
  for (int64_t axis : given) axes.push_back(TENON_TRY(ops::normalize_axis(axis, rank)));
  return squeeze_axes(context, self, axes);
}

Status unsqueeze_dim(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  const int64_t dim = TENON_TRY(axis_argument(context, "dim", rank + 1));
  return context.finish(unsqueeze(context, self, {dim}));
}

Status atleast(LowerContext& context, int64_t least) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  if (rank >= least) return context.finish(self);
  // A vector becomes the middle of a 3-dimensional tensor, a matrix its front.
  std::vector<int64_t> axes;
  if (least == 3 && rank == 1)
    axes = {0, 2};
  else if (least == 3 && rank == 2)
    axes = {2};
  else
    for (int64_t axis = 0; axis < least - rank; ++axis) axes.push_back(axis);
  return context.finish(unsqueeze(context, self, std::move(axes)));
}

Status atleast_1d(LowerContext& context) {
  return atleast(context, 1);
}
Status atleast_2d(LowerContext& context) {
  return atleast(context, 2);
}
Status atleast_3d(LowerContext& context) {
  return atleast(context, 3);
}

Status permute_dims(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  std::vector<int64_t> dims = TENON_TRY(context.args().integers("dims"));
  for (int64_t& dim : dims) dim = TENON_TRY(ops::normalize_axis(dim, rank));
  return context.finish(permute(context, self, std::move(dims)));
}

Status swap(LowerContext& context, std::string_view first, std::string_view second) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  const int64_t a = TENON_TRY(axis_argument(context, first, rank));
  const int64_t b = TENON_TRY(axis_argument(context, second, rank));
  std::vector<int64_t> dims(static_cast<size_t>(rank));
  std::iota(dims.begin(), dims.end(), 0);
  if (rank > 0) std::swap(dims[static_cast<size_t>(a)], dims[static_cast<size_t>(b)]);
  return context.finish(permute(context, self, std::move(dims)));
}

Status transpose(LowerContext& context) {
  return swap(context, "dim0", "dim1");
}
Status swapaxes(LowerContext& context) {
  return swap(context, "axis0", "axis1");
}

// Swaps the last two dimensions (mT, mH, adjoint of real numbers); t does so for at most two.
Status transpose_last(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  if (rank < 2) return context.finish(self);
  std::vector<int64_t> dims(static_cast<size_t>(rank));
  std::iota(dims.begin(), dims.end(), 0);
  std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
  return context.finish(permute(context, self, std::move(dims)));
}

Status reverse_dims(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  std::vector<int64_t> dims(static_cast<size_t>(TENON_TRY(context.rank(self))));
  std::iota(dims.rbegin(), dims.rend(), 0);
  return context.finish(permute(context, self, std::move(dims)));
}

Status movedim(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  auto axes = [&](std::string_view name) -> Result<std::vector<int64_t>> {
    aten::Argument argument = TENON_TRY(context.args().argument(name));
    std::vector<int64_t> list = argument.get<int64_t>() != nullptr
                                    ? std::vector<int64_t>{*argument.get<int64_t>()}
                                    : TENON_TRY(context.args().integers(name));
    for (int64_t& axis : list) axis = TENON_TRY(ops::normalize_axis(axis, rank));
    return list;
  };
  std::vector<int64_t> source = TENON_TRY(axes("source")), destination = TENON_TRY(axes("destination"));
  if (source.size() != destination.size())
    return context.unsupported("source and destination differ in length");
  std::vector<int64_t> dims(static_cast<size_t>(rank), -1);
  for (size_t i = 0; i < source.size(); ++i) dims[static_cast<size_t>(destination[i])] = source[i];
  int64_t next = 0;
  for (int64_t& dim : dims) {
    if (dim >= 0) continue;
    while (std::find(source.begin(), source.end(), next) != source.end()) ++next;
    dim = next++;
  }
  return context.finish(permute(context, self, std::move(dims)));
}

constexpr Handler kHandlers[] = {
    {"aten.view.default", view},
    {"aten._unsafe_view.default", view},
    {"aten.reshape.default", view},
    {"aten._reshape_alias.default", view},
    {"aten.view_copy.default", view},
    {"aten.view_as.default", view_as},
    {"aten.reshape_as.default", view_as},
    {"aten.flatten.using_ints", flatten},
    {"aten.ravel.default", ravel},
    {"aten.unflatten.int", unflatten},
    {"aten.squeeze.default", squeeze_all},
    {"aten.squeeze.dim", squeeze_dims},
    {"aten.squeeze.dims", squeeze_dims},
    {"aten.squeeze_copy.default", squeeze_all},
    {"aten.squeeze_copy.dim", squeeze_dims},
    {"aten.squeeze_copy.dims", squeeze_dims},
    {"aten.unsqueeze.default", unsqueeze_dim},
    {"aten.unsqueeze_copy.default", unsqueeze_dim},
    {"aten.atleast_1d.default", atleast_1d},
    {"aten.atleast_2d.default", atleast_2d},
    {"aten.atleast_3d.default", atleast_3d},
    {"aten.permute.default", permute_dims},
    {"aten.permute_copy.default", permute_dims},
    {"aten.transpose.int", transpose},
    {"aten.transpose_copy.int", transpose},
    {"aten.swapdims.default", transpose},
    {"aten.swapaxes.default", swapaxes},
    {"aten.t.default", transpose_last},
    {"aten.t_copy.default", transpose_last},
    {"aten.mT.default", transpose_last},
    {"aten.matrix_H.default", transpose_last},
    {"aten.mH.default", transpose_last},
    {"aten.adjoint.default", transpose_last},
    {"aten.numpy_T.default", reverse_dims},
    {"aten.movedim.int", movedim},
    {"aten.movedim.intlist", movedim},
    {"aten.moveaxis.int", movedim},
    {"aten.moveaxis.intlist", movedim},
    {"aten.contiguous.default", pass_through},
    {"aten.clone.default", pass_through},
    {"aten.detach.default", pass_through},
    {"aten.alias.default", pass_through},
    {"aten.alias_copy.default", pass_through},
    {"aten.lift.default", pass_through},
    {"aten.lift_fresh.default", pass_through},
    {"aten.lift_fresh_copy.default", pass_through},
    {"aten.positive.default", pass_through},
    {"aten.resolve_conj.default", pass_through},
    {"aten.resolve_neg.default", pass_through},
    {"aten.requires_grad_.default", pass_through},
};

}  // namespace

std::span<const Handler> view_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
