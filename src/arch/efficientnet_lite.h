// EfficientNet-Lite 0 to 4 as in the Python package efficientnet-lite-pytorch 0.1.0 (model.py, utils.py).
#pragma once

#include "arch/module_builder.h"

namespace tenon::arch {

struct EfficientNetLiteSpec {
  double width = 1.0;
  double depth = 1.0;
  int64_t picture_size = 224;  ///< Of the pictures it was made for: it fixes the padding of the convolutions.
};

/// From pictures [N,C,H,W] to class scores [N,classes].
Result<ValueId> build_efficientnet_lite(ModuleBuilder& modules, const EfficientNetLiteSpec& spec,
                                        ValueId input);

}  // namespace tenon::arch
