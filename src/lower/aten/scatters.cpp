// Lowering of writes to computed places: scatter and its reductions, index_copy, index_add, index_fill.
#include <cmath>
#include <limits>

#include "lower/aten/families.h"
#include "lower/aten/sizes.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// What scatter works on: scalars are written as vectors of one.
struct Operands {
  ValueId self, index;
  int64_t axis;
  bool scalar;  // the result is to lose its dimension again
};

Result<Operands> operands_of(LowerContext& context) {
  Operands operands{};
  operands.self = TENON_TRY(context.tensor("self"));
  operands.index = TENON_TRY(context.tensor("index"));
  const int64_t rank = TENON_TRY(context.rank(operands.self));
  operands.axis = TENON_TRY(axis_argument(context, "dim", rank));
  operands.scalar = rank == 0;
  if (rank == 0) operands.self = TENON_TRY(unsqueeze(context, operands.self, {0}));
  if (TENON_TRY(context.rank(operands.index)) == 0)
    operands.index = TENON_TRY(unsqueeze(context, operands.index, {0}));
  return operands;
}

// The part of `src` that the indices name: their shape, from the front of each dimension.
Result<ValueId> updates_of(LowerContext& context, const Operands& operands, ValueId src) {
  src = TENON_TRY(context.cast(src, context.element(operands.self)));
  if (TENON_TRY(context.rank(src)) == 0) src = TENON_TRY(unsqueeze(context, src, {0}));
  SymShape have = TENON_TRY(context.known_shape(src)), need = TENON_TRY(context.known_shape(operands.index));
  for (size_t i = 0; i < need.size(); ++i) {
    if (have[i] == need[i]) continue;
    Size end = TENON_TRY(size_of(context, operands.index, static_cast<int64_t>(i)));
    src = TENON_TRY(slice(context, src, static_cast<int64_t>(i), Size(0), end));
  }
  return src;
}

Result<ValueId> filled_like(LowerContext& context, ValueId like, ValueId scalar) {
  return expand_like(context, scalar, like);
}

Status finish(LowerContext& context, const Operands& operands, ValueId result) {
  return context.finish(operands.scalar ? squeeze(context, result, {0}) : Result<ValueId>(result));
}

Result<ValueId> scatter_with(LowerContext& context, const Operands& operands, ValueId data, ValueId updates,
                             std::string_view reduction) {
  return context.add(Op::kScatterElements, {data, operands.index, updates},
                     {{"axis", operands.axis}, {"reduction", std::string(reduction)}});
}

// ATen's names of reductions, old and new, in ONNX.
Result<std::string_view> reduction_of(LowerContext& context) {
  if (context.node().find_input("reduce") == nullptr) return std::string_view("none");
  const std::string name = TENON_TRY(context.args().string("reduce"));
  if (name == "add" || name == "sum") return std::string_view("add");
  if (name == "multiply" || name == "prod") return std::string_view("mul");
  if (name == "amax") return std::string_view("max");
  if (name == "amin") return std::string_view("min");
  return context.unsupported("the reduction '" + name + "'");
}

Status scatter_src(LowerContext& context) {
  Operands operands = TENON_TRY(operands_of(context));
  ValueId updates = TENON_TRY(updates_of(context, operands, TENON_TRY(context.tensor("src"))));
  std::string_view reduction = TENON_TRY(reduction_of(context));
  return finish(context, operands,
                TENON_TRY(scatter_with(context, operands, operands.self, updates, reduction)));
}

Status scatter_value(LowerContext& context) {
  Operands operands = TENON_TRY(operands_of(context));
  ValueId value = TENON_TRY(context.scalar("value", context.element(operands.self)));
  ValueId updates = TENON_TRY(filled_like(context, operands.index, value));
  std::string_view reduction = TENON_TRY(reduction_of(context));
  return finish(context, operands,
                TENON_TRY(scatter_with(context, operands, operands.self, updates, reduction)));
}

Status scatter_add(LowerContext& context) {
  Operands operands = TENON_TRY(operands_of(context));
  ValueId updates = TENON_TRY(updates_of(context, operands, TENON_TRY(context.tensor("src"))));
  return finish(context, operands, TENON_TRY(scatter_with(context, operands, operands.self, updates, "add")));
}

// The value that a reduction starts from when the tensor's own elements do not count.
Result<ValueId> neutral(LowerContext& context, std::string_view reduction, DataType element) {
  if (reduction == "add") return context.number(element, 0);
  if (reduction == "mul") return context.number(element, 1);
  const bool least = reduction == "max";
  if (is_float(element)) {
    const double infinity = std::numeric_limits<double>::infinity();
    return context.number(element, least ? -infinity : infinity);
  }
  const int bits = element == DataType::kBool ? 1 : element_bits(element);
  const bool with_sign = compute_kind(element) == ComputeKind::kSigned && element != DataType::kBool;
  const uint64_t largest =
      (bits - (with_sign ? 1 : 0)) == 64 ? UINT64_MAX : (uint64_t{1} << (bits - (with_sign ? 1 : 0))) - 1;
  Tensor value = Tensor::allocate(element, {});
  if (with_sign)
    store_element<int64_t>(value, 0,
                           least ? -static_cast<int64_t>(largest) - 1 : static_cast<int64_t>(largest));
  else
    store_element<uint64_t>(value, 0, least ? 0 : largest);
  return context.builder().constant(std::move(value));
}

