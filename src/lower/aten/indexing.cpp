// Lowering of indexing with tensors: reading (index), writing (index_put), and masks.
#include <algorithm>

#include "lower/aten/families.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

// Indices into some dimensions of a tensor: integers only, masks resolved.
struct Index {
  std::vector<int64_t> axes;       // the indexed dimensions, ascending
  std::vector<ValueId> positions;  // one int64 tensor for each, not yet broadcast
  bool adjacent = true;            // no dimension lies between the indexed ones
};

bool is_mask(DataType type) {
  return type == DataType::kBool || type == DataType::kUInt8;
}

Result<Index> read_indices(LowerContext& context, const std::vector<ValueId>& indices) {
  Index result;
  int64_t axis = 0;
  for (ValueId id : indices) {
    if (id == kNoValue) {
      ++axis;
      continue;
    }
    if (!is_mask(context.element(id))) {
      result.axes.push_back(axis++);
      result.positions.push_back(TENON_TRY(context.cast(id, DataType::kInt64)));
      continue;
    }
    // A mask stands for the coordinates of its true elements, one index for each of its dimensions.
    const int64_t rank = TENON_TRY(context.rank(id));
    if (rank == 0) return context.unsupported("a mask without dimensions");
    ValueId places = TENON_TRY(context.add(Op::kNonZero, {id}));
    for (int64_t k = 0; k < rank; ++k) {
      ValueId row = context.builder().constant(Tensor::scalar(k));
      result.axes.push_back(axis++);
      result.positions.push_back(
          rank == 1 ? TENON_TRY(squeeze(context, places, {0}))
                    : TENON_TRY(context.add(Op::kGather, {places, row}, {{"axis", int64_t{0}}})));
    }
  }
  for (size_t i = 1; i < result.axes.size(); ++i)
    result.adjacent = result.adjacent && result.axes[i] == result.axes[i - 1] + 1;
  return result;
}

// The positions, broadcast against each other and side by side in a new last dimension.
Result<ValueId> tuples(LowerContext& context, const Index& index) {
  std::vector<ValueId> columns;
  ValueId sum = index.positions[0];
  bool same = true;
  for (size_t i = 1; i < index.positions.size(); ++i) {
    const SymShape* a = context.shape(index.positions[0]);
    const SymShape* b = context.shape(index.positions[i]);
    same = same && a != nullptr && b != nullptr && *a == *b;
  }
  if (!same)
    for (size_t i = 1; i < index.positions.size(); ++i)
      sum = TENON_TRY(context.add(Op::kAdd, {sum, index.positions[i]}));
  for (ValueId id : index.positions) {
    ValueId wide = same ? id : TENON_TRY(expand_like(context, id, sum));
    columns.push_back(TENON_TRY(unsqueeze(context, wide, {TENON_TRY(context.rank(wide))})));
  }
  if (columns.size() == 1) return columns[0];
  return context.add(Op::kConcat, columns, {{"axis", TENON_TRY(context.rank(columns[0])) - 1}});
}

// The order of dimensions that brings the indexed ones to the front.
std::vector<int64_t> indexed_first(const Index& index, int64_t rank) {
  std::vector<int64_t> order = index.axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (std::find(index.axes.begin(), index.axes.end(), axis) == index.axes.end()) order.push_back(axis);
  return order;
}

