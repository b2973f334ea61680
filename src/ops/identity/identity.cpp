// Identity: its input, of whatever kind. https://onnx.ai/onnx/operators/onnx__Identity.html
#include "ops/core/op_def.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  context.outputs()[0] = context.input(0);
  return {};
}

Status reference(KernelContext& context) {
  context.set_output(0, context.value(0));
  return {};
}

}  // namespace

constinit const OpDef kIdentity{.name = "Identity",
                                .infer = infer,
                                .reference = reference,
                                .traits = {.elementwise = true, .view = true}};

}  // namespace tenon::ops
