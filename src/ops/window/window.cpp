// HannWindow, HammingWindow and BlackmanWindow: cosine windows of signal processing.
// https://onnx.ai/onnx/operators/onnx__HannWindow.html and its neighbours.
#include <cmath>
#include <numbers>

#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Result<DataType> output_type(const Attributes& attributes) {
  const int64_t type = attributes.integer("output_datatype", 1);
  if (type <= 0 || type >= kDataTypeCount || type == static_cast<int64_t>(DataType::kString))
    return fail(ErrorCode::kInvalidModel, "output_datatype {} is no numeric type", type);
  return static_cast<DataType>(type);
}

Status infer(InferContext& context) {
  const DataType type = TENON_TRY(output_type(context.attributes()));
  auto size = context.elements(0);
  if (size && size->size() == 1 && (*size)[0].is_constant() && *(*size)[0].constant() < 0)
    return fail(ErrorCode::kInvalidModel, "a window of size {}", (*size)[0].to_string());
  context.set_output(0, type, SymShape{size && size->size() == 1 ? (*size)[0] : context.fresh_symbol()});
  return {};
}

// a0 - a1 cos(x) + a2 cos(2x), x over one period.
Status window(KernelContext& context, double a0, double a1, double a2) {
  const DataType type = TENON_TRY(output_type(context.attributes()));
  if (context.input(0).size() != 1) return fail(ErrorCode::kInvalidModel, "the size is not one number");
  const auto size = load_element<int64_t>(context.input(0), 0);
  if (size < 0) return fail(ErrorCode::kInvalidModel, "a window of size {}", size);
  Tensor& output = context.output(0, type, {size});
  const bool periodic = context.attributes().integer("periodic", 1) != 0;
  const auto period = static_cast<double>(periodic ? size : size - 1);
  for (int64_t i = 0; i < size; ++i) {
    const double x = period > 0 ? 2 * std::numbers::pi * static_cast<double>(i) / period : std::numbers::pi;
    store_element<double>(output, i, a0 - a1 * std::cos(x) + a2 * std::cos(2 * x));
  }
  return {};
}

Status hann(KernelContext& context) {
  return window(context, 0.5, 0.5, 0);
}
Status hamming(KernelContext& context) {
  return window(context, 25.0 / 46, 1 - 25.0 / 46, 0);
}
Status blackman(KernelContext& context) {
  return window(context, 0.42, 0.5, 0.08);
}

}  // namespace

constinit const OpDef kHannWindow{
    .name = "HannWindow", .infer = infer, .reference = hann, .tolerance = {Tolerance::Kind::kUlp, 4}};
constinit const OpDef kHammingWindow{
    .name = "HammingWindow", .infer = infer, .reference = hamming, .tolerance = {Tolerance::Kind::kUlp, 4}};
constinit const OpDef kBlackmanWindow{
    .name = "BlackmanWindow", .infer = infer, .reference = blackman, .tolerance = {Tolerance::Kind::kUlp, 4}};

}  // namespace tenon::ops
