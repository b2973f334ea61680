// Operators that tell equal elements together: unique, unique_consecutive, bincount, isin.
#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

// The distinct elements in ascending order, where each element went, and how often each one is there. ONNX
// always sorts here: PyTorch does too, whatever `sorted` says.
Status lower_unique(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  Attributes attributes{{"sorted", int64_t{1}}};
  const bool by_slices = context.args().op() == "unique_dim";
  if (by_slices) attributes.set("axis", TENON_TRY(context.args().integer("dim")));
  auto outputs = TENON_TRY(context.add_multi(Op::kUnique, {x}, attributes, 4));
  ValueId inverse = outputs[2];
  if (!by_slices) inverse = TENON_TRY(reshape(context, inverse, TENON_TRY(sizes_of(context, x))));
  std::vector<ValueId> results{outputs[0], inverse, outputs[3]};
  results.resize(context.args().op() == "_unique" ? 2 : 3);
  return context.finish(results);
}

// A run begins where an element differs from the one before it.
Status lower_unique_consecutive(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const bool flat = !TENON_TRY(context.args().optional_integer("dim"));
  if (!flat && TENON_TRY(context.rank(x)) != 1) return context.unsupported("runs of equal slices");
  Math m(context.builder());
  const ValueId line = TENON_TRY(reshape(context, x, {Size(-1)}));
  const ValueId later = TENON_TRY(slice(context, line, 0, Size(1), Size(kToEnd)));
  const ValueId earlier = TENON_TRY(slice(context, line, 0, Size(0), Size(-1)));
  const ValueId same = TENON_TRY(context.add(Op::kEqual, {later, earlier}));
  const ValueId differs = TENON_TRY(context.add(Op::kNot, {same}));
  // The first element begins a run, when there is one.
  const ValueId head = TENON_TRY(slice(context, line, 0, Size(0), Size(1)));
  const ValueId self_equal = TENON_TRY(context.add(Op::kEqual, {head, head}));
  const ValueId always = context.number(DataType::kBool, 1);
  const ValueId first = TENON_TRY(context.add(Op::kOr, {self_equal, always}));
  const ValueId begins = TENON_TRY(context.add(Op::kConcat, {first, differs}, {{"axis", int64_t{0}}}));
  const ValueId values = TENON_TRY(context.add(Op::kCompress, {line, begins}, {{"axis", int64_t{0}}}));
  const ValueId ones = TENON_TRY(m.cast(begins, DataType::kInt64));
  const ValueId zero = context.builder().constant(Tensor::scalar(int64_t{0}));
  const ValueId one = context.builder().constant(Tensor::scalar(int64_t{1}));
  const ValueId count = TENON_TRY(context.add(Op::kCumSum, {ones, zero}));
  ValueId inverse = TENON_TRY(m.sub(count, one));
  inverse = TENON_TRY(reshape(context, inverse, TENON_TRY(sizes_of(context, x))));
  const ValueId rows = TENON_TRY(context.add(Op::kNonZero, {begins}));
  const ValueId places = TENON_TRY(reshape(context, rows, {Size(-1)}));
  const ValueId total = TENON_TRY(context.add(Op::kShape, {line}));
  const ValueId next = TENON_TRY(slice(context, places, 0, Size(1), Size(kToEnd)));
  const ValueId ends = TENON_TRY(context.add(Op::kConcat, {next, total}, {{"axis", int64_t{0}}}));
  return context.finish({values, inverse, TENON_TRY(m.sub(ends, places))});
}

// How often, or with what total weight, each number from 0 on occurs.
Status lower_bincount(LowerContext& context) {
  const ValueId x = TENON_TRY(context.cast(TENON_TRY(context.tensor("self")), DataType::kInt64));
  const ValueId weights = TENON_TRY(context.optional_tensor("weights"));
  const int64_t least = TENON_TRY(context.args().integer("minlength"));
  Math m(context.builder());
  const ValueId one = context.builder().constant(Tensor::scalar(int64_t{1}));
  const ValueId with_least =
      TENON_TRY(context.add(Op::kConcat, {x, context.ints({least - 1})}, {{"axis", int64_t{0}}}));
  const ValueId largest = TENON_TRY(m.reduce(Op::kReduceMax, with_least, {0}, true));
  const ValueId length = TENON_TRY(m.add(largest, one));
  // Weights add up in float64 unless they are float32.
  ValueId updates = weights;
  if (weights == kNoValue)
    updates = TENON_TRY(expand_like(context, one, x));
  else if (context.element(weights) != DataType::kFloat32)
    updates = TENON_TRY(m.cast(weights, DataType::kFloat64));
  const ValueId none = TENON_TRY(context.add(Op::kExpand, {m.number(updates, 0), length}));
  return context.finish(Op::kScatterElements, {none, x, updates},
                        {{"axis", int64_t{0}}, {"reduction", std::string("add")}});
}

// Whether each element equals any of the test elements.
Status lower_isin(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("elements"));
  const ValueId tests = TENON_TRY(context.tensor("test_elements"));
  const bool inverted = TENON_TRY(context.args().boolean("invert"));
  Math m(context.builder());
  const DataType common = aten::promote_types(context.element(x), context.element(tests));
  const ValueId line = TENON_TRY(reshape(context, TENON_TRY(context.cast(tests, common)), {Size(-1)}));
  const int64_t rank = TENON_TRY(context.rank(x));
  const ValueId column = TENON_TRY(unsqueeze(context, TENON_TRY(context.cast(x, common)), {rank}));
  const ValueId equal = TENON_TRY(context.add(Op::kEqual, {column, line}));
  const ValueId hits =
      TENON_TRY(m.reduce(Op::kReduceSum, TENON_TRY(m.cast(equal, DataType::kInt64)), {rank}, false));
  const ValueId any = TENON_TRY(m.truth(hits));
  return inverted ? context.finish(Op::kNot, {any}) : context.finish(any);
}

constexpr Handler kHandlers[] = {
    {"aten._unique.default", lower_unique},    {"aten._unique2.default", lower_unique},
    {"aten.unique_dim.default", lower_unique}, {"aten.unique_consecutive.default", lower_unique_consecutive},
    {"aten.bincount.default", lower_bincount}, {"aten.isin.Tensor_Tensor", lower_isin},
};

}  // namespace

std::span<const Handler> unique_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