Status scatter_reduce(LowerContext& context) {
  Operands operands = TENON_TRY(operands_of(context));
  const DataType element = context.element(operands.self);
  const bool include_self = TENON_TRY(context.args().boolean("include_self"));
  const bool mean = TENON_TRY(context.args().string("reduce")) == "mean";
  if (mean && !is_float(element)) return context.unsupported("the mean of integers");
  std::string_view reduction = mean ? std::string_view("add") : TENON_TRY(reduction_of(context));
  ValueId updates = TENON_TRY(updates_of(context, operands, TENON_TRY(context.tensor("src"))));
  ValueId data = operands.self;
  if (!include_self) {
    ValueId start =
        TENON_TRY(filled_like(context, operands.index, TENON_TRY(neutral(context, reduction, element))));
    data = TENON_TRY(scatter_with(context, operands, data, start, "none"));
  }
  ValueId reduced = TENON_TRY(scatter_with(context, operands, data, updates, reduction));
  if (mean) {
    // How many values went into each element; those that no index names keep their own.
    ValueId one = context.number(element, 1), zero = context.number(element, 0);
    ValueId counts = TENON_TRY(filled_like(context, operands.self, one));
    ValueId ones = TENON_TRY(filled_like(context, operands.index, one));
    if (!include_self) {
      ValueId zeros = TENON_TRY(filled_like(context, operands.index, zero));
      counts = TENON_TRY(scatter_with(context, operands, counts, zeros, "none"));
    }
    counts = TENON_TRY(scatter_with(context, operands, counts, ones, "add"));
    reduced = TENON_TRY(context.add(Op::kDiv, {reduced, counts}));
  }
  return finish(context, operands, reduced);
}

// Writes whole slices along an axis: the slices come to the front, where ScatterND addresses them.
Status write_slices(LowerContext& context, ValueId source, std::string_view reduction) {
  ValueId self = TENON_TRY(context.tensor("self"));
  ValueId index = TENON_TRY(context.tensor("index"));
  const int64_t rank = TENON_TRY(context.rank(self));
  const int64_t axis = TENON_TRY(axis_argument(context, "dim", rank));
  ValueId data = rank == 0 ? TENON_TRY(unsqueeze(context, self, {0})) : self;
  if (TENON_TRY(context.rank(index)) == 0) index = TENON_TRY(unsqueeze(context, index, {0}));
  ValueId front = TENON_TRY(move_axis(context, data, axis, 0));
  ValueId column = TENON_TRY(unsqueeze(context, TENON_TRY(context.cast(index, DataType::kInt64)), {1}));
  ValueId updates = TENON_TRY(context.cast(source, context.element(self)));
  if (TENON_TRY(context.rank(updates)) == 0) {
    std::vector<Size> sizes = TENON_TRY(sizes_of(context, front));
    sizes[0] = TENON_TRY(size_of(context, index, 0));
    updates = TENON_TRY(expand(context, updates, sizes));
  } else {
    updates = TENON_TRY(move_axis(context, updates, axis, 0));
  }
  ValueId written = TENON_TRY(
      context.add(Op::kScatterND, {front, column, updates}, {{"reduction", std::string(reduction)}}));
  if (rank == 0) return context.finish(squeeze(context, written, {0}));
  return context.finish(move_axis(context, written, 0, axis));
}

Status index_copy(LowerContext& context) {
  return write_slices(context, TENON_TRY(context.tensor("source")), "none");
}

Status index_add(LowerContext& context) {
  ValueId source = TENON_TRY(context.tensor("source"));
  aten::Number alpha = TENON_TRY(context.args().scalar("alpha"));
  const auto* one = std::get_if<int64_t>(&alpha);
  if (one == nullptr || *one != 1) {
    ValueId factor = TENON_TRY(context.scalar(alpha, context.element(source)));
    source = TENON_TRY(context.add(Op::kMul, {source, factor}));
  }
  return write_slices(context, source, "add");
}

Status index_fill_scalar(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  return write_slices(context, TENON_TRY(context.scalar("value", context.element(self))), "none");
}

Status index_fill_tensor(LowerContext& context) {
  return write_slices(context, TENON_TRY(context.tensor("value")), "none");
}

constexpr Handler kHandlers[] = {
    {"aten.scatter.src", scatter_src},
    {"aten.scatter.value", scatter_value},
    {"aten.scatter.reduce", scatter_src},
    {"aten.scatter.value_reduce", scatter_value},
    {"aten.scatter_add.default", scatter_add},
    {"aten.scatter_reduce.two", scatter_reduce},
    {"aten.index_copy.default", index_copy},
    {"aten.index_add.default", index_add},
    {"aten.index_fill.int_Scalar", index_fill_scalar},
    {"aten.index_fill.int_Tensor", index_fill_tensor},
};

}  // namespace

std::span<const Handler> scatter_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
