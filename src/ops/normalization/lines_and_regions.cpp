// LpNormalization, MeanVarianceNormalization and LRN (ONNX Operators.md).
#include <cmath>

#include "ops/core/emit_wide.h"
#include "ops/core/op_def.h"
#include "ops/lines/lines.h"
#include "ops/reduce/plan.h"

namespace tenon::ops {

namespace {

// Divides each line by its norm; a line of zeros stays as it is.
Status reference_lp_normalization(KernelContext& context) {
  const int64_t p = context.attributes().integer("p", 2);
  if (p != 1 && p != 2)
    return fail(ErrorCode::kUnsupported, "LpNormalization is defined for p 1 and 2, not {}", p);
  return map_lines<double>(context, context.attributes().integer("axis", -1),
                           [p](double* line, int64_t length) {
                             double sum = 0;
                             for (int64_t i = 0; i < length; ++i)
                               sum += p == 1 ? std::fabs(line[i]) : line[i] * line[i];
                             const double norm = p == 1 ? sum : std::sqrt(sum);
                             for (int64_t i = 0; i < length; ++i) line[i] = norm == 0 ? 0 : line[i] / norm;
                           });
}

// (X - mean) / (sqrt(variance) + 1e-9), as in the operator's function body.
Status reference_mean_variance(KernelContext& context) {
  const Tensor& input = context.input(0);
  const std::vector<int64_t> axes = context.attributes().integers("axes");
  const std::vector<bool> reduced = TENON_TRY(reduced_axes(axes, input.rank(), true));
  const ReducePlan plan(input.shape(), reduced);
  Tensor& output = context.output(0, input.type(), input.shape());
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(plan.group(), 1));
  context.parallel_for(plan.outputs(), grain, [&](int64_t begin, int64_t end) {
    const int64_t run = plan.inner_reduced() ? plan.inner() : 1;
    std::vector<double> group(static_cast<size_t>(plan.group()));
    for (int64_t index = begin; index < end; ++index) {
      const int64_t offset = plan.group_offset(index);
      for (int64_t k = 0; k < plan.members(); ++k)
        load_elements<double>(input.type(), input.raw(), offset + plan.member_offset(k), run,
                              group.data() + k * run);
      double mean = 0;
      for (double value : group) mean += value;
      mean /= static_cast<double>(group.size());
      double variance = 0;
      for (double value : group) variance += (value - mean) * (value - mean);
      const double deviation = std::sqrt(variance / static_cast<double>(group.size())) + 1e-9;
      for (double& value : group) value = (value - mean) / deviation;
      for (int64_t k = 0; k < plan.members(); ++k)
        store_elements<double>(output.type(), output.mutable_raw(), offset + plan.member_offset(k), run,
                               group.data() + k * run);
    }
  });
  return {};
}

// x / (bias + alpha / size * S)^beta, S being the sum of squares over the `size` channels around.
Status reference_lrn(KernelContext& context) {
  const Attributes& attributes = context.attributes();
  const int64_t size = attributes.integer("size");
  if (size <= 0) return fail(ErrorCode::kInvalidModel, "LRN over {} channels", size);
  if (context.input(0).rank() < 2) return fail(ErrorCode::kMismatch, "LRN needs a tensor with channels");
  const double scale = static_cast<double>(attributes.real("alpha", 1e-4F)) / static_cast<double>(size);
  const double beta = attributes.real("beta", 0.75F);
  const double bias = attributes.real("bias", 1);
  return map_lines<double>(context, 1, [=](double* line, int64_t length) {
    std::vector<double> squares(static_cast<size_t>(length));
    for (int64_t i = 0; i < length; ++i) squares[static_cast<size_t>(i)] = line[i] * line[i];
    for (int64_t c = 0; c < length; ++c) {
      const int64_t first = std::max<int64_t>(0, c - (size - 1) / 2);
      const int64_t last = size / 2 >= length - c ? length - 1 : c + size / 2;
      double sum = 0;
      for (int64_t i = first; i <= last; ++i) sum += squares[static_cast<size_t>(i)];
      line[c] /= std::pow(bias + scale * sum, beta);
    }
  });
}

constexpr OpDef normalization(std::string_view name, Reference reference) {
  return {.name = name,
          .infer = infer_same_as_first,
          .reference = reference,
          .emit = emit_wide,
          .tolerance = {Tolerance::Kind::kSum, 16}};
}

}  // namespace

constinit const OpDef kLpNormalization = normalization("LpNormalization", reference_lp_normalization);
constinit const OpDef kMeanVarianceNormalization =
    normalization("MeanVarianceNormalization", reference_mean_variance);
constinit const OpDef kLRN = normalization("LRN", reference_lrn);

}  // namespace tenon::ops
