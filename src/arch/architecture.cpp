#include "arch/architecture.h"

#include <algorithm>
#include <array>
#include <variant>

#include "arch/efficientnet_lite.h"
#include "arch/resnet.h"
#include "base/try.h"
#include "tensor/element.h"

namespace tenon {

namespace {

using arch::EfficientNetLiteSpec;
using arch::ResNetSpec;

struct ArchitectureRow {
  std::string_view name;
  std::variant<ResNetSpec, EfficientNetLiteSpec> spec;
};

constexpr std::array<int64_t, 4> k50 = {3, 4, 6, 3};
constexpr std::array<int64_t, 4> k101 = {3, 4, 23, 3};

const std::array kArchitectures = {
    ArchitectureRow{"resnet18", ResNetSpec{.blocks = {2, 2, 2, 2}}},
    ArchitectureRow{"resnet34", ResNetSpec{.blocks = k50}},
    ArchitectureRow{"resnet50", ResNetSpec{.blocks = k50, .bottleneck = true}},
    ArchitectureRow{"resnet101", ResNetSpec{.blocks = k101, .bottleneck = true}},
    ArchitectureRow{"resnet152", ResNetSpec{.blocks = {3, 8, 36, 3}, .bottleneck = true}},
    ArchitectureRow{"resnext50_32x4d", ResNetSpec{k50, true, 32, 4}},
    ArchitectureRow{"resnext101_32x8d", ResNetSpec{k101, true, 32, 8}},
    ArchitectureRow{"resnext101_64x4d", ResNetSpec{k101, true, 64, 4}},
    ArchitectureRow{"wide_resnet50_2", ResNetSpec{k50, true, 1, 128}},
    ArchitectureRow{"wide_resnet101_2", ResNetSpec{k101, true, 1, 128}},
    ArchitectureRow{"efficientnet_lite0", EfficientNetLiteSpec{1.0, 1.0, 224}},
    ArchitectureRow{"efficientnet_lite1", EfficientNetLiteSpec{1.0, 1.1, 240}},
    ArchitectureRow{"efficientnet_lite2", EfficientNetLiteSpec{1.1, 1.2, 260}},
    ArchitectureRow{"efficientnet_lite3", EfficientNetLiteSpec{1.2, 1.4, 280}},
    ArchitectureRow{"efficientnet_lite4", EfficientNetLiteSpec{1.4, 1.8, 300}},
};

/// What the two families call things.
struct Conventions {
  std::string_view stem;   // the first weight
  std::string_view input;  // the argument of forward()
  int64_t picture_size;
};

Conventions conventions(const ArchitectureRow& row) {
  if (const auto* spec = std::get_if<EfficientNetLiteSpec>(&row.spec)) {
    return {"_conv_stem.weight", "inputs", spec->picture_size};
  }
  return {"conv1.weight", "x", 224};
}

Result<const ArchitectureRow*> find_architecture(std::string_view name) {
  std::string plain(name);  // The package writes "efficientnet-lite0".
  std::replace(plain.begin(), plain.end(), '-', '_');
  for (const ArchitectureRow& row : kArchitectures) {
    if (row.name == plain) return &row;
  }
  return with_hint(fail(ErrorCode::kUsage, "no architecture is called '{}'", name),
                   fmt::format("known are {}", fmt::join(architecture_names(), ", ")));
}

/// The state dict under the names of the architecture: without what wrappers (Lightning's "model.") put
/// before all of them.
StateDict without_prefix(const StateDict& state_dict, std::string_view stem,
                         std::vector<std::string>& warnings) {
  StateDict result = state_dict;
  if (state_dict.find(stem) != nullptr) return result;
  std::string prefix;
  for (const StateDict::Entry& entry : state_dict.entries) {
    if (entry.name.size() <= stem.size() || !entry.name.ends_with(stem)) continue;
    prefix = entry.name.substr(0, entry.name.size() - stem.size());
    break;
  }
  if (!prefix.ends_with('.')) return result;
  for (StateDict::Entry& entry : result.entries) {
    if (entry.name.starts_with(prefix)) entry.name.erase(0, prefix.size());
  }
  warnings.push_back(fmt::format("removed the prefix '{}' of the weights' names", prefix));
  return result;
}

Result<SymShape> input_shape(const ArchitectureOptions& options, int64_t channels, int64_t picture_size) {
  if (!options.input_shape) return SymShape{SymInt::symbol("batch"), channels, picture_size, picture_size};
  const SymShape& shape = *options.input_shape;
  if (shape.size() != 4 || !shape[1].is(channels)) {
    return fail(ErrorCode::kUsage,
                "the input shape is {}, and this architecture takes [batch,{},height,width]",
                to_string(shape), channels);
  }
  const bool empty = std::any_of(shape.begin(), shape.end(),
                                 [](const SymInt& dim) { return dim.constant().value_or(1) < 1; });
  if (empty) return fail(ErrorCode::kUsage, "the input shape {} has a dimension below 1", to_string(shape));
  return shape;
}

}  // namespace

std::vector<std::string_view> architecture_names() {
  std::vector<std::string_view> names;
  for (const ArchitectureRow& row : kArchitectures) names.push_back(row.name);
  return names;
}

Result<TypedModel> build_architecture(std::string_view name, const StateDict& state_dict,
                                      const ArchitectureOptions& options) {
  const ArchitectureRow& row = *TENON_TRY(find_architecture(name));
  const Conventions facts = conventions(row);
  TypedModel model;
  model.name = row.name;
  model.origin = fmt::format("{} of a state dict", row.name);
  model.warnings = state_dict.notes;
  const StateDict weights = without_prefix(state_dict, facts.stem, model.warnings);

  const Tensor* stem = weights.find(facts.stem);
  const DataType type = stem != nullptr && is_float(stem->type()) ? stem->type() : DataType::kFloat32;
  arch::ModuleBuilder modules(model.graph, weights, type);
  const int64_t channels = modules.dimension(std::string(facts.stem), 1, 3);
  SymShape shape = TENON_TRY(input_shape(options, channels, facts.picture_size));
  const std::string input_name = options.input_name.empty() ? std::string(facts.input) : options.input_name;
  if (weights.find(input_name) != nullptr) {
    return fail(ErrorCode::kUsage, "the input cannot be called '{}': a weight has that name", input_name);
  }
  const ValueId input = model.graph.add_input(input_name, ValueType::tensor(type, std::move(shape)));
  const ResNetSpec* resnet = std::get_if<ResNetSpec>(&row.spec);
  const ValueId output =
      TENON_TRY(resnet != nullptr ? arch::build_resnet(modules, *resnet, input)
                                  : arch::build_efficientnet_lite(
                                        modules, std::get<EfficientNetLiteSpec>(row.spec), input));
  TENON_TRY(modules.check_fit(row.name));
  const std::string output_name = options.output_name.empty() ? "output" : options.output_name;
  if (model.graph.find(output_name) != kNoValue) {
    return fail(ErrorCode::kUsage,
                "the output cannot be called '{}': an input, a weight or a layer has that name", output_name);
  }
  model.graph.rename(output, output_name);
  model.graph.outputs.push_back(output);
  return model;
}

}  // namespace tenon
