// For tests: a graph that is built node by node and run as the engine would, beside its references.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "ops/core/builder.h"
#include "runtime/session_state.h"

namespace tenon {

class BesideReferences : public ::testing::Test {
 protected:
  ValueId input(const char* name, const Shape& shape) {
    std::vector<float> values;
    for (int64_t i = 0; i < *element_count(shape); ++i)
      values.push_back(static_cast<float>(std::sin(static_cast<double>(i + 1) * std::numbers::phi)));
    inputs_.push_back({name, Tensor::from<float>(DataType::kFloat32, shape, values)});
    return model_.graph.add_input(
        name, ValueType::tensor(DataType::kFloat32, SymShape(shape.begin(), shape.end())));
  }
  ValueId constant(const Shape& shape) {
    std::vector<float> values(static_cast<size_t>(*element_count(shape)));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 5) - 1.5f;
    return build_.constant(Tensor::from<float>(DataType::kFloat32, shape, values));
  }
  ValueId ints(const std::vector<int64_t>& values) {
    return build_.constant(
        Tensor::from<int64_t>(DataType::kInt64, {static_cast<int64_t>(values.size())}, values));
  }
  ValueId add(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return build_.add(op, std::move(inputs), std::move(attributes)).value();
  }

  /// Runs both, and the values of the graph's outputs are near each other.
  void check(std::vector<ValueId> outputs, std::vector<std::string> disabled = {}) {
    model_.graph.outputs = std::move(outputs);
    SessionOptions options;
    options.disabled_passes = std::move(disabled);
    const auto session = make_session(model_, options).value();
    options.references_only = true;
    const auto expected = make_session(model_, options).value()->run(inputs_).value();
    const auto got = session->run(inputs_).value();
    for (size_t i = 0; i < got.size(); ++i) {
      const Tensor &x = got[i].value.tensor(), &y = expected[i].value.tensor();
      ASSERT_EQ(x.shape(), y.shape());
      for (int64_t k = 0; k < x.size(); ++k)
        ASSERT_NEAR(x.data<float>()[k], y.data<float>()[k], 1e-5) << "output " << i << " element " << k;
    }
  }

  TypedModel model_;
  ops::GraphBuilder build_{model_.graph};
  std::vector<NamedValue> inputs_;
};

}  // namespace tenon
