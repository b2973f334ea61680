#include "align/rounding.h"

#include <algorithm>
#include <cmath>

#include "ops/core/evaluate.h"
#include "ops/core/registry.h"
#include "tensor/element.h"

namespace tenon::alignment {

namespace {

constexpr double kFloat32Roundoff = 0x1p-24;

/// Magnitudes below which a type has no full precision: errors there are absolute.
double least_error(DataType type) {
  if (type == DataType::kFloat16) return 0x1p-24;
  return type == DataType::kFloat64 ? 0x1p-1022 : 0x1p-126;
}

bool is_wide_tensor(const Value& value) {
  return value.is_tensor() && value.tensor().type() == DataType::kFloat64;
}

/// Sums of products of their inputs: the same on absolute values gives sum |w||x|.
bool is_plain_sum(Op op) {
  switch (op) {
    case Op::kConv:
    case Op::kConvTranspose:
    case Op::kGemm:
    case Op::kMatMul:
    case Op::kEinsum:
    case Op::kReduceSum:
    case Op::kReduceMean:
    case Op::kReduceL1:
    case Op::kReduceSumSquare:
    case Op::kAveragePool:
    case Op::kGlobalAveragePool:
    case Op::kCumSum:
    case Op::kSum:
    case Op::kMean:
      return true;
    default:
      return false;
  }
}

/// How many products one output element sums up.
double term_count(const Node& node, std::span<const Value* const> inputs, const Tensor& output) {
  auto ratio = [](int64_t a, int64_t b) {
    return static_cast<double>(a) / static_cast<double>(std::max<int64_t>(b, 1));
  };
  const Tensor& x = inputs[0]->tensor();
  switch (node.op) {
    case Op::kConv:
      return ratio(inputs[1]->tensor().size(), inputs[1]->tensor().dim(0)) + 1;
    case Op::kConvTranspose:
      return ratio(inputs[1]->tensor().size(), inputs[1]->tensor().dim(1)) + 1;
    case Op::kGemm:
      return static_cast<double>(x.dim(node.attributes.integer("transA") != 0 ? 0 : 1)) + 1;
    case Op::kMatMul:
      return x.rank() > 0 ? static_cast<double>(x.shape().back()) : 1;
    case Op::kAveragePool: {
      double count = 1;
      for (int64_t k : node.attributes.integers("kernel_shape")) count *= static_cast<double>(k);
      return count;
    }
    case Op::kCumSum:
      return static_cast<double>(x.rank() > 0 ? *std::max_element(x.shape().begin(), x.shape().end()) : 1);
    case Op::kEinsum: {
      // All index values over those of the output; at least what the largest input has for each of them.
      double largest = 1;
      for (const Value* input : inputs)
        largest = std::max(largest, static_cast<double>(input->tensor().size()));
      return largest;
    }
    case Op::kSum:
    case Op::kMean:
      return static_cast<double>(inputs.size());
    default:
      return ratio(x.size(), output.size());
  }
}

Tensor positive(const Tensor& tensor, bool squares, double sign) {
  Tensor result = Tensor::allocate(DataType::kFloat64, tensor.shape());
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const double x = std::fabs(tensor.data<double>()[i]);
    result.mutable_data<double>()[i] = sign * (squares ? x * x : x);
  }
  return result;
}

/// Whether the sum is divided by the number of its terms.
bool is_mean(Op op) {
  return op == Op::kReduceMean || op == Op::kAveragePool || op == Op::kGlobalAveragePool || op == Op::kMean;
}

/// The node on absolute values, or on squares. BatchNormalization subtracts its mean, so that becomes
/// -|mean|.
Result<std::vector<Value>> evaluate_positive(const Node& node, std::span<const Value* const> inputs,
                                             bool squares, const ops::EvaluateOptions& options) {
  std::vector<Value> values(inputs.size());
  std::vector<const Value*> pointers(inputs.size(), nullptr);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr) continue;
    const bool is_negative = node.op == Op::kBatchNormalization && i == 3;
    values[i] = *inputs[i];
    if (is_wide_tensor(*inputs[i])) values[i] = positive(inputs[i]->tensor(), squares, is_negative ? -1 : 1);
    pointers[i] = &values[i];
  }
  Node changed = node;
  for (const char* factor : {"alpha", "beta"}) {
    if (node.op != Op::kGemm || !node.attributes.has(factor)) continue;
    const float x = std::fabs(node.attributes.real(factor));
    changed.attributes.set(factor, squares ? x * x : x);
  }
  return ops::evaluate_node(changed, pointers, options);
}

