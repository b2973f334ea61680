// The equation of an Einsum: its terms as lists of labels, ellipses spelled out.
#pragma once

#include <string_view>
#include <vector>

#include "base/try.h"
#include "tensor/sym_int.h"

namespace tenon::ops {

/// A label is a letter, or -1, -2, ... for the dimensions of the ellipsis, counted from its last one, so that
/// operands with fewer dimensions there line up as in broadcasting.
using Labels = std::vector<int>;

struct Equation {
  std::vector<Labels> operands;
  Labels output;
};

/// Parses an equation for operands of these ranks (https://onnx.ai/onnx/operators/onnx__Einsum.html). Without
/// "->" the output has the ellipsis and then the letters that occur once, in ASCII order. kInvalidModel when
/// the text is no equation or does not fit the ranks.
Result<Equation> parse_equation(std::string_view text, const std::vector<size_t>& ranks);

/// The dimension of each label, as the operands have it; a dimension of 1 gives way to others (broadcasting).
/// kInvalidModel when two operands disagree.
struct LabelSize {
  int label;
  SymInt size;
};
Result<std::vector<LabelSize>> label_sizes(const Equation& equation, const std::vector<SymShape>& shapes);

/// The dimension of one label; the label must be there.
const SymInt& size_of(const std::vector<LabelSize>& sizes, int label);

}  // namespace tenon::ops