std::vector<int64_t> inverse(const std::vector<int64_t>& order) {
  std::vector<int64_t> result(order.size());
  for (size_t i = 0; i < order.size(); ++i) result[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return result;
}

// Where the broadcast dimensions of the indices stand in the result: at the first indexed dimension when
// those are adjacent, else in front. The order that takes them from the front to there.
std::vector<int64_t> front_to_place(const Index& index, int64_t index_rank, int64_t result_rank) {
  const int64_t place = index.adjacent ? index.axes[0] : 0;
  std::vector<int64_t> order(static_cast<size_t>(result_rank));
  for (int64_t i = 0; i < result_rank; ++i) {
    int64_t source = i;
    if (i < place)
      source = i + index_rank;
    else if (i < place + index_rank)
      source = i - place;
    order[static_cast<size_t>(i)] = source;
  }
  return order;
}

Status index_tensor(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  Index index = TENON_TRY(read_indices(context, TENON_TRY(context.tensors("indices"))));
  if (index.axes.empty()) return context.finish(self);
  if (index.axes.size() == 1)
    return context.finish(Op::kGather, {self, index.positions[0]}, {{"axis", index.axes[0]}});
  const int64_t rank = TENON_TRY(context.rank(self));
  ValueId tuple = TENON_TRY(tuples(context, index));
  const int64_t index_rank = TENON_TRY(context.rank(tuple)) - 1;
  ValueId front = TENON_TRY(permute(context, self, indexed_first(index, rank)));
  ValueId picked = TENON_TRY(context.add(Op::kGatherND, {front, tuple}));
  const int64_t result_rank = index_rank + rank - static_cast<int64_t>(index.axes.size());
  return context.finish(permute(context, picked, front_to_place(index, index_rank, result_rank)));
}

// A write of one value where a mask holds needs no indices.
Result<std::optional<ValueId>> put_by_mask(LowerContext& context, ValueId self,
                                           const std::vector<ValueId>& indices, ValueId values,
                                           bool accumulate) {
  auto given = std::find_if(indices.begin(), indices.end(), [](ValueId id) { return id != kNoValue; });
  const bool only =
      std::count_if(indices.begin(), indices.end(), [](ValueId id) { return id != kNoValue; }) == 1;
  auto count = static_shape(context, values);
  if (!only || accumulate || !is_mask(context.element(*given)) || !count ||
      TENON_TRY(element_count(*count)) != 1)
    return std::optional<ValueId>();
  ValueId mask = TENON_TRY(context.cast(*given, DataType::kBool));
  const int64_t behind =
      TENON_TRY(context.rank(self)) - (given - indices.begin()) - TENON_TRY(context.rank(mask));
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < behind; ++i) axes.push_back(TENON_TRY(context.rank(mask)) + i);
  mask = TENON_TRY(unsqueeze(context, mask, std::move(axes)));
  ValueId value = count->empty() ? values : TENON_TRY(context.add(Op::kReshape, {values, context.ints({})}));
  return std::optional<ValueId>(TENON_TRY(context.add(Op::kWhere, {mask, value, self})));
}

Status index_put(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  std::vector<ValueId> indices = TENON_TRY(context.tensors("indices"));
  ValueId values = TENON_TRY(context.cast(TENON_TRY(context.tensor("values")), context.element(self)));
  const bool accumulate = TENON_TRY(context.args().boolean("accumulate"));
  if (std::all_of(indices.begin(), indices.end(), [](ValueId id) { return id == kNoValue; })) {
    ValueId wide = TENON_TRY(expand_like(context, values, self));
    return accumulate ? context.finish(Op::kAdd, {self, wide}) : context.finish(wide);
  }
  if (auto chosen = TENON_TRY(put_by_mask(context, self, indices, values, accumulate)))
    return context.finish(*chosen);

  Index index = TENON_TRY(read_indices(context, indices));
  const int64_t rank = TENON_TRY(context.rank(self));
  ValueId tuple = TENON_TRY(tuples(context, index));
  const int64_t index_rank = TENON_TRY(context.rank(tuple)) - 1;
  const std::vector<int64_t> order = indexed_first(index, rank);
  // The values broadcast to what reading with these indices would give, whose dimensions are then brought
  // into ScatterND's order.
  std::vector<Size> sizes;
  for (int64_t i = 0; i < index_rank; ++i) sizes.push_back(TENON_TRY(size_of(context, tuple, i)));
  for (size_t i = index.axes.size(); i < order.size(); ++i)
    sizes.push_back(TENON_TRY(size_of(context, self, order[i])));
  const std::vector<int64_t> place = front_to_place(index, index_rank, static_cast<int64_t>(sizes.size()));
  std::vector<Size> placed;
  for (int64_t i : place) placed.push_back(sizes[static_cast<size_t>(i)]);
  ValueId wide = TENON_TRY(expand(context, values, placed));
  ValueId updates = TENON_TRY(permute(context, wide, inverse(place)));
  ValueId front = TENON_TRY(permute(context, self, order));
  ValueId written = TENON_TRY(context.add(Op::kScatterND, {front, tuple, updates},
                                          {{"reduction", std::string(accumulate ? "add" : "none")}}));
  return context.finish(permute(context, written, inverse(order)));
}

Status masked_fill(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  ValueId mask = TENON_TRY(context.cast(TENON_TRY(context.tensor("mask")), DataType::kBool));
  aten::Argument value = TENON_TRY(context.args().argument("value"));
  ValueId filler = value.get<aten::TensorRef>() != nullptr
                       ? TENON_TRY(context.cast(TENON_TRY(context.tensor("value")), context.element(self)))
                       : TENON_TRY(context.scalar("value", context.element(self)));
  return context.finish(Op::kWhere, {mask, filler, self});
}

