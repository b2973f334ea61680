// What computes: references and kernel rows. A reference is the plain statement of an operator for all of its
// element types; a kernel row is a fast way for some of them. Rows of an operator are tried in order and the
// list ends in the reference.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "base/function_ref.h"
#include "base/try.h"
#include "ir/graph.h"
#include "kernels/packing.h"

namespace tenon::ops {

/// What a kernel may ask of the engine that runs it. Implemented by src/runtime (and by tests).
class RunServices {
 public:
  virtual ~RunServices() = default;
  /// Memory for output i of the running step: planned memory when the plan foresaw this type and shape, else
  /// fresh. The contents are not set.
  virtual Tensor allocate_output(size_t i, DataType type, Shape shape) = 0;
  /// Calls body(begin, end) for disjoint ranges that cover [0, count), perhaps at the same time. Ranges begin
  /// at multiples of `grain`. The result must not depend on how the ranges are cut.
  virtual void parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) = 0;
  /// How many threads parallel_for shares among.
  virtual int threads() const = 0;
  /// Scratch memory, 64-byte aligned, valid until the step ends; contents not set.
  virtual std::byte* scratch(size_t bytes) = 0;
  /// Runs a subgraph of the node with values for its formal inputs.
  virtual Result<std::vector<Value>> run_subgraph(const Node& node, std::string_view attribute,
                                                  std::vector<Value> inputs) = 0;
  /// A seed for operators that draw random numbers and were given none.
  virtual uint64_t random_seed() = 0;
  /// An error once the run was cancelled or its deadline passed. Long loops ask now and then.
  virtual Status interrupted() = 0;
};

/// The inputs, outputs and services of one step while it runs.
class KernelContext {
 public:
  KernelContext(const Node& node, std::span<const Value* const> inputs, std::span<Value> outputs,
                RunServices& services)
      : node_(node), inputs_(inputs), outputs_(outputs), services_(services) {}

  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }
  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const { return outputs_.size(); }
  bool has_input(size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr; }
  bool wants_output(size_t i) const { return i < outputs_.size() && node_.has_output(i); }
  const Value& value(size_t i) const { return *inputs_[i]; }
  const Tensor& input(size_t i) const { return inputs_[i]->tensor(); }

  /// Output i as a new tensor to fill.
  Tensor& output(size_t i, DataType type, Shape shape) {
    outputs_[i] = services_.allocate_output(i, type, std::move(shape));
    return outputs_[i].tensor();
  }
  /// Output i as an existing value; sharing an input's bytes is allowed.
  void set_output(size_t i, Value value) { outputs_[i] = std::move(value); }

  void parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
    services_.parallel_for(count, grain, body);
  }
  RunServices& services() { return services_; }

  /// The same step with other values for its inputs, which outlive the result.
  KernelContext with_inputs(std::span<const Value* const> inputs) const {
    return {node_, inputs, outputs_, services_};
  }

 private:
  const Node& node_;
  std::span<const Value* const> inputs_;
  std::span<Value> outputs_;
  RunServices& services_;
};

/// Computes all wanted outputs. Checks what the types do not guarantee (index ranges, shapes known only now).
using Reference = Status (*)(KernelContext&);

/// A part of a graph that one step of an engine computes: an anchor node and the nodes fused around it, in an
/// order in which they can run. The nodes stay as they are: they are the region's reference.
struct Region {
  const Graph* graph = nullptr;
  std::vector<const Node*> nodes;
  size_t anchor = 0;             ///< Index in `nodes` of the operator that gave the kernel.
  std::vector<ValueId> inputs;   ///< Values from outside that are not constants, each once.
  std::vector<ValueId> outputs;  ///< Values that are used outside.

  const Node& anchor_node() const { return *nodes[anchor]; }
  bool is_single() const { return nodes.size() == 1; }
  const ValueType& type(ValueId id) const { return graph->value(id).type; }
  /// The constant behind input `i` of a node of the region, or null.
  const Tensor* constant_input(const Node& node, size_t i) const {
    return node.has_input(i) ? graph->constant(node.inputs[i]) : nullptr;
  }
};

/// A region made ready to run: constants packed, choices made. Immutable, used by many threads at once.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// `context` inputs and outputs are the region's, in order.
  virtual Status run(KernelContext& context) const = 0;
};

/// How the elements of a float32 tensor [N, C, H, W] lie in memory between steps.
enum class Layout : uint8_t {
  kPlain,    ///< Row-major, as the shape says.
  kBlocked,  ///< NCHWc, for the lanes c of the instruction set: kernels/layout/blocked.h.
};

/// Which layouts a row works on.
struct RowLayouts {
  Layout input = Layout::kPlain;   ///< Of the anchor's first input.
  Layout output = Layout::kPlain;  ///< Of the output, and of all other inputs that are tensors [N, C, H, W].
  /// The row pays for reordering inputs that have another layout; others are taken only when nothing has to
  /// be.
  bool seeks = false;
};

struct KernelRow {
  std::string_view name;               ///< "conv_gemm_f32"
  Isa isa;                             ///< The least instruction set; exactly this one for blocked layouts.
  bool (*fits)(const Region& region);  ///< By operators, types, ranks, attributes and constants.
  /// Packed weights come from `packing`, in an order that depends on the region alone.
  Result<std::unique_ptr<Kernel>> (*prepare)(const Region& region, kernels::Packing& packing);
  RowLayouts layouts = {};
  /// The error of an element of [N, C, H, W] follows the largest sum in its plane, not its own (Winograd):
  /// the operator's tolerance holds with the largest.
  bool spreads = false;
  /// Whether the row is expected to be faster than those after it that fit: by shapes and the instruction set
  /// alone, never by timing. Null: always.
  bool (*pays)(const Region& region) = nullptr;
  /// Its multiplications over those of the plain algorithm, for sizes that are known. Null: as many.
  double (*work)(const Region& region) = nullptr;
  /// How many times the operator's tolerance its errors may take. Rows of more than 1 run only for those who
  /// name them.
  double error = 1;
};

}  // namespace tenon::ops
