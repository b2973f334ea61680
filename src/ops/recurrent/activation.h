// The activation functions of RNN, LSTM and GRU, by the names that their attribute `activations` uses.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/try.h"
#include "ir/attributes.h"

namespace tenon::ops {

enum class ActivationKind : uint8_t {
  kRelu,
  kTanh,
  kSigmoid,
  kAffine,
  kLeakyRelu,
  kThresholdedRelu,
  kScaledTanh,
  kHardSigmoid,
  kElu,
  kSoftsign,
  kSoftplus,
};

struct Activation {
  ActivationKind kind = ActivationKind::kTanh;
  double alpha = 0, beta = 0;
};

/// Applies a function to each value, after clipping to [-clip, clip] (clip 0: no clipping).
void activate(const Activation& activation, double clip, std::span<double> values);

/// Reads activations, activation_alpha and activation_beta: `count` functions for each direction. Absent
/// names are `defaults`; absent alphas and betas are those of the operators of the same name. The lists give
/// one value for each function that has such a parameter, in order.
Result<std::vector<Activation>> read_activations(const Attributes& attributes, size_t count,
                                                 std::span<const ActivationKind> defaults);

}  // namespace tenon::ops
