// RNN (https://onnx.ai/onnx/operators/onnx__RNN.html): H = f(x * W + h * R + Wb + Rb).
#include "ops/recurrent/recurrent.h"

namespace tenon::ops {

namespace {

void step(const RecurrentWeights& weights, const Attributes& attributes, std::span<double> gates,
          RecurrentState& state) {
  for (size_t i = 0; i < gates.size(); ++i) gates[i] += weights.r_bias[i];
  add_recurrence(weights, state.h, 0, gates.size(), gates.data());
  activate(weights.functions[0], clip_of(attributes), gates);
  state.h.assign(gates.begin(), gates.end());
}

constexpr ActivationKind kDefaults[] = {ActivationKind::kTanh};
constexpr RecurrentCell kCell{1, kDefaults, false, step};

}  // namespace

constinit const OpDef kRNN = recurrent_op<kCell>("RNN");

}  // namespace tenon::ops
