#include "ops/unary/unary.h"

namespace tenon::ops {

Status infer_unary_bool(InferContext& context) {
  ValueType type = context.type(0);
  type.kind = ValueType::Kind::kTensor;
  type.element = DataType::kBool;
  context.set_output(0, std::move(type));
  return {};
}

Status infer_unary_integer(InferContext& context) {
  TENON_TRY(infer_same_as_first(context));
  auto elements = context.elements(0);
  if (!elements) return {};
  for (SymInt& element : *elements) {
    if (context.node().op == Op::kNeg) {
      element = SymInt(0) - element;
    } else if (const auto value = element.constant()) {
      if (context.node().op == Op::kAbs)
        element = *value < 0 ? SymInt(0) - element : element;
      else
        element = *value > 0 ? 1 : *value < 0 ? -1 : 0;
    } else {
      return {};
    }
  }
  context.set_elements(0, std::move(*elements));
  return {};
}

}  // namespace tenon::ops
