// Cases for kernel rows, written beside the operators that have them (ops/conv/rows_test.cpp), for tests
// alone: tests/unit/kernel_rows_test.cpp runs each on every instruction set beside the reference.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "ops/core/builder.h"

namespace tenon::ops {

/// The model of a case while it is built, and what its inputs are given. Numbers are uniform in [-1, 1), the
/// same in every run.
///
/// A tolerance on sums is relative to the same operation on absolute values. `absolute` builds that one:
/// numbers are the absolute values, and activations, none of which makes an error larger than 1.1 times, are
/// left out.
class RowModel {
 public:
  RowModel(TypedModel& model, bool absolute) : builder_(model.graph), absolute_(absolute) {}

  /// A graph input. `declared` is its type in the model, the shape itself when empty.
  ValueId input(const Shape& shape, SymShape declared = {}) {
    return input(Tensor::from<float>(DataType::kFloat32, shape, numbers(shape)), std::move(declared));
  }
  ValueId input(Tensor tensor, SymShape declared = {}) {
    const std::string name = "x" + std::to_string(given_.size());
    if (declared.empty()) declared = SymShape(tensor.shape().begin(), tensor.shape().end());
    const ValueId id =
        builder_.graph().add_input(name, ValueType::tensor(tensor.type(), std::move(declared)));
    given_.push_back({name, Value(std::move(tensor))});
    return id;
  }
  ValueId constant(const Shape& shape, float scale = 1) {
    std::vector<float> values = numbers(shape);
    for (float& v : values) v *= scale;
    return builder_.constant(Tensor::from<float>(DataType::kFloat32, shape, values));
  }
  /// Numbers in [0.5, 1.5): variances, and scales that keep the sign.
  ValueId positive(const Shape& shape) {
    std::vector<float> values = numbers(shape);
    for (float& v : values) v = 1 + std::abs(v) * 0.5f;
    return builder_.constant(Tensor::from<float>(DataType::kFloat32, shape, values));
  }
  ValueId exactly(const Tensor& tensor) { return builder_.constant(tensor); }

  ValueId add(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return builder_.add(op, std::move(inputs), std::move(attributes)).value();
  }
  /// A node with several outputs.
  std::vector<ValueId> add_all(Op op, std::vector<ValueId> inputs, Attributes attributes, size_t outputs) {
    return builder_
        .add_node(op, std::move(inputs), std::move(attributes), std::vector<std::string>(outputs, "part"))
        .value();
  }
  /// A node that the absolute model leaves out.
  ValueId activation(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return absolute_ ? inputs[0] : add(op, std::move(inputs), std::move(attributes));
  }
  /// In inference mode. The mean of the absolute model is negative, so that what is subtracted counts as
  /// well.
  ValueId batch_norm(ValueId x, int64_t channels) {
    const std::vector<float> means(static_cast<size_t>(channels), absolute_ ? -0.4f : 0.4f);
    return add(Op::kBatchNormalization,
               {x, constant({channels}), constant({channels}),
                exactly(Tensor::from<float>(DataType::kFloat32, {channels}, means)), positive({channels})});
  }
  void output(ValueId id) { builder_.graph().outputs.push_back(id); }

  bool absolute() const { return absolute_; }
  const std::vector<NamedValue>& given() const { return given_; }

 private:
  std::vector<float> numbers(const Shape& shape) {
    std::uniform_real_distribution<float> distribution(-1, 1);
    int64_t count = 1;
    for (int64_t size : shape) count *= size;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& v : values) {
      v = distribution(random_);
      if (absolute_) v = std::abs(v);
    }
    return values;
  }

  GraphBuilder builder_;
  bool absolute_;
  std::mt19937 random_{7};
  std::vector<NamedValue> given_;
};

/// A depthwise convolution by 1 x 1 filters of 1, which hands on its input in the blocked layout. A case
/// whose rows work on that layout begins with it; its step comes first. Its result is an output, too, so that
/// nothing is fused with it.
inline ValueId blocked(RowModel& m, ValueId x, int64_t channels) {
  const std::vector<float> ones(static_cast<size_t>(channels), 1.0f);
  const ValueId filter = m.exactly(Tensor::from<float>(DataType::kFloat32, {channels, 1, 1, 1}, ones));
  const ValueId y = m.add(Op::kConv, {x, filter}, {{"group", channels}});
  m.output(y);
  return y;
}

struct RowCase {
  Op op;  ///< The anchor, whose rows and tolerance the case is about.
  std::string name;
  /// Makes the model, outputs set. All of its nodes become one step of a row of `op`, the last of the model.
  std::function<void(RowModel&)> build;
  std::string row = {};  ///< The beginning of the name of a row that is to run; empty: as the engine chooses.
};

/// All cases of the program.
inline std::vector<RowCase>& row_cases() {
  static std::vector<RowCase> cases;
  return cases;
}

/// Adds cases when the program starts: `const RowCases kCases(Op::kConv, {{"1x1", ...}, ...});`
struct RowCases {
  struct Entry {
    std::string name;
    std::function<void(RowModel&)> build;
    std::string row = {};
  };
  RowCases(Op op, std::vector<Entry> entries) {
    for (Entry& entry : entries)
      row_cases().push_back({op, std::move(entry.name), std::move(entry.build), std::move(entry.row)});
  }
};

}  // namespace tenon::ops
