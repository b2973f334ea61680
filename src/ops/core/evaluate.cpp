#include "ops/core/evaluate.h"

#include <memory>
#include <new>

#include "ops/core/registry.h"

namespace tenon::ops {

namespace {

constexpr int kMaxDepth = 64;

// The values of one graph while it runs.
struct Frame {
  const Graph& graph;
  std::vector<Value> owned;
  std::vector<const Value*> values;  // by ValueId; null: not there
};

class Evaluator : public RunServices {
 public:
  explicit Evaluator(const EvaluateOptions& options) : options_(options) {}

  Result<std::vector<Value>> run(const Graph& graph, const std::vector<const Value*>& inputs,
                                 const Frame* outer) {
    if (depth_ >= kMaxDepth) return fail(ErrorCode::kLimit, "subgraphs are nested deeper than {}", kMaxDepth);
    Frame frame{graph, std::vector<Value>(graph.value_count()),
                std::vector<const Value*>(graph.value_count(), nullptr)};
    for (size_t i = 0; i < graph.value_count(); ++i) {
      const GraphValue& value = graph.value(ValueId{static_cast<uint32_t>(i)});
      if (!value.constant) continue;
      frame.owned[i] = *value.constant;
      frame.values[i] = &frame.owned[i];
    }
    if (outer)
      for (const Capture& capture : graph.captures)
        frame.values[index(capture.inner)] = outer->values[index(capture.outer)];
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      if (i < inputs.size() && inputs[i]) frame.values[index(graph.inputs[i])] = inputs[i];
      if (!frame.values[index(graph.inputs[i])])
        return fail(ErrorCode::kMismatch, "input '{}' is missing", graph.value(graph.inputs[i]).name);
    }
    std::vector<uint32_t> remaining = use_counts(graph);
    for (const Node& node : graph.nodes) {
      if (options_.interrupted) TENON_TRY(options_.interrupted());
      TENON_TRY(run_node(node, frame, outer == nullptr));
      auto release = [&](ValueId id) {
        if (id != kNoValue && --remaining[index(id)] == 0) frame.owned[index(id)] = Value();
      };
      for (ValueId id : node.inputs) release(id);
      for (const auto& [key, body] : node.subgraphs)
        for (const Capture& capture : body->captures) release(capture.outer);
    }
    std::vector<Value> results;
    for (ValueId id : graph.outputs) {
      if (!frame.values[index(id)])
        return fail(ErrorCode::kInternal, "value '{}' was not computed", graph.value(id).name);
      results.push_back(*frame.values[index(id)]);
    }
    return results;
  }

  Status run_node(const Node& node, Frame& frame, bool observed) {
    const OpDef& def = op_def(node.op);
    std::vector<const Value*> inputs;
    for (ValueId id : node.inputs) inputs.push_back(id == kNoValue ? nullptr : frame.values[index(id)]);
    std::vector<Value> outputs(node.outputs.size());
    const Frame* enclosing = std::exchange(frame_, &frame);
    Status status = call(def, node, inputs, outputs);
    frame_ = enclosing;
    if (!status.ok()) return at_node(std::move(status.error()), node.name, def.name);
    if (observed && options_.after_node) TENON_TRY(options_.after_node(node, inputs, outputs));
    for (size_t i = 0; i < outputs.size(); ++i) {
      ValueId id = node.outputs[i];
      if (id == kNoValue) continue;
      frame.owned[index(id)] = std::move(outputs[i]);
      frame.values[index(id)] = &frame.owned[index(id)];
    }
    return {};
  }

  Status call(const OpDef& def, const Node& node, std::span<const Value* const> inputs,
              std::span<Value> outputs) {
    if (!def.reference) return fail(ErrorCode::kUnsupported, "{} cannot be run", def.name);
    KernelContext context(node, inputs, outputs, *this);
    try {
      return def.reference(context);
    } catch (const std::bad_alloc&) {
      return fail(ErrorCode::kOutOfMemory, "an output of {} does not fit into memory", def.name);
    }
  }

  Tensor allocate_output(size_t, DataType type, Shape shape) override {
    return Tensor::allocate(type, std::move(shape));
  }
  void parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) override {
    if (count <= 0) return;
    if (options_.parallel_for)
      options_.parallel_for(count, grain, body);
    else
      body(0, count);
  }
  int threads() const override { return 1; }
  std::byte* scratch(size_t bytes) override {
    if (scratch_.bytes() < bytes)
      scratch_ = Tensor::allocate(DataType::kUInt8, {static_cast<int64_t>(bytes)});
    return scratch_.mutable_raw();
  }
  Result<std::vector<Value>> run_subgraph(const Node& node, std::string_view attribute,
                                          std::vector<Value> inputs) override {
    const Graph* body = node.subgraph(attribute);
    if (!body) return fail(ErrorCode::kInvalidModel, "subgraph '{}' is missing", attribute);
    std::vector<const Value*> pointers;
    for (const Value& value : inputs) pointers.push_back(&value);
    const Frame* frame = frame_;
    ++depth_;
    auto result = run(*body, pointers, frame);
    --depth_;
    frame_ = frame;
    return result;
  }
  uint64_t random_seed() override { return options_.random_seed + 0x9e3779b97f4a7c15u * ++draws_; }
  Status interrupted() override { return options_.interrupted ? options_.interrupted() : Status{}; }

 private:
  static std::vector<uint32_t> use_counts(const Graph& graph) {
    std::vector<uint32_t> counts(graph.value_count(), 0);
    for (const Node& node : graph.nodes) {
      for (ValueId id : node.inputs)
        if (id != kNoValue) ++counts[index(id)];
      for (const auto& [key, body] : node.subgraphs)
        for (const Capture& capture : body->captures) ++counts[index(capture.outer)];
    }
    for (ValueId id : graph.outputs) ++counts[index(id)];
    return counts;
  }

  const EvaluateOptions& options_;
  const Frame* frame_ = nullptr;
  Tensor scratch_;
  int depth_ = 0;
  uint64_t draws_ = 0;
};

}  // namespace

Result<std::vector<Value>> evaluate(const Graph& graph, const std::vector<const Value*>& inputs,
                                    const EvaluateOptions& options) {
  return Evaluator(options).run(graph, inputs, nullptr);
}

Result<std::vector<Value>> evaluate_node(const Node& node, const std::vector<const Value*>& inputs,
                                         const EvaluateOptions& options) {
  Evaluator evaluator(options);
  std::vector<Value> outputs(node.outputs.size());
  const OpDef& def = op_def(node.op);
  Status status = evaluator.call(def, node, inputs, outputs);
  if (!status.ok()) return at_node(std::move(status.error()), node.name, def.name);
  return outputs;
}

}  // namespace tenon::ops
