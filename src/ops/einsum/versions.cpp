#include <algorithm>
#include <set>

#include "ops/einsum/einsum.h"
#include "ops/einsum/equation.h"

namespace tenon::ops {

namespace {

bool holds(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

Labels joined(std::initializer_list<const Labels*> parts) {
  Labels all;
  for (const Labels* part : parts) all.insert(all.end(), part->begin(), part->end());
  return all;
}

// Permutes a value from labels `from` to `to` (the same letters).
Result<std::string> transposed(EmitContext& context, std::string value, const Labels& from,
                               const Labels& to) {
  if (from == to) return value;
  std::vector<int64_t> permutation;
  for (int label : to) permutation.push_back(std::find(from.begin(), from.end(), label) - from.begin());
  return context.add("Transpose", {std::move(value)}, {{"perm", permutation}});
}

// The product of the sizes of labels, or an error when one is not known.
Result<int64_t> joined_size(EmitContext& context, const std::vector<LabelSize>& sizes, const Labels& labels) {
  SymInt size = 1;
  for (int label : labels) size *= size_of(sizes, label);
  if (!size.is_constant()) return context.unsupported(12, "its joined dimensions are not known");
  return *size.constant();
}

}  // namespace

Status emit_einsum(EmitContext& context) {
  if (context.opset() >= 12) return emit_unchanged(context);
  const std::string text = context.attributes().string("equation");
  if (context.node().inputs.size() != 2) return context.unsupported(12, "it does not have two operands");
  std::vector<SymShape> shapes;
  std::vector<size_t> ranks;
  for (size_t i = 0; i < 2; ++i) {
    if (!context.input_type(i).shape) return context.unsupported(12, "the rank of an operand is not known");
    shapes.push_back(*context.input_type(i).shape);
    ranks.push_back(shapes.back().size());
  }
  const Equation equation = TENON_TRY(parse_equation(text, ranks));
  const std::vector<LabelSize> sizes = TENON_TRY(label_sizes(equation, shapes));
  const Labels &a = equation.operands[0], &b = equation.operands[1], &out = equation.output;
  for (size_t i = 0; i < 2; ++i) {
    const Labels& term = equation.operands[i];
    if (std::set<int>(term.begin(), term.end()).size() != term.size())
      return context.unsupported(12, "a letter is repeated within a term");
    for (size_t axis = 0; axis < term.size(); ++axis)
      if (!(shapes[i][axis] == size_of(sizes, term[axis])))
        return context.unsupported(12, "a dimension is stretched");
  }
  Labels batch, rows, columns, inner;
  for (int label : out)
    (holds(a, label) && holds(b, label) ? batch : holds(a, label) ? rows : columns).push_back(label);
  for (int label : a)
    if (!holds(out, label)) inner.push_back(label);
  for (int label : inner)
    if (!holds(b, label)) return context.unsupported(12, "a letter is summed in one operand alone");
  for (int label : b)
    if (!holds(out, label) && !holds(a, label))
      return context.unsupported(12, "a letter is summed in one operand alone");

  std::string left = TENON_TRY(transposed(context, context.input(0), a, joined({&batch, &rows, &inner})));
  std::string right = TENON_TRY(transposed(context, context.input(1), b, joined({&batch, &inner, &columns})));
  const bool plain = rows.size() == 1 && columns.size() == 1 && inner.size() == 1;
  const Labels made = joined({&batch, &rows, &columns});
  if (!plain) {
    // Batch dimensions stay (0 copies them); the others are joined into one each.
    auto reshaped = [&](std::string value, const Labels& x, const Labels& y) -> Result<std::string> {
      std::vector<int64_t> shape(batch.size(), 0);
      shape.push_back(TENON_TRY(joined_size(context, sizes, x)));
      shape.push_back(TENON_TRY(joined_size(context, sizes, y)));
      return context.add("Reshape", {std::move(value), context.constant(Tensor::from_ints(shape), "shape")});
    };
    left = TENON_TRY(reshaped(std::move(left), rows, inner));
    right = TENON_TRY(reshaped(std::move(right), inner, columns));
  }
  if (plain && made == out) return context.finish("MatMul", {left, right});
  std::string product = TENON_TRY(context.add("MatMul", {left, right}));
  if (!plain) {
    std::vector<int64_t> shape(batch.size(), 0);
    for (int label : joined({&rows, &columns}))
      shape.push_back(TENON_TRY(joined_size(context, sizes, {label})));
    std::vector<std::string> inputs = {product, context.constant(Tensor::from_ints(shape), "shape")};
    if (made == out) return context.finish("Reshape", std::move(inputs));
    product = TENON_TRY(context.add("Reshape", std::move(inputs)));
  }
  std::vector<int64_t> permutation;
  for (int label : out) permutation.push_back(std::find(made.begin(), made.end(), label) - made.begin());
  return context.finish("Transpose", {product}, {{"perm", permutation}});
}

}  // namespace tenon::ops