// Two tensors broadcast to their common shape.
Result<std::pair<ValueId, ValueId>> broadcast_pair(LowerContext& context, ValueId a, ValueId b) {
  SymShape x = TENON_TRY(context.known_shape(a)), y = TENON_TRY(context.known_shape(b));
  if (x == y) return std::pair(a, b);
  SymShape common = TENON_TRY(ops::broadcast(x, y));
  if (common == x) return std::pair(a, TENON_TRY(expand_like(context, b, a)));
  if (common == y) return std::pair(TENON_TRY(expand_like(context, a, b)), b);
  auto numbers = constant_shape(common);
  if (!numbers) return context.unsupported("a tensor and a mask that both broadcast, of unknown sizes");
  std::vector<Size> sizes(numbers->begin(), numbers->end());
  return std::pair(TENON_TRY(expand(context, a, sizes)), TENON_TRY(expand(context, b, sizes)));
}

Status masked_select(LowerContext& context) {
  auto [self, mask] =
      TENON_TRY(broadcast_pair(context, TENON_TRY(context.tensor("self")),
                               TENON_TRY(context.cast(TENON_TRY(context.tensor("mask")), DataType::kBool))));
  ValueId flat = TENON_TRY(reshape(context, self, {Size(-1)}));
  ValueId condition = TENON_TRY(reshape(context, mask, {Size(-1)}));
  return context.finish(Op::kCompress, {flat, condition}, {{"axis", int64_t{0}}});
}

// The n-th true element of the mask takes the n-th element of the source.
Status masked_scatter(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  ValueId mask = TENON_TRY(context.cast(TENON_TRY(context.tensor("mask")), DataType::kBool));
  mask = TENON_TRY(expand_like(context, mask, self));
  ValueId source = TENON_TRY(reshape(context, TENON_TRY(context.tensor("source")), {Size(-1)}));
  source = TENON_TRY(context.cast(source, context.element(self)));
  ValueId ones = TENON_TRY(context.cast(TENON_TRY(reshape(context, mask, {Size(-1)})), DataType::kInt64));
  ValueId zero = context.builder().constant(Tensor::scalar(int64_t{0}));
  ValueId one = context.builder().constant(Tensor::scalar(int64_t{1}));
  ValueId count = TENON_TRY(context.add(Op::kCumSum, {ones, zero}));
  ValueId place = TENON_TRY(context.add(Op::kMax, {TENON_TRY(context.add(Op::kSub, {count, one})), zero}));
  ValueId picked = TENON_TRY(context.add(Op::kGather, {source, place}, {{"axis", int64_t{0}}}));
  ValueId shaped = TENON_TRY(reshape(context, picked, TENON_TRY(sizes_of(context, self))));
  return context.finish(Op::kWhere, {mask, shaped, self});
}

// A row of coordinates for each element that is not zero.
Result<ValueId> coordinates(LowerContext& context, ValueId self) {
  return context.add(Op::kTranspose, {TENON_TRY(context.add(Op::kNonZero, {self}))},
                     {{"perm", std::vector<int64_t>{1, 0}}});
}

Status nonzero(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  if (TENON_TRY(context.rank(self)) > 0) return context.finish(coordinates(context, self));
  // A scalar has no coordinates: zero or one rows without columns.
  ValueId rows = TENON_TRY(coordinates(context, TENON_TRY(unsqueeze(context, self, {0}))));
  return context.finish(slice(context, rows, 1, Size(0), Size(0)));
}

Status nonzero_numpy(LowerContext& context) {
  ValueId self =
      TENON_TRY(context.tensor(context.node().find_input("condition") != nullptr ? "condition" : "self"));
  const int64_t rank = TENON_TRY(context.rank(self));
  if (rank == 0) return context.unsupported("the coordinates of a tensor without dimensions");
  ValueId places = TENON_TRY(context.add(Op::kNonZero, {self}));
  std::vector<ValueId> results;
  for (int64_t axis = 0; axis < rank; ++axis) {
    ValueId row = context.builder().constant(Tensor::scalar(axis));
    results.push_back(TENON_TRY(context.add(Op::kGather, {places, row}, {{"axis", int64_t{0}}})));
  }
  return context.finish(results);
}

constexpr Handler kHandlers[] = {
    {"aten.index.Tensor", index_tensor},
    {"aten._unsafe_index.Tensor", index_tensor},
    {"aten.index_put.default", index_put},
    {"aten._unsafe_index_put.default", index_put},
    {"aten._index_put_impl.default", index_put},
    {"aten.masked_fill.Scalar", masked_fill},
    {"aten.masked_fill.Tensor", masked_fill},
    {"aten.masked_select.default", masked_select},
    {"aten.masked_scatter.default", masked_scatter},
    {"aten.nonzero.default", nonzero},
    {"aten.argwhere.default", nonzero},
    {"aten.nonzero_numpy.default", nonzero_numpy},
    {"aten.where.default", nonzero_numpy},
};

}  // namespace

std::span<const Handler> index_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
