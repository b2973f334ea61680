// A kernel that is made to compute wrongly is found, in its own step and not in the next, and named as the
// cause.
#include "align/layers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "align/cause.h"
#include "ops/core/builder.h"
#include "runtime/session_state.h"

namespace tenon::alignment {
namespace {

Tensor random_tensor(Shape shape, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> spread(-1, 1);
  Tensor tensor = Tensor::allocate(DataType::kFloat32, std::move(shape));
  for (int64_t i = 0; i < tensor.size(); ++i) tensor.mutable_data<float>()[i] = spread(random);
  return tensor;
}

/// Three convolutions of 8 channels, each followed by Relu: relu0, relu1, relu2.
TypedModel three_convolutions() {
  TypedModel model;
  ops::GraphBuilder builder(model.graph);
  ValueId x = model.graph.add_input("x", ValueType::tensor(DataType::kFloat32, SymShape{1, 8, 9, 9}));
  for (unsigned i = 0; i < 3; ++i) {
    ValueId w = builder.constant(random_tensor({8, 8, 3, 3}, i), fmt::format("w{}", i));
    Attributes attributes = {{"pads", std::vector<int64_t>{1, 1, 1, 1}},
                             {"kernel_shape", std::vector<int64_t>{3, 3}}};
    ValueId y = builder.add(Op::kConv, {x, w}, attributes, fmt::format("conv{}", i)).value();
    x = builder.add(Op::kRelu, {y}, {}, fmt::format("relu{}", i)).value();
  }
  model.graph.outputs = {x};
  return model;
}

/// A kernel of one output that does as another does, with a relative error in the largest element.
class WrongKernel final : public ops::Kernel {
 public:
  WrongKernel(std::unique_ptr<const ops::Kernel> right, float error)
      : right_(std::move(right)), error_(error) {}
  Status run(ops::KernelContext& context) const override {
    std::vector<const Value*> inputs;
    for (size_t i = 0; i < context.input_count(); ++i) inputs.push_back(&context.value(i));
    std::vector<Value> outputs(context.output_count());
    ops::KernelContext inner(context.node(), inputs, outputs, context.services());
    Status status = right_->run(inner);
    if (!status.ok()) return status;
    Tensor spoilt = outputs[0].tensor().clone();
    auto* elements = spoilt.mutable_data<float>();
    *std::max_element(elements, elements + spoilt.size()) *= 1 + error_;
    context.set_output(0, spoilt);
    return {};
  }

 private:
  std::unique_ptr<const ops::Kernel> right_;
  float error_;
};

class Layers : public testing::Test {
 protected:
  /// The model by the engine, with an error in the kernel of step 1.
  void open(float error) {
    model_ = std::make_shared<const TypedModel>(three_convolutions());
    candidate_ = model_side(model_, "", Runner::kEngine, options_).value();
    reference_ = model_side(model_, "tenon references", Runner::kReferences, options_).value();
    auto& engine = const_cast<EngineGraph&>(candidate_->session()->state().engine->main());
    ASSERT_EQ(engine.steps.size(), 3u);
    if (error == 0) return;
    engine.steps[1].kernel = std::make_unique<WrongKernel>(std::move(engine.steps[1].kernel), error);
  }
  Scene scene() {
    Scene scene;
    scene.reference = reference_.get();
    scene.candidate = candidate_.get();
    scene.reference_inputs = scene.candidate_inputs = {{"x", random_tensor({1, 8, 9, 9}, 77)}};
    scene.desired = reference_->run(0, scene.reference_inputs).value();
    scene.actual = candidate_->run(0, scene.candidate_inputs).value();
    scene.pairs = {{0, 0}};
    return scene;
  }

  AlignOptions options_;
  std::shared_ptr<const TypedModel> model_;
  std::unique_ptr<Side> reference_, candidate_;
};

TEST_F(Layers, RightKernelsStayWithinTheirBounds) {
  open(0);
  const Scene at = scene();
  const auto found = Investigation::begin(at, options_).value();
  ASSERT_EQ(found.layers().size(), 3u);
  for (const LayerComparison& layer : found.layers()) {
    EXPECT_FALSE(layer.departed) << layer.name;
    ASSERT_TRUE(layer.isolated_error.has_value());
    EXPECT_LT(layer.isolated_use, 1);
    EXPECT_GT(layer.floor, 0);
    EXPECT_LT(layer.floor, 1e-3 * layer.scale);
  }
}

TEST_F(Layers, AWrongKernelIsFoundInItsOwnStep) {
  open(1e-3f);
  const Scene at = scene();
  const auto found = Investigation::begin(at, options_).value();
  const auto& layers = found.layers();
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_FALSE(layers[0].departed);
  EXPECT_TRUE(layers[1].departed);
  EXPECT_GT(layers[1].isolated_use, 1);
  EXPECT_NEAR(*layers[1].isolated_error, 1e-3 * layers[1].scale, 1e-4 * layers[1].scale);
  EXPECT_LT(layers[2].isolated_use, 1);  // it only hands the error on
  EXPECT_TRUE(layers[2].departed);
  const AlignCause cause = find_cause(found);
  EXPECT_EQ(cause.kind, "kernel");
  EXPECT_NE(cause.message.find("relu1"), std::string::npos);
}

TEST_F(Layers, LookingDoesNotChangeWhatIsSeen) {
  open(0);
  const Scene at = scene();
  const Sample before = candidate_->run(0, at.candidate_inputs).value();
  const auto found = Investigation::begin(at, options_).value();
  EXPECT_TRUE(same_value(found.session_values().at("relu2"), before[0].value));
}

}  // namespace
}  // namespace tenon::alignment
