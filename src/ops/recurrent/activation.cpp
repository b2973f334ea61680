#include "ops/recurrent/activation.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace tenon::ops {

namespace {

struct Facts {
  std::string_view name;  // in lower case: readers do not agree on the case
  ActivationKind kind;
  bool has_alpha, has_beta;
  double alpha, beta;
};

constexpr Facts kFacts[] = {
    {"relu", ActivationKind::kRelu, false, false, 0, 0},
    {"tanh", ActivationKind::kTanh, false, false, 0, 0},
    {"sigmoid", ActivationKind::kSigmoid, false, false, 0, 0},
    {"affine", ActivationKind::kAffine, true, true, 1, 0},
    {"leakyrelu", ActivationKind::kLeakyRelu, true, false, 0.01, 0},
    {"thresholdedrelu", ActivationKind::kThresholdedRelu, true, false, 1, 0},
    {"scaledtanh", ActivationKind::kScaledTanh, true, true, 1, 1},
    {"hardsigmoid", ActivationKind::kHardSigmoid, true, true, 0.2, 0.5},
    {"elu", ActivationKind::kElu, true, false, 1, 0},
    {"softsign", ActivationKind::kSoftsign, false, false, 0, 0},
    {"softplus", ActivationKind::kSoftplus, false, false, 0, 0},
};

double apply(const Activation& f, double x) {
  switch (f.kind) {
    case ActivationKind::kRelu:
      return x > 0 ? x : 0;
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::kAffine:
      return f.alpha * x + f.beta;
    case ActivationKind::kLeakyRelu:
      return x >= 0 ? x : f.alpha * x;
    case ActivationKind::kThresholdedRelu:
      return x > f.alpha ? x : 0;
    case ActivationKind::kScaledTanh:
      return f.alpha * std::tanh(f.beta * x);
    case ActivationKind::kHardSigmoid:
      return std::clamp(f.alpha * x + f.beta, 0.0, 1.0);
    case ActivationKind::kElu:
      return x >= 0 ? x : f.alpha * std::expm1(x);
    case ActivationKind::kSoftsign:
      return x / (1 + std::fabs(x));
    case ActivationKind::kSoftplus:
      return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
  }
  return x;
}

}  // namespace

void activate(const Activation& activation, double clip, std::span<double> values) {
  for (double& value : values) {
    if (clip > 0) value = std::clamp(value, -clip, clip);
    value = apply(activation, value);
  }
}

Result<std::vector<Activation>> read_activations(const Attributes& attributes, size_t count,
                                                 std::span<const ActivationKind> defaults) {
  std::vector<const Facts*> facts;
  const std::vector<std::string> names = attributes.strings("activations");
  // RNN's schema gives two functions as default, also for a single direction: more than needed do no harm.
  if (!names.empty() && names.size() < count)
    return fail(ErrorCode::kInvalidModel, "activations names {} functions, expected {}", names.size(), count);
  for (size_t i = 0; i < count; ++i) {
    const Facts* found = nullptr;
    std::string name = names.empty() ? "" : names[i];
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const Facts& candidate : kFacts)
      if (names.empty() ? candidate.kind == defaults[i % defaults.size()] : candidate.name == name)
        found = &candidate;
    if (!found) return fail(ErrorCode::kInvalidModel, "activations names '{}'", names[i]);
    facts.push_back(found);
  }
  const std::vector<float> alphas = attributes.reals("activation_alpha");
  const std::vector<float> betas = attributes.reals("activation_beta");
  std::vector<Activation> result;
  size_t alpha = 0, beta = 0;
  for (const Facts* f : facts) {
    Activation activation{f->kind, f->alpha, f->beta};
    if (f->has_alpha && alpha < alphas.size()) activation.alpha = static_cast<double>(alphas[alpha++]);
    if (f->has_beta && beta < betas.size()) activation.beta = static_cast<double>(betas[beta++]);
    result.push_back(activation);
  }
  return result;
}

}  // namespace tenon::ops