/// The largest change of an output when every input element moves by a relative `step`, up or down at random.
Result<double> sensitivity(const Node& node, std::span<const Value* const> inputs, const Tensor& output,
                           size_t output_index, double step, const ops::EvaluateOptions& options) {
  double largest = 0;
  uint64_t state = 0x9e3779b97f4a7c15u;
  for (int round = 0; round < 2; ++round) {
    std::vector<Value> values(inputs.size());
    std::vector<const Value*> pointers(inputs.size(), nullptr);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == nullptr) continue;
      values[i] = *inputs[i];
      if (is_wide_tensor(values[i])) {
        Tensor moved = values[i].tensor().clone();
        for (int64_t k = 0; k < moved.size(); ++k) {
          state = state * 6364136223846793005u + 1442695040888963407u;
          moved.mutable_data<double>()[k] *= 1 + ((state >> 63) != 0 ? step : -step);
        }
        values[i] = std::move(moved);
      }
      pointers[i] = &values[i];
    }
    const auto moved = TENON_TRY(ops::evaluate_node(node, pointers, options));
    if (!is_wide_tensor(moved[output_index]) || moved[output_index].tensor().shape() != output.shape())
      return largest;
    for (int64_t k = 0; k < output.size(); ++k) {
      const double change =
          std::fabs(moved[output_index].tensor().data<double>()[k] - output.data<double>()[k]);
      if (std::isfinite(change)) largest = std::max(largest, change);
    }
  }
  return largest;
}

}  // namespace

double unit_roundoff(DataType type) {
  switch (type) {
    case DataType::kFloat64:
      return 0x1p-53;
    case DataType::kFloat32:
      return kFloat32Roundoff;
    case DataType::kFloat16:
      return 0x1p-11;
    case DataType::kBFloat16:
      return 0x1p-8;
    default:
      return is_float(type) ? 0x1p-3 : 0;
  }
}

bool is_discontinuous(Op op) {
  switch (op) {
    case Op::kArgMax:
    case Op::kArgMin:
    case Op::kTopK:
    case Op::kRound:
    case Op::kFloor:
    case Op::kCeil:
    case Op::kSign:
    case Op::kCast:
    case Op::kGreater:
    case Op::kGreaterOrEqual:
    case Op::kLess:
    case Op::kLessOrEqual:
    case Op::kEqual:
    case Op::kNonZero:
    case Op::kQuantizeLinear:
    case Op::kNonMaxSuppression:
      return true;
    default:
      return false;
  }
}

Result<std::vector<Tensor>> rounding_bounds(const Node& node, std::span<const Value* const> inputs,
                                            std::span<const Value> outputs, std::span<const DataType> types,
                                            Bound bound, const ops::EvaluateOptions& options) {
  using Kind = ops::Tolerance::Kind;
  const ops::OpDef& def = ops::op_def(node.op);
  std::vector<Tensor> bounds(outputs.size());
  std::vector<Value> magnitudes;
  const bool is_norm = node.op == Op::kBatchNormalization && node.attributes.integer("training_mode") == 0;
  const bool is_sum = is_plain_sum(node.op) || is_norm;
  const bool probable = bound == Bound::kProbable && !is_norm;
  if (is_sum) magnitudes = TENON_TRY(evaluate_positive(node, inputs, probable, options));
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (!is_wide_tensor(outputs[o]) || unit_roundoff(types[o]) == 0) continue;
    const Tensor& y = outputs[o].tensor();
    const double own = unit_roundoff(types[o]), inner = std::min(own, kFloat32Roundoff);
    double of_magnitude = 0, terms = 1, of_output = own, anywhere = least_error(types[o]);
    if (is_sum && o < magnitudes.size() && is_wide_tensor(magnitudes[o])) {
      if (!is_norm) terms = term_count(node, inputs, y);
      of_magnitude = inner * ((probable ? std::sqrt(terms) : terms) + 4);
    } else if (def.tolerance.kind == Kind::kUlp && def.traits.elementwise) {
      of_output += 2 * inner * def.tolerance.value;
    } else if (def.tolerance.kind != Kind::kExact && !node.subgraphs.empty()) {
      of_output += 2 * inner;
    } else if (def.tolerance.kind != Kind::kExact) {
      of_output += 2 * inner * def.tolerance.value;
      anywhere += 4 * TENON_TRY(sensitivity(node, inputs, y, o, inner * def.tolerance.value, options));
    }
    Tensor result = Tensor::allocate(DataType::kFloat64, y.shape());
    for (int64_t i = 0; i < y.size(); ++i) {
      const double value = std::fabs(y.data<double>()[i]);
      double magnitude = of_magnitude > 0 ? std::fabs(magnitudes[o].tensor().data<double>()[i]) : 0;
      if (probable) magnitude = std::max(std::sqrt(is_mean(node.op) ? magnitude / terms : magnitude), value);
      result.mutable_data<double>()[i] = of_magnitude * magnitude + of_output * value + anywhere;
    }
    bounds[o] = std::move(result);
  }
  return bounds;
}

}  // namespace tenon::alignment
