// Known architectures: turn a state dict, which is weights without a program, into a model. An alternative to
// src/formats/torch + src/lower for users whose file is a .pth or .safetensors.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/torch/state_dict.h"
#include "ir/graph.h"
#include "tenon/error.h"

namespace tenon {

struct ArchitectureOptions {
  /// [batch, channels, height, width]. Left out: any batch size (a symbol "batch") of the size of picture
  /// that the architecture was made for.
  std::optional<SymShape> input_shape;
  std::string input_name;   ///< Empty: as in the architecture's forward().
  std::string output_name;  ///< Empty: "output".
};

/// "resnet18", ..., "efficientnet_lite4", in the order of a table of contents.
std::vector<std::string_view> architecture_names();

/// The architecture's inference graph with these weights. Initializers have PyTorch's names and share the
/// state dict's bytes; nodes have the path of their module. The number of classes and of input channels
/// follow the weights, as does the element type. A prefix that all of the architecture's keys have in common
/// ("model.") is removed, which a warning says. Fails with kUsage for an unknown name or an input shape that
/// makes no sense, with kMismatch when the weights do not fit: one line about all keys that are missing,
/// unexpected, or of another shape.
Result<TypedModel> build_architecture(std::string_view name, const StateDict& state_dict,
                                      const ArchitectureOptions& options = {});

}  // namespace tenon
