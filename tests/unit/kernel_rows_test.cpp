// Every kernel row beside the plain reference of its operator: on each instruction set of this machine,
// within the tolerance of the operator's definition, with the same bits for any number of threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "ops/core/registry.h"
#include "ops/core/row_cases.h"
#include "runtime/session_state.h"

namespace tenon {
namespace {

using ops::RowCase;
using ops::RowModel;
using ops::Tolerance;

struct Ran {
  std::shared_ptr<Session> session;
  std::vector<Tensor> outputs;
};

Ran run(const RowCase& row_case, bool absolute, SessionOptions options, Isa isa) {
  if (!row_case.row.empty()) options.preferred_kernels = {row_case.row};
  TypedModel model;
  RowModel content(model, absolute);
  row_case.build(content);
  Ran ran;
  ran.session = make_session(std::move(model), options, isa).value();
  const std::vector<NamedValue> outputs = ran.session->run(content.given()).value();
  for (const NamedValue& output : outputs) ran.outputs.push_back(output.value.tensor());
  return ran;
}

Ran by_references(const RowCase& row_case, bool absolute) {
  SessionOptions options;
  options.references_only = true;
  return run(row_case, absolute, options, Isa::kPortable);
}

/// What the nodes of a step may differ by together. Rounding errors of several nodes add up, each relative to
/// the sum of absolute values that its result is made of; a step of exact nodes is exact.
Tolerance tolerance_of(const Step& step) {
  const std::vector<const Node*>& nodes = step.region.nodes;
  Tolerance all = ops::op_def(nodes[0]->op).tolerance;
  for (size_t i = 1; i < nodes.size(); ++i) {
    const Tolerance& own = ops::op_def(nodes[i]->op).tolerance;
    if (own.kind == Tolerance::Kind::kExact) continue;
    all = {Tolerance::Kind::kSum, all.value + own.value};
  }
  return all;
}

/// How far the result may be from `want`, `scale` being the same on absolute values.
double allowance(const Tolerance& tolerance, float want, float scale) {
  constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
  switch (tolerance.kind) {
    case Tolerance::Kind::kExact:
      return 0;
    case Tolerance::Kind::kUlp:
      return tolerance.value * std::abs(want) * kEpsilon;
    case Tolerance::Kind::kSum:
      return tolerance.value * std::abs(scale) * kEpsilon;
  }
  return 0;
}

/// Each element replaced by the largest of its plane of a tensor [N, C, H, W].
void spread_over_planes(Tensor& scale) {
  const int64_t pixels = scale.dim(2) * scale.dim(3);
  float* data = scale.mutable_data<float>();
  for (int64_t plane = 0; plane < scale.dim(0) * scale.dim(1); ++plane) {
    float* first = data + plane * pixels;
    std::fill_n(first, pixels, *std::max_element(first, first + pixels));
  }
}

double row_error(const RowCase& row_case, std::string_view name) {
  for (const ops::KernelRow& row : ops::op_def(row_case.op).rows)
    if (row.name == name) return row.error;
  return 1;
}

class KernelRows : public ::testing::TestWithParam<RowCase> {};

TEST_P(KernelRows, AgreeWithTheReferenceWithTheSameBitsForAnyThreads) {
  const RowCase& row_case = GetParam();
  const Ran want = by_references(row_case, false);
  Ran scale = by_references(row_case, true);
  for (Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
    if (isa > available_isa()) continue;
    std::vector<Tensor> first;
    for (int threads : {1, 2, 3, 7}) {
      SessionOptions options;
      options.threads = threads;
      const Ran got = run(row_case, false, options, isa);
      const auto& steps = got.session->state().engine->main().steps;
      const Step& step = steps.back();
      ASSERT_EQ(step.region.anchor_node().op, row_case.op) << "the case is not fused into one step";
      ASSERT_TRUE(step.row.starts_with(row_case.row) && step.row.ends_with(isa_name(isa))) << step.row;
      ASSERT_EQ(got.outputs.size(), want.outputs.size());
      if (step.spreads && first.empty()) spread_over_planes(scale.outputs[0]);
      for (size_t i = 0; i < got.outputs.size(); ++i) {
        const Tensor& output = got.outputs[i];
        ASSERT_EQ(output.shape(), want.outputs[i].shape());
        const auto bytes = static_cast<size_t>(output.size()) * sizeof(float);
        if (!first.empty()) {
          ASSERT_TRUE(bytes == 0 || std::memcmp(first[i].raw(), output.raw(), bytes) == 0)
              << threads << " threads";
          continue;
        }
        for (int64_t k = 0; k < output.size(); ++k) {
          const float x = output.data<float>()[k], y = want.outputs[i].data<float>()[k];
          if (x == y || (std::isnan(x) && std::isnan(y))) continue;
          ASSERT_LE(std::abs(double{x} - y),
                    allowance(tolerance_of(step), y, scale.outputs[i].data<float>()[k]) *
                        row_error(row_case, step.row))
              << step.row << " element " << k << ": " << x << " for " << y;
        }
      }
      if (first.empty()) first = got.outputs;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, KernelRows, ::testing::ValuesIn(ops::row_cases()), [](const auto& info) {
  return std::string(op_name(info.param.op)) + "_" + info.param.name;
});

TEST(KernelRowCases, CoverEveryRow) {
  std::set<std::string_view> covered;
  for (const RowCase& row_case : ops::row_cases()) {
    for (Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
      if (isa > available_isa()) continue;
      const Ran ran = run(row_case, false, {}, isa);
      for (const Step& step : ran.session->state().engine->main().steps) covered.insert(step.row);
    }
  }
  for (int i = 0; i < kOpCount; ++i) {
    const ops::OpDef* def = ops::find_op("", op_name(static_cast<Op>(i)));
    if (def == nullptr) continue;  // an operator that ONNX has and tenon not yet
    for (const ops::KernelRow& row : def->rows) {
      if (row.isa <= available_isa()) {
        EXPECT_TRUE(covered.contains(row.name)) << "no case runs " << row.name;
      }
    }
  }
}

}  // namespace
}  // namespace tenon
