#include "arch/efficientnet_lite.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/try.h"

namespace tenon::arch {

namespace {

constexpr float kEpsilon = 1e-3f;
constexpr int64_t kStemChannels = 32;  // fix_head_stem: neither is scaled
constexpr int64_t kHeadChannels = 1280;

/// A row of blocks_args.
struct StageSpec {
  int64_t repeats;
  int64_t kernel;
  int64_t stride;
  int64_t expansion;
  int64_t out_channels;  ///< Before scaling.
};
constexpr std::array<StageSpec, 7> kStages = {{
    {1, 3, 1, 1, 16},
    {2, 3, 2, 6, 24},
    {2, 5, 2, 6, 40},
    {3, 3, 2, 6, 80},
    {3, 5, 1, 6, 112},
    {4, 5, 2, 6, 192},
    {1, 3, 1, 6, 320},
}};

/// round_filters: to a multiple of 8, and not below 90%.
int64_t scale_channels(int64_t channels, double width) {
  constexpr int64_t kDivisor = 8;
  const double wanted = static_cast<double>(channels) * width;
  const int64_t rounded = static_cast<int64_t>(wanted + kDivisor / 2.0) / kDivisor * kDivisor;
  const int64_t result = std::max(kDivisor, rounded);
  return static_cast<double>(result) < 0.9 * wanted ? result + kDivisor : result;
}

/// Conv2dStaticSamePadding over a picture of `size`: what is missing to ceil(size / stride), the smaller half
/// first. Replaces `size` by that of the output.
std::array<int64_t, 2> same_pads(int64_t& size, int64_t kernel, int64_t stride) {
  const int64_t out = (size + stride - 1) / stride;
  const int64_t pad = std::max<int64_t>((out - 1) * stride + kernel - size, 0);
  size = out;
  return {pad / 2, pad - pad / 2};
}

struct BlockSpec {
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t expansion = 1;
  int64_t in_channels = 0;
  int64_t out_channels = 0;
};

Result<ValueId> conv_norm(ModuleBuilder& modules, const std::string& conv, const std::string& norm,
                          ValueId input, const ConvSpec& spec) {
  const ValueId value = TENON_TRY(modules.conv(conv, input, spec));
  return modules.batch_norm(norm, value, spec.out_channels, kEpsilon);
}

/// MBConvBlock.forward without squeeze and excitation; drop_connect does nothing in inference.
Result<ValueId> build_block(ModuleBuilder& modules, const std::string& path, const BlockSpec& block,
                            int64_t& size, ValueId input) {
  const int64_t channels = block.in_channels * block.expansion;
  ValueId value = input;
  if (block.expansion != 1) {
    const ConvSpec expand{.in_channels = block.in_channels, .out_channels = channels};
    value = TENON_TRY(conv_norm(modules, path + "._expand_conv", path + "._bn0", value, expand));
    value = TENON_TRY(modules.relu6(path + "._swish", value));
  }
  const ConvSpec depthwise{.in_channels = channels,
                           .out_channels = channels,
                           .kernel = block.kernel,
                           .stride = block.stride,
                           .groups = channels,
                           .pads = same_pads(size, block.kernel, block.stride)};
  value = TENON_TRY(conv_norm(modules, path + "._depthwise_conv", path + "._bn1", value, depthwise));
  value = TENON_TRY(modules.relu6(path + "._swish", value));
  const ConvSpec project{.in_channels = channels, .out_channels = block.out_channels};
  value = TENON_TRY(conv_norm(modules, path + "._project_conv", path + "._bn2", value, project));
  if (block.stride != 1 || block.in_channels != block.out_channels) return value;
  return modules.add(path, value, input);
}

}  // namespace

Result<ValueId> build_efficientnet_lite(ModuleBuilder& modules, const EfficientNetLiteSpec& spec,
                                        ValueId input) {
  int64_t size = spec.picture_size;
  const ConvSpec stem{.in_channels = modules.dimension("_conv_stem.weight", 1, 3),
                      .out_channels = kStemChannels,
                      .kernel = 3,
                      .stride = 2,
                      .pads = same_pads(size, 3, 2)};
  ValueId value = TENON_TRY(conv_norm(modules, "_conv_stem", "_bn0", input, stem));
  value = TENON_TRY(modules.relu6("_swish", value));
  int64_t channels = kStemChannels;
  int64_t number = 0;
  for (size_t i = 0; i < kStages.size(); ++i) {
    const StageSpec& stage = kStages[i];
    const bool fixed = i == 0 || i + 1 == kStages.size();
    const auto repeats =
        fixed ? stage.repeats
              : static_cast<int64_t>(std::ceil(spec.depth * static_cast<double>(stage.repeats)));
    const int64_t out_channels = scale_channels(stage.out_channels, spec.width);
    for (int64_t repeat = 0; repeat < repeats; ++repeat) {
      const BlockSpec block{stage.kernel, repeat == 0 ? stage.stride : 1, stage.expansion, channels,
                            out_channels};
      value = TENON_TRY(build_block(modules, fmt::format("_blocks.{}", number++), block, size, value));
      channels = out_channels;
    }
  }
  const ConvSpec head{.in_channels = channels, .out_channels = kHeadChannels};
  value = TENON_TRY(conv_norm(modules, "_conv_head", "_bn1", value, head));
  value = TENON_TRY(modules.relu6("_swish", value));
  value = TENON_TRY(modules.pool_and_flatten("_avg_pooling", value));
  return modules.linear("_fc", value, kHeadChannels, modules.dimension("_fc.weight", 0, 1000));
}

}  // namespace tenon::arch
