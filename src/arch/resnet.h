// ResNet, ResNeXt and Wide ResNet as in torchvision/models/resnet.py.
#pragma once

#include <array>

#include "arch/module_builder.h"

namespace tenon::arch {

struct ResNetSpec {
  std::array<int64_t, 4> blocks;  ///< In each of the four stages.
  bool bottleneck = false;        ///< Blocks of three convolutions instead of two.
  int64_t groups = 1;
  int64_t width_per_group = 64;
};

/// From pictures [N,C,H,W] to class scores [N,classes].
Result<ValueId> build_resnet(ModuleBuilder& modules, const ResNetSpec& spec, ValueId input);

}  // namespace tenon::arch
