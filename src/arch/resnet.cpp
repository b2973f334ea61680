#include "arch/resnet.h"

#include "base/try.h"

namespace tenon::arch {

namespace {

constexpr float kEpsilon = 1e-5f;

struct BlockSpec {
  int64_t in_channels = 0;
  int64_t planes = 0;
  int64_t out_channels = 0;
  int64_t stride = 1;
};

Result<ValueId> conv_norm(ModuleBuilder& modules, const std::string& conv, const std::string& norm,
                          ValueId input, const ConvSpec& spec) {
  const ValueId value = TENON_TRY(modules.conv(conv, input, spec));
  return modules.batch_norm(norm, value, spec.out_channels, kEpsilon);
}

/// BasicBlock.forward and Bottleneck.forward.
Result<ValueId> build_block(ModuleBuilder& modules, const std::string& path, const ResNetSpec& spec,
                            const BlockSpec& block, ValueId input) {
  const int64_t width =
      spec.bottleneck ? block.planes * spec.width_per_group / 64 * spec.groups : block.planes;
  std::vector<ConvSpec> convs;
  if (spec.bottleneck) {
    convs.push_back({.in_channels = block.in_channels, .out_channels = width});
    convs.push_back({.in_channels = width,
                     .out_channels = width,
                     .kernel = 3,
                     .stride = block.stride,
                     .groups = spec.groups,
                     .pads = {1, 1}});
    convs.push_back({.in_channels = width, .out_channels = block.out_channels});
  } else {
    convs.push_back({.in_channels = block.in_channels,
                     .out_channels = width,
                     .kernel = 3,
                     .stride = block.stride,
                     .pads = {1, 1}});
    convs.push_back({.in_channels = width, .out_channels = block.out_channels, .kernel = 3, .pads = {1, 1}});
  }
  ValueId value = input;
  for (size_t i = 0; i < convs.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    value = TENON_TRY(conv_norm(modules, path + ".conv" + number, path + ".bn" + number, value, convs[i]));
    if (i + 1 < convs.size()) value = TENON_TRY(modules.relu(path + ".relu", value));
  }
  ValueId identity = input;
  if (block.stride != 1 || block.in_channels != block.out_channels) {
    const ConvSpec shortcut{
        .in_channels = block.in_channels, .out_channels = block.out_channels, .stride = block.stride};
    identity = TENON_TRY(conv_norm(modules, path + ".downsample.0", path + ".downsample.1", input, shortcut));
  }
  value = TENON_TRY(modules.add(path, value, identity));
  return modules.relu(path + ".relu", value);
}

}  // namespace

Result<ValueId> build_resnet(ModuleBuilder& modules, const ResNetSpec& spec, ValueId input) {
  constexpr int64_t kStemChannels = 64;
  const ConvSpec stem{.in_channels = modules.dimension("conv1.weight", 1, 3),
                      .out_channels = kStemChannels,
                      .kernel = 7,
                      .stride = 2,
                      .pads = {3, 3}};
  ValueId value = TENON_TRY(conv_norm(modules, "conv1", "bn1", input, stem));
  value = TENON_TRY(modules.relu("relu", value));
  value = TENON_TRY(modules.max_pool("maxpool", value, 3, 2, 1));
  int64_t channels = kStemChannels;
  for (size_t stage = 0; stage < spec.blocks.size(); ++stage) {
    const int64_t planes = int64_t{64} << stage;
    const int64_t out_channels = planes * (spec.bottleneck ? 4 : 1);
    for (int64_t i = 0; i < spec.blocks[stage]; ++i) {
      const BlockSpec block{channels, planes, out_channels, stage > 0 && i == 0 ? 2 : 1};
      value = TENON_TRY(build_block(modules, fmt::format("layer{}.{}", stage + 1, i), spec, block, value));
      channels = out_channels;
    }
  }
  value = TENON_TRY(modules.pool_and_flatten("avgpool", value));
  return modules.linear("fc", value, channels, modules.dimension("fc.weight", 0, 1000));
}

}  // namespace tenon::arch
