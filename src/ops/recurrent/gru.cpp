// GRU (https://onnx.ai/onnx/operators/onnx__GRU.html): gates in the order z, r, h.
#include "ops/recurrent/recurrent.h"

namespace tenon::ops {

namespace {

void step(const RecurrentWeights& weights, const Attributes& attributes, std::span<double> gates,
          RecurrentState& state) {
  const size_t n = state.h.size();
  const double clip = clip_of(attributes);
  const std::span<double> z = gates.first(n), r = gates.subspan(n, n), h = gates.subspan(2 * n, n);
  // z and r: f(x * W + h * R + Wb + Rb)
  for (size_t i = 0; i < 2 * n; ++i) gates[i] += weights.r_bias[i];
  add_recurrence(weights, state.h, 0, 2 * n, gates.data());
  activate(weights.functions[0], clip, gates.first(2 * n));
  if (attributes.integer("linear_before_reset") != 0) {
    // g(x * Wh + r . (h * Rh + Rbh) + Wbh)
    std::vector<double> recurrence(weights.r_bias.begin() + static_cast<std::ptrdiff_t>(2 * n),
                                   weights.r_bias.end());
    add_recurrence(weights, state.h, 2 * n, n, recurrence.data());
    for (size_t i = 0; i < n; ++i) h[i] += r[i] * recurrence[i];
  } else {
    // g(x * Wh + (r . h) * Rh + Rbh + Wbh)
    std::vector<double> reset(n);
    for (size_t i = 0; i < n; ++i) {
      reset[i] = r[i] * state.h[i];
      h[i] += weights.r_bias[2 * n + i];
    }
    add_recurrence(weights, reset, 2 * n, n, h.data());
  }
  activate(weights.functions[1], clip, h);
  for (size_t i = 0; i < n; ++i) state.h[i] = (1 - z[i]) * h[i] + z[i] * state.h[i];
}

constexpr ActivationKind kDefaults[] = {ActivationKind::kSigmoid, ActivationKind::kTanh};
constexpr RecurrentCell kCell{3, kDefaults, false, step};

}  // namespace

constinit const OpDef kGRU = recurrent_op<kCell>("GRU");

}  // namespace tenon::ops
