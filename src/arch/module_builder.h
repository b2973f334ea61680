// The layers of torch.nn that the known architectures are made of, as canonical nodes: each takes its weights
// out of the state dict by PyTorch's names and keeps book of those that do not fit.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "formats/torch/state_dict.h"
#include "ops/core/builder.h"

namespace tenon::arch {

struct ConvSpec {
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t groups = 1;
  std::array<int64_t, 2> pads = {0, 0};  ///< Before and after, the same for height and width.
};

/// Every layer takes the path of its module ("layer1.0.conv1"), which names node, output and weights. A
/// weight that is missing or of another shape is stood in for, so that one walk finds all of them;
/// `check_fit` tells.
class ModuleBuilder {
 public:
  /// `type`: of the input, and what all weights have to be.
  ModuleBuilder(Graph& graph, const StateDict& state_dict, DataType type)
      : builder_(graph), state_dict_(state_dict), type_(type) {}

  /// Conv2d without bias.
  Result<ValueId> conv(const std::string& module, ValueId input, const ConvSpec& spec);
  /// BatchNorm2d in inference.
  Result<ValueId> batch_norm(const std::string& module, ValueId input, int64_t channels, float epsilon);
  Result<ValueId> relu(const std::string& module, ValueId input);
  Result<ValueId> relu6(const std::string& module, ValueId input);
  Result<ValueId> max_pool(const std::string& module, ValueId input, int64_t kernel, int64_t stride,
                           int64_t pad);
  /// AdaptiveAvgPool2d(1), then flatten(1).
  Result<ValueId> pool_and_flatten(const std::string& module, ValueId input);
  Result<ValueId> linear(const std::string& module, ValueId input, int64_t in_features, int64_t out_features);
  /// a + b, as an operation of the module itself.
  Result<ValueId> add(const std::string& module, ValueId a, ValueId b);

  /// Dimension `axis` of a weight, or `fallback` when it is not there or makes no sense.
  int64_t dimension(const std::string& weight, size_t axis, int64_t fallback) const;

  /// kMismatch, with all that is wrong, unless the layers took exactly what the state dict has.
  Status check_fit(std::string_view architecture) const;

 private:
  /// What nodes added next belong to. A module that is called again gets a numbered node name.
  void enter(const std::string& module, std::string_view type);
  ValueId weight(const std::string& name, Shape shape);

  ops::GraphBuilder builder_;
  const StateDict& state_dict_;
  DataType type_;
  std::unordered_set<std::string> used_;
  std::vector<std::string> missing_;
  std::vector<std::string> misfits_;  // "'fc.weight' is float32[10,512], not float32[1000,512]"
  std::unordered_map<std::string, int> calls_;
  std::array<ValueId, 2> relu6_limits_ = {kNoValue, kNoValue};
};

}  // namespace tenon::arch
