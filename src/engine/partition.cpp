#include "engine/partition.h"

#include <algorithm>

#include "engine/reference_kernel.h"
#include "ops/channels/moves.h"
#include "ops/fusion/gelu.h"
#include "ops/fusion/layer_norm.h"
#include "ops/fusion/tail.h"

namespace tenon {

namespace {

bool is_anchor(Op op) {
  return op == Op::kConv || op == Op::kGemm || op == Op::kMatMul;
}

class Partitioner {
 public:
  explicit Partitioner(const Graph& graph)
      : graph_(graph), uses_(graph.uses()), region_at_(graph.nodes.size()), claimed_(graph.nodes.size()) {}

  std::vector<ops::Region> run(bool fuse) {
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && is_anchor(graph_.nodes[n].op) && !claimed_[n]) grow(n);
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && !claimed_[n] && graph_.nodes[n].op == Op::kReduceMean) claim_layer_norm(n);
    // What nobody has taken becomes maps.
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && !claimed_[n] && ops::can_begin_map(graph_, graph_.nodes[n])) grow(n);
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && !claimed_[n] && ops::can_begin_moves(graph_.nodes[n])) grow_moves(n);
    std::vector<ops::Region> regions;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!region_at_[n].empty())
        regions.push_back(region_of(region_at_[n]));
      else if (!claimed_[n])
        regions.push_back(region_of({n}));
    }
    return regions;
  }

 private:
  ops::Region region_of(const std::vector<size_t>& indices) const {
    std::vector<const Node*> nodes;
    for (size_t n : indices) nodes.push_back(&graph_.nodes[n]);
    std::vector<ValueId> outputs;
    for (ValueId id : nodes.back()->outputs)
      if (id != kNoValue) outputs.push_back(id);
    return make_region(graph_, std::move(nodes), 0, std::move(outputs));
  }

  /// Whether the region with these nodes is an anchor with a tail that kernels may take.
  bool is_sound(const std::vector<size_t>& indices) const {
    ops::Region region = region_of(indices);
    if (!is_anchor(region.nodes[0]->op)) return ops::fused_map(region).has_value();
    const size_t first = ops::folded_nodes(region);
    return ops::fused_tail(region, first, region.nodes[first - 1]->outputs[0]).has_value();
  }

  /// The nodes that can join next: the one user of the result, a gate and the product with it (x * f(x)), or
  /// Gelu in many nodes.
  std::vector<size_t> followers(ValueId current) const {
    if (uses_.is_output[index(current)]) return {};
    const auto& users = uses_.users[index(current)];
    std::vector<size_t> next = ops::gelu_of(graph_, uses_, current);
    if (!next.empty() && std::ranges::none_of(next, [&](size_t n) { return claimed_[n]; })) return next;
    next.clear();
    for (int32_t user : users) next.push_back(static_cast<size_t>(user));
    if (next.size() == 2) {
      ValueId gate = graph_.nodes[next[0]].outputs.empty() ? kNoValue : graph_.nodes[next[0]].outputs[0];
      if (gate == kNoValue || uses_.is_output[index(gate)] ||
          uses_.users[index(gate)] != std::vector<int32_t>{users[1]})
        return {};
    } else if (next.size() != 1) {
      return {};
    }
    for (size_t n : next)
      if (claimed_[n] || is_anchor(graph_.nodes[n].op) || !graph_.nodes[n].subgraphs.empty()) return {};
    return next;
  }

  /// Takes the anchor's followers into its region as long as the whole stays sound. The region runs in the
  /// place of its last node: everything that it reads is there by then, and nobody reads its inner values.
  void grow(size_t anchor) {
    std::vector<size_t> indices = {anchor};
    ValueId current = graph_.nodes[anchor].outputs.empty() ? kNoValue : graph_.nodes[anchor].outputs[0];
    while (current != kNoValue) {
      std::vector<size_t> next = followers(current);
      if (next.empty()) break;
      std::vector<size_t> wider = indices;
      wider.insert(wider.end(), next.begin(), next.end());
      if (!is_sound(wider)) break;
      indices = std::move(wider);
      current = graph_.nodes[indices.back()].outputs[0];
    }
    claim(std::move(indices));
  }

  void claim_layer_norm(size_t first) {
    std::vector<size_t> indices = ops::layer_norm_at(graph_, uses_, first);
    if (indices.empty() || std::ranges::any_of(indices, [&](size_t n) { return claimed_[n]; })) return;
    claim(std::move(indices));
  }

  /// Takes what moves channels on, one node after the other, up to the last one that gives images again.
  void grow_moves(size_t first) {
    std::vector<size_t> indices = {first};
    size_t whole = 0;
    while (ops::moved_channels(region_of(indices), true)) {
      if (ops::moved_channels(region_of(indices))) whole = indices.size();
      const Node& last = graph_.nodes[indices.back()];
      if (last.outputs.size() != 1 || uses_.is_output[index(last.outputs[0])]) break;
      const auto& users = uses_.users[index(last.outputs[0])];
      if (users.size() != 1 || claimed_[static_cast<size_t>(users[0])]) break;
      indices.push_back(static_cast<size_t>(users[0]));
    }
    if (whole <= 1) return;
    indices.resize(whole);
    claim(std::move(indices));
  }

  void claim(std::vector<size_t> indices) {
    for (size_t n : indices) claimed_[n] = true;
    region_at_[indices.back()] = std::move(indices);
  }

  const Graph& graph_;
  Graph::Uses uses_;
  std::vector<std::vector<size_t>> region_at_;  // by the index of a region's last node
  std::vector<bool> claimed_;
};

}  // namespace

std::vector<ops::Region> partition(const Graph& graph, const EngineOptions& options) {
  return Partitioner(graph).run(!options.references_only);
}

}  // namespace tenon
