#include "ir/verifier.h"

#include <unordered_set>

#include "base/try.h"

namespace tenon {

namespace {

constexpr int kDepthMax = 64;

class GraphVerifier {
 public:
  GraphVerifier(const Graph& graph, const Graph* outer, const std::vector<bool>* outer_available, int depth)
      : graph_(graph),
        outer_(outer),
        outer_available_(outer_available),
        depth_(depth),
        available_(graph.value_count(), false),
        made_(graph.value_count(), false) {}

  Status run() {
    if (depth_ > kDepthMax)
      return fail(ErrorCode::kInternal, "subgraphs are nested deeper than {}", kDepthMax);
    TENON_TRY(check_values());
    for (ValueId id : graph_.inputs) TENON_TRY(make(id, "input"));
    TENON_TRY(check_captures());
    for (const Node& node : graph_.nodes) {
      Status status = check_node(node);
      if (!status.ok()) {
        const std::string_view op = static_cast<int>(node.op) < kOpCount ? op_name(node.op) : "?";
        return at_node(std::move(status.error()), node.name, op);
      }
    }
    for (ValueId id : graph_.outputs) {
      TENON_TRY(check_id(id, "output"));
      if (!available_[index(id)])
        return fail(ErrorCode::kInternal, "nothing makes the graph's output '{}'", graph_.value(id).name);
    }
    return {};
  }

 private:
  Status check_id(ValueId id, std::string_view what) const {
    if (index(id) < graph_.value_count()) return {};
    return fail(ErrorCode::kInternal, "an {} has the id {}, and the graph has {} values", what, index(id),
                graph_.value_count());
  }

  /// `id` comes into being here.
  Status make(ValueId id, std::string_view what) {
    TENON_TRY(check_id(id, what));
    if (made_[index(id)])
      return fail(ErrorCode::kInternal, "value '{}' is made twice", graph_.value(id).name);
    made_[index(id)] = true;
    available_[index(id)] = true;
    return {};
  }

  Status check_values() {
    std::unordered_set<std::string_view> names;
    for (size_t i = 0; i < graph_.value_count(); ++i) {
      const GraphValue& value = graph_.value(ValueId{static_cast<uint32_t>(i)});
      if (value.name.empty()) return fail(ErrorCode::kInternal, "value {} has no name", i);
      if (!names.insert(value.name).second)
        return fail(ErrorCode::kInternal, "two values have the name '{}'", value.name);
      Status status = check_type(value);
      if (!status.ok()) return at_node(std::move(status.error()), value.name, "");
      if (value.constant) available_[i] = true;
    }
    return {};
  }

  static Status check_type(const GraphValue& value) {
    if (value.constant) {
      const ValueType actual = ValueType::of(*value.constant);
      if (!value.constant->defined()) return fail(ErrorCode::kInternal, "the constant has no element type");
      const bool fits = value.type.is_tensor() && value.type.element == actual.element &&
                        (!value.type.shape || !constant_shape(*value.type.shape) ||
                         *constant_shape(*value.type.shape) == value.constant->shape());
      if (!fits) {
        return fail(ErrorCode::kInternal, "the constant is {}, its type says {}", actual.to_string(),
                    value.type.to_string());
      }
    }
    if (value.elements) {
      if (!value.type.is_tensor())
        return fail(ErrorCode::kInternal, "elements are known of what is no tensor");
      const auto count = value.type.shape ? tenon::element_count(*value.type.shape).constant() : std::nullopt;
      if (count && *count != static_cast<int64_t>(value.elements->size())) {
        return fail(ErrorCode::kInternal, "{} elements are known of {}", value.elements->size(),
                    value.type.to_string());
      }
    }
    return {};
  }

  Status check_captures() {
    if (!graph_.captures.empty() && outer_ == nullptr)
      return fail(ErrorCode::kInternal, "the main graph captures values");
    for (const Capture& capture : graph_.captures) {
      if (index(capture.outer) >= outer_->value_count())
        return fail(ErrorCode::kInternal, "a capture names the value {} of the enclosing graph, which has {}",
                    index(capture.outer), outer_->value_count());
      if (!(*outer_available_)[index(capture.outer)]) {
        return fail(ErrorCode::kInternal, "value '{}' is captured before it is made",
                    outer_->value(capture.outer).name);
      }
      TENON_TRY(make(capture.inner, "capture"));
    }
    return {};
  }

  Status check_node(const Node& node) {
    if (static_cast<int>(node.op) >= kOpCount)
      return fail(ErrorCode::kInternal, "the operator has the number {}", static_cast<int>(node.op));
    for (ValueId id : node.inputs) {
      if (id == kNoValue) continue;
      TENON_TRY(check_id(id, "input"));
      if (!available_[index(id)]) {
        return fail(ErrorCode::kInternal, "input '{}' is used before it is made", graph_.value(id).name);
      }
    }
    for (const auto& [attribute, body] : node.subgraphs) {
      if (body == nullptr) return fail(ErrorCode::kInternal, "the subgraph '{}' is missing", attribute);
      TENON_TRY(GraphVerifier(*body, &graph_, &available_, depth_ + 1).run());
    }
    for (ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      TENON_TRY(make(id, "output"));
      if (graph_.value(id).constant)
        return fail(ErrorCode::kInternal, "output '{}' is a constant as well", graph_.value(id).name);
    }
    return {};
  }

  const Graph& graph_;
  const Graph* outer_;
  const std::vector<bool>* outer_available_;
  int depth_;
  std::vector<bool> available_;  // by value: can be used at this point
  std::vector<bool> made_;       // by value: an input, a capture, or an output of a node so far
};

}  // namespace

Status verify(const Graph& graph) {
  return GraphVerifier(graph, nullptr, nullptr, 0).run();
}

Status verify(const TypedModel& model) {
  return verify(model.graph);
}

}  // namespace tenon
