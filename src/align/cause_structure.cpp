// Causes that lie in what the two models are: outputs, shapes, and the first value where they part.
#include <algorithm>
#include <cmath>

#include "align/cause.h"
#include "ir/value_type.h"
#include "tensor/element.h"

namespace tenon::alignment {

namespace {

std::string attribute_text(const AttributeValue& value) {
  return std::visit(
      [](const auto& v) -> std::string {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, float> ||
                      std::is_same_v<T, std::string>)
          return fmt::format("{}", v);
        else if constexpr (std::is_same_v<T, std::vector<int64_t>> || std::is_same_v<T, std::vector<float>> ||
                           std::is_same_v<T, std::vector<std::string>>)
          return fmt::format("[{}]", fmt::join(v, ","));
        else
          return "...";
      },
      value);
}

/// How two nodes that make the same value differ; empty when their operators and attributes are the same.
std::string difference(const Node& ours, const Node& theirs, const char* our_name, const char* their_name) {
  if (ours.op != theirs.op)
    return fmt::format("it is {} in the {} and {} in the {}", op_name(ours.op), our_name, op_name(theirs.op),
                       their_name);
  for (const auto& [name, value] : ours.attributes) {
    const AttributeValue* other = theirs.attributes.find(name);
    const std::string a = attribute_text(value), b = other ? attribute_text(*other) : "absent";
    if (a != b)
      return fmt::format("attribute {} is {} in the {} and {} in the {}", name, a, our_name, b, their_name);
  }
  return "";
}

/// max |a - b|, infinite for other shapes and types that cannot be compared.
double distance(const Value& a, const Value& b) {
  if (!a.is_tensor() || !b.is_tensor() || a.tensor().shape() != b.tensor().shape()) return HUGE_VAL;
  if (a.tensor().is_string() || b.tensor().is_string()) return same_value(a, b) ? 0 : HUGE_VAL;
  return max_distance(a.tensor(), b.tensor());
}

/// Calls visit(node, name, ours, theirs) for the values that both sides show, in the order of execution,
/// until it gives a cause.
template <class Visit>
std::optional<AlignCause> first_of_both(const Investigation& scene, Visit visit) {
  for (const Node& node : scene.graph().nodes) {
    for (ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      const std::string& name = scene.graph().value(id).name;
      const auto other = scene.other_values().find(name);
      const Value* ours = scene.inside().exact(name);
      if (ours == nullptr || other == scene.other_values().end()) continue;
      if (std::optional<AlignCause> cause = visit(node, name, *ours, other->second)) return cause;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<AlignCause> missing_output(const Investigation& scene) {
  for (const auto& [reference, candidate] : scene.scene().pairs) {
    if (reference >= 0 && candidate >= 0) continue;
    AlignCause cause;
    cause.kind = "structure";
    const Sample& there = reference < 0 ? scene.scene().actual : scene.scene().desired;
    cause.node = there[static_cast<size_t>(std::max(reference, candidate))].name;
    cause.message =
        fmt::format("the {} gives {} outputs and the {} {}: nothing stands for '{}'", "reference",
                    scene.scene().desired.size(), "candidate", scene.scene().actual.size(), cause.node);
    return cause;
  }
  return std::nullopt;
}

std::optional<AlignCause> other_shape(const Investigation& scene) {
  auto shape_of = [](const Value& value) {
    return value.is_tensor() ? std::optional<Shape>(value.tensor().shape()) : std::nullopt;
  };
  const Graph& graph = scene.graph();
  for (const OutputPair& pair : scene.outputs()) {
    const std::string our_type = ValueType::of(*pair.ours).to_string(),
                      their_type = ValueType::of(*pair.theirs).to_string();
    if (shape_of(*pair.ours) == shape_of(*pair.theirs)) {
      const bool same_type = pair.ours->is_tensor() && pair.theirs->is_tensor() &&
                             (pair.ours->tensor().type() == pair.theirs->tensor().type() ||
                              scene.subject().is_wide() || scene.other().is_wide());
      if (same_type || (!pair.theirs->is_tensor() && our_type == their_type)) continue;
    } else {
      // The first value of another shape is where the models part.
      auto cause =
          first_of_both(scene,
                        [&](const Node&, const std::string& name, const Value& ours,
                            const Value& theirs) -> std::optional<AlignCause> {
                          if (shape_of(ours) == shape_of(theirs)) return std::nullopt;
                          return scene.at(name, "shape",
                                          fmt::format("'{}' is {} in the {} and {} in the {}", name,
                                                      ValueType::of(ours).to_string(), scene.subject_name(),
                                                      ValueType::of(theirs).to_string(), scene.other_name()));
                        });
      if (cause) return cause;
    }
    const std::string& name = graph.value(pair.id).name;
    return scene.at(name, "shape",
                    fmt::format("output '{}' is {} in the {} and {} in the {}", name, our_type,
                                scene.subject_name(), their_type, scene.other_name()));
  }
  return std::nullopt;
}

std::optional<AlignCause> other_computation(const Investigation& scene) {
  const Graph& graph = scene.graph();
  auto cause = first_of_both(
      scene,
      [&](const Node& node, const std::string& name, const Value& ours,
          const Value& theirs) -> std::optional<AlignCause> {
        const double apart = distance(ours, theirs);
        if (!(apart > 2 * scene.inside().floor(name))) return std::nullopt;
        std::string why;
        if (const Graph* graph_there = scene.other_graph())
          if (const Node* there = producer(*graph_there, name))
            why = difference(node, *there, scene.subject_name(), scene.other_name());
        const std::string how =
            std::isfinite(apart)
                ? fmt::format("by {:.3g}, where rounding explains {:.2g}", apart, scene.inside().floor(name))
                : fmt::format("it is {} in the {} and {} in the {}", ValueType::of(ours).to_string(),
                              scene.subject_name(), ValueType::of(theirs).to_string(), scene.other_name());
        return scene.at(
            name, "computation",
            fmt::format("'{}' is the first value that differs by more than rounding explains: {}{}{}", name,
                        how, why.empty() ? "" : "; ", why));
      });
  if (cause) return cause;
  // Nothing inside can be compared: the output that is furthest away.
  double worst = -1;
  std::string name;
  for (const OutputPair& pair : scene.outputs()) {
    const double apart = distance(*pair.ours, *pair.theirs);
    if (apart <= worst) continue;
    worst = apart;
    name = graph.value(pair.id).name;
  }
  const bool has_values = !scene.other_values().empty();
  return scene.at(
      name, "computation",
      fmt::format("'{}' differs by {:.3g}, where rounding explains {:.2g}{}", name, worst,
                  scene.inside().floor(name),
                  has_values ? ""
                             : fmt::format("; the {} shows no values inside: with torch: or a model as "
                                           "that side the layer is named",
                                           scene.other_name())));
}

}  // namespace tenon::alignment
