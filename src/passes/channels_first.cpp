// Layers between a LayerNormalization or Transpose of channels last and a Transpose to channels first become
// 1x1 convolutions of channels first, so that images stay in one layout.
#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ops/core/registry.h"
#include "ops/transpose/channels_last.h"
#include "passes/pass.h"

namespace tenon::passes {

namespace {

using Perm = std::vector<int64_t>;

/// Nodes that are moved at most to the other side of a Transpose.
constexpr size_t kNodesMax = 64;

bool is_arithmetic(Op op) {
  return op == Op::kAdd || op == Op::kSub || op == Op::kMul || op == Op::kDiv;
}

/// The nodes between the boundary, a value of channels last, and a Transpose to channels first.
struct Chain {
  std::vector<size_t> nodes;  // ascending
  ValueId boundary = kNoValue;
};

class ChannelsFirst {
 public:
  explicit ChannelsFirst(const Graph& graph) : graph_(graph), patch_(graph), uses_(graph.uses()) {}

  GraphPatch run() {
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!ops::turns_channels_first(graph_.nodes[n])) continue;
      if (auto chain = chain_before(n)) move(n, *chain);
    }
    return std::move(patch_);
  }

 private:
  const Node* producer(ValueId id) const {
    const int32_t n = id == kNoValue ? -1 : uses_.producer[index(id)];
    return n < 0 ? nullptr : &graph_.nodes[static_cast<size_t>(n)];
  }

  /// The number of channels of a float32 [N, H, W, C]; 0 for other values.
  int64_t channels_of(ValueId id) const {
    const ValueType& type = graph_.value(id).type;
    if (!type.is_tensor() || type.element != DataType::kFloat32 || !type.shape || type.shape->size() != 4)
      return 0;
    return (*type.shape)[3].constant().value_or(0);
  }

  /// Whether a value begins a chain: a Transpose cancels the one that the chain then begins with, and a
  /// LayerNormalization runs as one step with the ones around it.
  bool is_boundary(ValueId id) const {
    const Node* node = producer(id);
    if (node->op != Op::kLayerNormalization) return ops::turns_channels_last(*node);
    const Node* before = producer(node->inputs[0]);
    return ops::is_over_last_of_four(*node) && before != nullptr && ops::turns_channels_last(*before);
  }

  /// A constant matrix, or the transpose of one.
  struct Matrix {
    const Tensor* data = nullptr;
    bool is_transposed = false;
  };

  /// The right operand of a MatMul; without data when it is no constant.
  Matrix matrix_of(const Node& node) const {
    if (node.op != Op::kMatMul || !node.has_input(1)) return {};
    const Node* before = producer(node.inputs[1]);
    const bool is_transposed = before != nullptr && ops::is_transpose_by(*before, {1, 0});
    const Tensor* data = graph_.constant(is_transposed ? before->inputs[0] : node.inputs[1]);
    if (data == nullptr || data->type() != DataType::kFloat32 || data->rank() != 2) return {};
    return {data, is_transposed};
  }

