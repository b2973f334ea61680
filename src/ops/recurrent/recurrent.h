// What RNN, GRU and LSTM share (https://onnx.ai/onnx/operators/onnx__LSTM.html): reading the attributes and
// weights, the shape rule, the walk over time, and the versions.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ops/core/op_def.h"
#include "ops/recurrent/activation.h"

namespace tenon::ops {

/// The weights of one direction in double: w and r are turned, so that a row vector times a matrix gives the
/// gates (input or hidden rows, gates * hidden columns).
struct RecurrentWeights {
  std::vector<double> w, r;
  std::vector<double> w_bias, r_bias;     ///< gates * hidden each
  std::vector<double> peepholes;          ///< LSTM: 3 * hidden, zero when not given
  std::span<const Activation> functions;  ///< Of this direction.
};

/// The state of one sequence, changed by every step.
struct RecurrentState {
  std::vector<double> h, c;  ///< c: LSTM only
};

/// One operator of the family.
struct RecurrentCell {
  size_t gates;
  std::span<const ActivationKind> activations;  ///< Defaults for one direction.
  bool has_cell;                                ///< LSTM: state c, peepholes, third output.
  /// One step of one sequence: `gates` holds x * w + w_bias and may be changed; updates the state.
  void (*step)(const RecurrentWeights& weights, const Attributes& attributes, std::span<double> gates,
               RecurrentState& state);
};

/// Y, Y_h and (LSTM) Y_c.
Status infer_recurrent(InferContext& context, const RecurrentCell& cell);
Status run_recurrent(KernelContext& context, const RecurrentCell& cell);

/// Adds h * r (columns [first, first + count) of r) to `sums`.
void add_recurrence(const RecurrentWeights& weights, const std::vector<double>& h, size_t first, size_t count,
                    double* sums);
/// The attribute clip, 0 when absent.
double clip_of(const Attributes& attributes);

/// Version 1 had output_sequence, and GRU's default direction was misspelt.
Status upgrade_recurrent(UpgradeContext& context);
/// layout needs opset 14 unless it is 0.
Status emit_recurrent(EmitContext& context);

/// The definition of an operator of the family.
template <const RecurrentCell& cell>
constexpr OpDef recurrent_op(std::string_view name) {
  return {
      .name = name,
      .infer = [](InferContext& context) { return infer_recurrent(context, cell); },
      .reference = [](KernelContext& context) { return run_recurrent(context, cell); },
      .upgrade = upgrade_recurrent,
      .emit = emit_recurrent,
  };
}

}  // namespace tenon::ops
