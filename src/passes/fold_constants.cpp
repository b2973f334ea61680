#include <algorithm>
#include <unordered_map>

#include "ops/core/evaluate.h"
#include "ops/core/registry.h"
#include "passes/pass.h"

namespace tenon::passes {

namespace {

// A result may be this much larger than what it is made of, and no more: an Expand or Tile stays a node. But
// masks of windows and grids of positions that are somewhat large are folded, while all of them stay small.
constexpr uint64_t kFreeBytes = 64 << 10;
constexpr uint64_t kGrowth = 4;
constexpr uint64_t kLargeBytes = 1 << 20, kAllLargeBytes = 32 << 20;

/// The tensor whose elements inference knows to be plain numbers, though a node computes it.
std::optional<Tensor> tracked_tensor(const GraphValue& value) {
  const ValueType& type = value.type;
  if (!value.elements || !type.is_tensor() || !type.shape || type.element != DataType::kInt64)
    return std::nullopt;
  auto shape = constant_shape(*type.shape);
  if (!shape) return std::nullopt;
  std::vector<int64_t> elements;
  for (const SymInt& element : *value.elements) {
    if (!element.is_constant()) return std::nullopt;
    elements.push_back(*element.constant());
  }
  auto count = element_count(*shape);
  if (!count.ok() || *count != static_cast<int64_t>(elements.size())) return std::nullopt;
  return Tensor::from<int64_t>(DataType::kInt64, *shape, elements);
}

/// Bytes of all outputs by their inferred types; nullopt when not known.
std::optional<uint64_t> output_bytes(const Graph& graph, const Node& node) {
  uint64_t total = 0;
  for (ValueId id : node.outputs) {
    if (id == kNoValue) continue;
    const ValueType& type = graph.value(id).type;
    if (!type.is_tensor() || !type.shape) return std::nullopt;
    auto shape = constant_shape(*type.shape);
    auto count = shape ? element_count(*shape) : Result<int64_t>(int64_t{-1});
    if (!count.ok() || *count < 0 || *count > int64_t{1} << 40) return std::nullopt;
    total += static_cast<uint64_t>(*count) * element_size(type.element);
  }
  return total;
}

class Folder {
 public:
  explicit Folder(const Graph& graph) : graph_(graph), patch_(graph) {
    inputs_.assign(graph.value_count(), false);
    for (ValueId id : graph.inputs) inputs_[index(id)] = true;
  }

  GraphPatch run() {
    for (const Node& node : graph_.nodes) fold(node);
    return std::move(patch_);
  }

 private:
  const Tensor* constant(ValueId id) const {
    if (auto folded = folded_.find(id); folded != folded_.end()) return &folded->second;
    const GraphValue& value = graph_.value(id);
    return value.constant && !inputs_[index(id)] ? &*value.constant : nullptr;
  }

  void set(ValueId id, Tensor tensor) {
    patch_.fold(id, tensor);
    folded_.emplace(id, std::move(tensor));
  }

  void fold(const Node& node) {
    bool all_tracked = !node.outputs.empty();
    for (ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      if (auto tensor = tracked_tensor(graph_.value(id)))
        set(id, std::move(*tensor));
      else
        all_tracked = false;
    }
    if (all_tracked) return;
    const ops::OpDef& def = ops::op_def(node.op);
    if (!def.traits.deterministic || def.reference == nullptr || !node.subgraphs.empty()) return;
    std::vector<Value> inputs;
    uint64_t input_bytes = 0;
    for (ValueId id : node.inputs) {
      const Tensor* tensor = id == kNoValue ? nullptr : constant(id);
      if (id != kNoValue && tensor == nullptr) return;
      inputs.emplace_back(tensor != nullptr ? *tensor : Tensor());
      if (tensor != nullptr) input_bytes += tensor->bytes();
    }
    auto bytes = output_bytes(graph_, node);
    if (!bytes) return;
    if (*bytes > kFreeBytes + kGrowth * input_bytes) {
      if (*bytes > kLargeBytes || large_bytes_ + *bytes > kAllLargeBytes) return;
      large_bytes_ += *bytes;
    }
    std::vector<const Value*> pointers;
    for (size_t i = 0; i < inputs.size(); ++i)
      pointers.push_back(node.inputs[i] == kNoValue ? nullptr : &inputs[i]);
    auto outputs = ops::evaluate_node(node, pointers);
    if (!outputs.ok()) return;  // the run will say what is wrong, if it gets there
    for (const Value& output : *outputs)
      if (!output.is_tensor()) return;
    for (size_t i = 0; i < node.outputs.size() && i < outputs->size(); ++i)
      if (node.outputs[i] != kNoValue && !folded_.contains(node.outputs[i]))
        set(node.outputs[i], (*outputs)[i].tensor());
  }

  const Graph& graph_;
  GraphPatch patch_;
  std::vector<bool> inputs_;
  std::unordered_map<ValueId, Tensor> folded_;
  uint64_t large_bytes_ = 0;  // folded beyond the growth that is free
};

}  // namespace

Result<GraphPatch> fold_constants(const Graph& graph, const PassContext&) {
  return Folder(graph).run();
}

}  // namespace tenon::passes
