// LSTM (https://onnx.ai/onnx/operators/onnx__LSTM.html): gates in the order i, o, f, c; peepholes i, o, f.
#include "ops/recurrent/recurrent.h"

namespace tenon::ops {

namespace {

void step(const RecurrentWeights& weights, const Attributes& attributes, std::span<double> gates,
          RecurrentState& state) {
  const size_t n = state.h.size();
  const double clip = clip_of(attributes);
  const std::span<double> i = gates.first(n), o = gates.subspan(n, n), f = gates.subspan(2 * n, n);
  const std::span<double> c = gates.subspan(3 * n, n);
  const double *p_i = weights.peepholes.data(), *p_o = p_i + n, *p_f = p_o + n;
  for (size_t k = 0; k < gates.size(); ++k) gates[k] += weights.r_bias[k];
  add_recurrence(weights, state.h, 0, gates.size(), gates.data());
  for (size_t k = 0; k < n; ++k) {
    i[k] += p_i[k] * state.c[k];
    f[k] += p_f[k] * state.c[k];
  }
  activate(weights.functions[0], clip, i);
  activate(weights.functions[0], clip, f);
  activate(weights.functions[1], clip, c);
  if (attributes.integer("input_forget") != 0)  // the forget gate is coupled to the input gate
    for (size_t k = 0; k < n; ++k) f[k] = 1 - i[k];
  for (size_t k = 0; k < n; ++k) {
    state.c[k] = f[k] * state.c[k] + i[k] * c[k];
    o[k] += p_o[k] * state.c[k];
  }
  activate(weights.functions[0], clip, o);
  state.h = state.c;
  activate(weights.functions[2], 0, state.h);
  for (size_t k = 0; k < n; ++k) state.h[k] *= o[k];
}

constexpr ActivationKind kDefaults[] = {ActivationKind::kSigmoid, ActivationKind::kTanh,
                                        ActivationKind::kTanh};
constexpr RecurrentCell kCell{4, kDefaults, true, step};

}  // namespace

constinit const OpDef kLSTM = recurrent_op<kCell>("LSTM");

}  // namespace tenon::ops