  /// A matrix [K, N] as the weights [N, K, 1, 1] of a convolution.
  static Tensor weights_of(const Matrix& matrix) {
    const int64_t rows = matrix.data->dim(0), columns = matrix.data->dim(1);
    if (matrix.is_transposed) return matrix.data->reshaped({rows, columns, 1, 1});
    Tensor weights = Tensor::allocate(DataType::kFloat32, {columns, rows, 1, 1});
    float* to = weights.mutable_data<float>();
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t k = 0; k < rows; ++k) *to++ = matrix.data->data<float>()[k * columns + j];
    return weights;
  }

  /// A constant that broadcasts along the channels of [N, H, W, C], or over everything, as one that does of
  /// [N, C, H, W]; undefined for others.
  Tensor along_channels(ValueId id, int64_t channels) const {
    const Tensor* constant = id == kNoValue ? nullptr : graph_.constant(id);
    if (constant == nullptr || constant->type() != DataType::kFloat32 || constant->rank() > 4) return {};
    if (constant->size() == 1) return constant->reshaped({});
    if (constant->size() != channels || constant->shape().back() != channels) return {};
    return constant->reshaped({channels, 1, 1});
  }

  /// The operands of a node that have pixels, when it does the same for each pixel; else none.
  std::vector<ValueId> images_of(const Node& node) const {
    if (node.outputs.size() != 1 || !node.has_output(0) || !node.has_input(0)) return {};
    const int64_t channels = channels_of(node.outputs[0]);
    if (channels == 0) return {};
    if (matrix_of(node).data != nullptr && channels_of(node.inputs[0]) > 0) return {node.inputs[0]};
    const auto is_alike = [&](ValueId id) {
      return *graph_.value(id).type.shape == *graph_.value(node.outputs[0]).type.shape;
    };
    if (node.inputs.size() == 1)
      return ops::op_def(node.op).traits.elementwise ? node.inputs : std::vector<ValueId>{};
    if (!is_arithmetic(node.op) || node.inputs.size() != 2 || !node.has_input(1)) return {};
    std::vector<ValueId> images;
    for (ValueId id : node.inputs) {
      if (along_channels(id, channels).defined()) continue;
      if (graph_.constant(id) != nullptr || channels_of(id) != channels || !is_alike(id)) return {};
      images.push_back(id);
    }
    return images;
  }

  std::optional<Chain> chain_before(size_t transpose) const {
    Chain chain;
    bool has_product = false;
    std::vector<ValueId> open = {graph_.nodes[transpose].inputs[0]};
    while (!open.empty()) {
      const ValueId id = open.back();
      open.pop_back();
      const Node* node = producer(id);
      if (node == nullptr || channels_of(id) == 0 || chain.nodes.size() >= kNodesMax) return std::nullopt;
      if (is_boundary(id)) {
        if (chain.boundary != kNoValue && chain.boundary != id) return std::nullopt;
        chain.boundary = id;
        continue;
      }
      const auto n = static_cast<size_t>(uses_.producer[index(id)]);
      if (std::ranges::find(chain.nodes, n) != chain.nodes.end()) continue;
      const std::vector<ValueId> images = images_of(*node);
      if (images.empty()) return std::nullopt;
      has_product = has_product || node->op == Op::kMatMul;
      chain.nodes.push_back(n);
      open.insert(open.end(), images.begin(), images.end());
    }
    std::ranges::sort(chain.nodes);
    for (size_t n : chain.nodes)
      if (!is_inner(n, chain, transpose)) return std::nullopt;
    return has_product && chain.boundary != kNoValue ? std::optional(chain) : std::nullopt;
  }

  /// Whether nobody outside of the chain reads what the node makes.
  bool is_inner(size_t n, const Chain& chain, size_t transpose) const {
    const ValueId id = graph_.nodes[n].outputs[0];
    return !uses_.is_output[index(id)] && std::ranges::all_of(uses_.users[index(id)], [&](int32_t user) {
      const auto u = static_cast<size_t>(user);
      return u == transpose || std::ranges::binary_search(chain.nodes, u);
    });
  }

  ValueId channels_first(ValueId id) {
    const GraphValue& value = graph_.value(id);
    const SymShape& s = *value.type.shape;
    return patch_.new_value(value.name + ".channels_first",
                            ValueType::tensor(DataType::kFloat32, SymShape{s[0], s[3], s[1], s[2]}));
  }

  /// The form that `make` gives a constant, once for all of its readers; forms differ by their most axes.
  template <class Make>
  ValueId moved_constant(ValueId id, int axes, const Make& make) {
    const auto [known, is_new] = constants_.try_emplace({id, axes}, kNoValue);
    if (is_new) known->second = patch_.new_constant(graph_.value(id).name + ".channels_first", make());
    return known->second;
  }

  /// The only reader of a product when it adds a constant for each column, which becomes the bias of a
  /// convolution; null when there is none.
  struct Bias {
    const Node* sum = nullptr;
    ValueId constant = kNoValue;
  };
  Bias bias_after(const Node& product) const {
    const auto& users = uses_.users[index(product.outputs[0])];
    if (users.size() != 1) return {};
    const Node& sum = graph_.nodes[static_cast<size_t>(users[0])];
    if (sum.op != Op::kAdd || sum.inputs.size() != 2 || sum.inputs[0] == sum.inputs[1]) return {};
    const int64_t channels = channels_of(product.outputs[0]);
    const ValueId other = sum.inputs[sum.inputs[0] == product.outputs[0] ? 1 : 0];
    const Tensor constant = along_channels(other, channels);
    if (!constant.defined() || constant.size() != channels) return {};
    return {&sum, other};
  }

  void move(size_t transpose, const Chain& chain) {
    std::unordered_map<ValueId, ValueId> moved;  // from channels last to channels first
    const size_t first = chain.nodes.front();
    Node turn = graph_.nodes[transpose];
    turn.name += ".before";
    turn.inputs = {chain.boundary};
    turn.outputs = {moved[chain.boundary] = channels_first(chain.boundary)};
    patch_.insert(first, std::move(turn));
    for (size_t n : chain.nodes) {
      const Node& node = graph_.nodes[n];
      patch_.remove(n);
      if (moved.contains(node.outputs[0])) continue;  // the bias of a convolution
      Node with = node;
      ValueId result = node.outputs[0];
      if (node.op == Op::kMatMul) {
        with.op = Op::kConv;
        with.inputs = {moved.at(node.inputs[0]),
                       moved_constant(node.inputs[1], 4, [&] { return weights_of(matrix_of(node)); })};
        if (const Bias bias = bias_after(node); bias.sum != nullptr) {
          const int64_t channels = channels_of(node.outputs[0]);
          with.inputs.push_back(moved_constant(bias.constant, 1, [&] {
            return along_channels(bias.constant, channels).reshaped({channels});
          }));
          result = bias.sum->outputs[0];
        }
        with.attributes = {};
        with.attributes.set("kernel_shape", Perm{1, 1});
        with.attributes.set("strides", Perm{1, 1});
        with.attributes.set("dilations", Perm{1, 1});
        with.attributes.set("pads", Perm{0, 0, 0, 0});
        with.attributes.set("group", int64_t{1});
        with.attributes.set("auto_pad", "NOTSET");
      } else {
        for (ValueId& id : with.inputs) {
          if (const auto known = moved.find(id); known != moved.end())
            id = known->second;
          else
            id = moved_constant(id, 3, [&] { return along_channels(id, channels_of(node.outputs[0])); });
        }
      }
      with.outputs = {moved[result] = channels_first(result)};
      patch_.insert(n, std::move(with));
    }
    patch_.replace(graph_.nodes[transpose].outputs[0], moved.at(graph_.nodes[transpose].inputs[0]));
    patch_.remove(transpose);
  }

  const Graph& graph_;
  GraphPatch patch_;
  Graph::Uses uses_;
  std::map<std::pair<ValueId, int>, ValueId> constants_;  // as they are behind the Transposes
};

}  // namespace

Result<GraphPatch> move_channels_first(const Graph& graph, const PassContext&) {
  return ChannelsFirst(graph).run();
}

}  // namespace tenon::passes
