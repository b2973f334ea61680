#include "engine/partition.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "engine/reference_kernel.h"
#include "ops/attention/parts.h"
#include "ops/channels/moves.h"
#include "ops/conv/head.h"
#include "ops/conv/kernels.h"
#include "ops/fusion/gelu.h"
#include "ops/fusion/layer_norm.h"
#include "ops/fusion/tail.h"
#include "ops/matmul/head.h"
#include "ops/matmul/rows_head.h"
#include "ops/normalization/channel_layer_norm.h"
#include "ops/views/strided_view.h"

namespace tenon {

namespace {

bool is_anchor(Op op) {
  return op == Op::kConv || op == Op::kConvTranspose || op == Op::kGemm || op == Op::kMatMul;
}

/// Views before an operand that a product looks through at most.
constexpr size_t kViewsMax = 12;
constexpr size_t kNone = std::numeric_limits<size_t>::max();
/// Nodes of a region at most, or so: each one more is checked with all before it.
constexpr size_t kNodesMax = 256;

class Partitioner {
 public:
  explicit Partitioner(const Graph& graph)
      : graph_(graph),
        uses_(graph.uses()),
        region_at_(graph.nodes.size()),
        anchor_at_(graph.nodes.size()),
        viewed_by_(graph.nodes.size()),
        last_of_(graph.nodes.size()),
        readers_at_(graph.nodes.size()),
        claimed_(graph.nodes.size()) {}

  std::vector<ops::Region> run(bool fuse) {
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && graph_.nodes[n].op == Op::kSoftmax) claim_attention(n);
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && is_anchor(graph_.nodes[n].op) && !claimed_[n]) grow(n);
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && graph_.nodes[n].op == Op::kConv) grow_head(n);
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && graph_.nodes[n].op == Op::kMatMul) grow_views(n);
    drop_views();
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && graph_.nodes[n].op == Op::kMatMul) grow_rows(n);
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && !claimed_[n] && graph_.nodes[n].op == Op::kReduceMean) claim_layer_norm(n);
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && !claimed_[n] && graph_.nodes[n].op == Op::kLayerNormalization) claim_channel_layer_norm(n);
    // What nobody has taken becomes maps.
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && !claimed_[n] && ops::can_begin_map(graph_, graph_.nodes[n])) grow(n);
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      if (fuse && !claimed_[n] && ops::can_begin_moves(graph_.nodes[n])) grow_moves(n);
    std::vector<ops::Region> regions;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!region_at_[n].empty())
        regions.push_back(region_of(region_at_[n], anchor_at_[n]));
      else if (!claimed_[n])
        regions.push_back(region_of({n}));
    }
    return regions;
  }

 private:
  ops::Region region_of(const std::vector<size_t>& indices, size_t anchor = 0) const {
    std::vector<const Node*> nodes;
    for (size_t n : indices) nodes.push_back(&graph_.nodes[n]);
    std::vector<ValueId> outputs;
    for (ValueId id : nodes.back()->outputs)
      if (id != kNoValue) outputs.push_back(id);
    return make_region(graph_, std::move(nodes), anchor, std::move(outputs));
  }

  /// Whether the region with these nodes is an anchor with a tail that kernels may take.
  bool is_sound(const std::vector<size_t>& indices) const {
    ops::Region region = region_of(indices);
    if (!is_anchor(region.anchor_node().op)) return ops::fused_map(region).has_value();
    return has_tail(region);
  }
  static bool has_tail(const ops::Region& region) {
    const size_t first = ops::tail_begin(region);
    const Node& last = *region.nodes[first - 1];
    return last.has_output(0) && ops::fused_tail(region, first, last.outputs[0]).has_value();
  }

  /// Whether a region can go on with the node: no other one has it, nor looks through it at what is before.
  bool is_free(size_t n) const { return !claimed_[n] && viewed_by_[n].empty(); }

  /// The nodes that can join next: the one user of the result, a gate and the product with it (x * f(x)), or
  /// Gelu in many nodes.
  std::vector<size_t> followers(ValueId current) const {
    if (uses_.is_output[index(current)]) return {};
    const auto& users = uses_.users[index(current)];
    std::vector<size_t> next = ops::gelu_of(graph_, uses_, current);
    if (!next.empty() && std::ranges::all_of(next, [&](size_t n) { return is_free(n); })) return next;
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
      if (!is_free(n) || is_anchor(graph_.nodes[n].op) || !graph_.nodes[n].subgraphs.empty()) return {};
    return next;
  }

  /// Takes the anchor's followers into its region as long as the whole stays sound. The region runs in the
  /// place of its last node: everything that it reads is there by then, and nobody reads its inner values.
  void grow(size_t anchor) {
    std::vector<size_t> indices = {anchor};
    ValueId current = graph_.nodes[anchor].outputs.empty() ? kNoValue : graph_.nodes[anchor].outputs[0];
    while (current != kNoValue && indices.size() < kNodesMax) {
      std::vector<size_t> next = followers(current);
      if (next.empty()) break;
      std::vector<size_t> wider = indices;
      wider.insert(wider.end(), next.begin(), next.end());
      if (!is_sound(wider)) break;
      indices = std::move(wider);
      current = graph_.nodes[indices.back()].outputs[0];
    }
    if (graph_.nodes[anchor].op == Op::kConv && current != kNoValue) add_window(current, indices);
    claim(std::move(indices));
  }

  /// Takes a pool or depthwise convolution that reads windows of a convolution's result into its region, with
  /// what follows as far as kernels take it.
  void add_window(ValueId current, std::vector<size_t>& indices) const {
    const auto& users = uses_.users[index(current)];
    if (users.size() != 1 || uses_.is_output[index(current)] || !is_free(static_cast<size_t>(users[0])))
      return;
    std::vector<size_t> next = {static_cast<size_t>(users[0])};
    const Node& window = graph_.nodes[next[0]];
    if ((window.op != Op::kMaxPool && window.op != Op::kConv) || !window.has_output(0)) return;
    while (!next.empty() && indices.size() < kNodesMax) {
      std::vector<size_t> wider = indices;
      wider.insert(wider.end(), next.begin(), next.end());
      if (!ops::fits_with_window_behind(region_of(wider))) return;
      indices = std::move(wider);
      current = graph_.nodes[indices.back()].outputs[0];
      next = followers(current);
    }
  }

  /// Takes what makes the input of a convolution for nobody else into its region, as far as it is a head.
  void grow_head(size_t anchor) {
    const size_t last = last_of_[anchor];
    std::vector<size_t> indices = region_at_[last], head = {};
    const size_t without = indices.size();
    ValueId current = graph_.nodes[anchor].inputs[0];
    for (size_t count = 1; count <= ops::ConvHead::kNodesMax; ++count) {
      const int32_t producer = current == kNoValue ? -1 : uses_.producer[index(current)];
      if (producer < 0 || claimed_[static_cast<size_t>(producer)] || uses_.is_output[index(current)] ||
          uses_.users[index(current)].size() != 1)
        break;
      const Node& node = graph_.nodes[static_cast<size_t>(producer)];
      if (node.outputs.size() != 1 || !ops::can_end_head(graph_, node)) break;
      indices.insert(indices.begin(), static_cast<size_t>(producer));
      const ops::Region region = region_of(indices, count);
      if (ops::conv_head(region) && has_tail(region)) head = indices;
      if (node.op == Op::kConcat) break;
      // Of a product or sum, either operand may be the image.
      const size_t image = node.inputs.size() == 2 && !is_image(node.inputs[0]) ? 1 : 0;
      if (!node.has_input(image)) break;
      current = node.inputs[image];
    }
    if (head.empty()) return;
    for (size_t n : head) claimed_[n] = true;
    anchor_at_[last] = head.size() - without;
    region_at_[last] = std::move(head);
  }

  /// Whether the region with this last node begins with its anchor, the node.
  bool begins_with(size_t last, size_t anchor) const {
    return !region_at_[last].empty() && anchor_at_[last] == 0 && region_at_[last][0] == anchor;
  }

  /// The nodes that make a value from another one by views, in their order. They may serve several regions.
  std::vector<size_t> views_before(ValueId current) const {
    std::vector<size_t> views;
    while (current != kNoValue && views.size() < kViewsMax) {
      const int32_t producer = uses_.producer[index(current)];
      if (producer < 0 || claimed_[static_cast<size_t>(producer)]) break;
      const Node& node = graph_.nodes[static_cast<size_t>(producer)];
      current = ops::viewed_operand(graph_, node);
      if (current != kNoValue) views.insert(views.begin(), static_cast<size_t>(producer));
    }
    return views;
  }

  /// Lets a product read its operands through the views before them.
  void grow_views(size_t anchor) {
    const size_t last = last_of_[anchor];
    const Node& node = graph_.nodes[anchor];
    if (!begins_with(last, anchor) || node.inputs.size() != 2) return;
    std::array<std::vector<size_t>, 2> views = {views_before(node.inputs[0]), views_before(node.inputs[1])};
    // Without the first views as long as those that are left are none that a kernel takes.
    while (!views[0].empty() || !views[1].empty()) {
      std::vector<size_t> indices = views[0];
      indices.insert(indices.end(), views[1].begin(), views[1].end());
      std::ranges::sort(indices);
      const auto repeated = std::ranges::unique(indices);
      indices.erase(repeated.begin(), repeated.end());
      const size_t count = indices.size();
      indices.insert(indices.end(), region_at_[last].begin(), region_at_[last].end());
      const ops::Region region = region_of(indices, count);
      if (ops::matmul_head(region) && has_tail(region)) {
        for (size_t n : std::span(indices).first(count)) viewed_by_[n].push_back(last);
        anchor_at_[last] = count;
        readers_at_[last] = {anchor};
        region_at_[last] = std::move(indices);
        return;
      }
      std::vector<size_t>& longer = views[0].size() > views[1].size() ? views[0] : views[1];
      longer.erase(longer.begin());
    }
  }

  /// Lets a product with a constant matrix move and normalise the rows of its first operand as it reads them.
  void grow_rows(size_t anchor) {
    const size_t last = last_of_[anchor];
    const Node& product = graph_.nodes[anchor];
    if (!begins_with(last, anchor) || product.inputs.size() != 2 || product.inputs[1] == kNoValue ||
        graph_.constant(product.inputs[1]) == nullptr)
      return;
    // From the last node to the first: a value belongs to the head when all of its users do.
    std::set<size_t> head, next;
    const auto look_at = [&](ValueId id) {
      const int32_t producer = id == kNoValue ? -1 : uses_.producer[index(id)];
      if (producer >= 0) next.insert(static_cast<size_t>(producer));
    };
    look_at(product.inputs[0]);
    while (!next.empty() && head.size() < ops::RowsHead::kNodesMax) {
      const size_t n = *next.rbegin();
      next.erase(n);
      const Node& node = graph_.nodes[n];
      const auto is_within = [&](int32_t user) {
        return static_cast<size_t>(user) == anchor || head.contains(static_cast<size_t>(user));
      };
      if (!is_free(n) || !ops::can_be_in_rows_head(node) || !node.has_output(0) ||
          uses_.is_output[index(node.outputs[0])] ||
          !std::ranges::all_of(uses_.users[index(node.outputs[0])], is_within))
        continue;
      head.insert(n);
      for (size_t i = 0; i < (node.op == Op::kConcat ? node.inputs.size() : 1); ++i) look_at(node.inputs[i]);
    }
    // Without the first nodes as long as those that are left are none that a kernel takes.
    for (; !head.empty(); head.erase(head.begin())) {
      std::vector<size_t> indices(head.begin(), head.end());
      indices.insert(indices.end(), region_at_[last].begin(), region_at_[last].end());
      const ops::Region region = region_of(indices, head.size());
      if (!ops::rows_head(region) || !has_tail(region)) continue;
      for (size_t n : head) claimed_[n] = true;
      anchor_at_[last] = head.size();
      region_at_[last] = std::move(indices);
      return;
    }
  }

  /// Takes attention from its first product to its second one, and the views around them. What is unknown of
  /// it, a sum with many users for one, leaves all to others.
  void claim_attention(size_t softmax) {
    const std::vector<size_t> scores = scores_before(softmax);
    if (scores.empty()) return;
    const Node& first = graph_.nodes[scores.front()];
    std::vector<size_t> own = scores;
    own.push_back(softmax);
    const size_t second = only_user(softmax);
    if (second == kNone || graph_.nodes[second].op != Op::kMatMul || graph_.nodes[second].inputs.size() != 2)
      return;
    own.push_back(second);
    const size_t without_views = own.size();
    for (size_t n = only_user(second); n != kNone; n = only_user(n)) {
      const Op op = graph_.nodes[n].op;
      if (!is_free(n) || (op != Op::kReshape && (op != Op::kTranspose || own.size() > without_views))) break;
      own.push_back(n);
    }
    std::array<std::vector<size_t>, 3> views = {views_before(first.inputs[0]), views_before(first.inputs[1]),
                                                views_before(graph_.nodes[second].inputs[1])};
    // Without the views behind, and then without the first of those before, as long as no kernel takes them.
    for (;;) {
      std::vector<size_t> indices;
      for (const std::vector<size_t>& part : views) indices.insert(indices.end(), part.begin(), part.end());
      std::ranges::sort(indices);
      const auto repeated = std::ranges::unique(indices);
      indices.erase(repeated.begin(), repeated.end());
      const size_t count = indices.size();
      for (size_t behind : {own.size(), without_views}) {
        std::vector<size_t> all = indices;
        all.insert(all.end(), own.begin(), own.begin() + static_cast<std::ptrdiff_t>(behind));
        if (!ops::attention_parts(region_of(all, count + scores.size()))) continue;
        own.resize(behind);
        claim(own);
        const size_t last = own.back();
        for (size_t n : indices) viewed_by_[n].push_back(last);
        anchor_at_[last] = count + scores.size();
        readers_at_[last] = {scores.front(), second};
        region_at_[last] = std::move(all);
        return;
      }
      const auto longest = std::ranges::max_element(views, {}, &std::vector<size_t>::size);
      if (longest->empty()) return;
      longest->erase(longest->begin());
    }
  }

  /// The nodes from a product to what a Softmax reads, each for the next one alone; nothing when there is
  /// none.
  std::vector<size_t> scores_before(size_t softmax) const {
    std::vector<size_t> nodes;
    size_t current = softmax;
    while (nodes.size() < kViewsMax) {
      // Of a sum, either operand may come from the product.
      size_t next = kNone;
      for (ValueId id : graph_.nodes[current].inputs) {
        const int32_t producer = id == kNoValue ? -1 : uses_.producer[index(id)];
        if (producer < 0) continue;
        const auto n = static_cast<size_t>(producer);
        if (claimed_[n] || only_user(n) != current) continue;
        const bool is_product = graph_.nodes[n].op == Op::kMatMul && graph_.nodes[n].inputs.size() == 2;
        if (!is_product && !ops::can_be_in_scores(graph_.nodes[n])) continue;
        next = n;
        if (is_product) break;
      }
      if (next == kNone) return {};
      nodes.insert(nodes.begin(), next);
      if (graph_.nodes[next].op == Op::kMatMul) return nodes;
      current = next;
    }
    return {};
  }

  /// The one node that reads what a node makes; kNone when there are more, or an output of the graph.
  size_t only_user(size_t n) const {
    const Node& node = graph_.nodes[n];
    if (node.outputs.size() != 1 || node.outputs[0] == kNoValue || uses_.is_output[index(node.outputs[0])])
      return kNone;
    const auto& users = uses_.users[index(node.outputs[0])];
    return users.size() == 1 && !claimed_[static_cast<size_t>(users[0])] ? static_cast<size_t>(users[0])
                                                                         : kNone;
  }

  /// Whether the reader `user` of a view's result reads it through a region, and all such regions look
  /// through the view.
  bool looks_through(size_t user, size_t view) const {
    std::vector<size_t> regions = viewed_by_[user];
    if (regions.empty()) {
      const size_t region = last_of_[user];
      if (std::ranges::find(readers_at_[region], user) == readers_at_[region].end()) return false;
      regions = {region};
    } else if (!claimed_[user]) {
      return false;  // it runs by itself, too
    }
    return std::ranges::all_of(regions, [&](size_t region) {
      const auto head = std::span(region_at_[region]).first(anchor_at_[region]);
      return std::ranges::find(head, view) != head.end();
    });
  }

  /// Leaves out the views that nobody reads any more.
  void drop_views() {
    for (size_t n = graph_.nodes.size(); n > 0; --n) {
      const size_t view = n - 1;
      if (viewed_by_[view].empty()) continue;
      claimed_[view] = std::ranges::all_of(graph_.nodes[view].outputs, [&](ValueId id) {
        return id == kNoValue ||
               (!uses_.is_output[index(id)] && std::ranges::all_of(uses_.users[index(id)], [&](int32_t user) {
                 return looks_through(static_cast<size_t>(user), view);
               }));
      });
    }
  }

  /// Whether the value has pixels, other than a factor for each channel.
  bool is_image(ValueId id) const {
    const ValueType* type = id == kNoValue ? nullptr : &graph_.value(id).type;
    return type != nullptr && type->shape && type->shape->size() == 4 &&
           ((*type->shape)[2].constant() != 1 || (*type->shape)[3].constant() != 1);
  }

  void claim_layer_norm(size_t first) {
    std::vector<size_t> indices = ops::layer_norm_at(graph_, uses_, first);
    if (indices.empty() || std::ranges::any_of(indices, [&](size_t n) { return !is_free(n); })) return;
    claim(std::move(indices));
  }

  /// Takes the Transposes before and behind a LayerNormalization when only it needs channels last.
  void claim_channel_layer_norm(size_t norm) {
    const Node& node = graph_.nodes[norm];
    if (!node.has_input(0) || !node.has_output(0)) return;
    const int32_t before = uses_.producer[index(node.inputs[0])];
    const auto &readers = uses_.users[index(node.inputs[0])], &after = uses_.users[index(node.outputs[0])];
    if (before < 0 || readers.size() != 1 || after.size() != 1 || uses_.is_output[index(node.inputs[0])] ||
        uses_.is_output[index(node.outputs[0])])
      return;
    const std::vector<size_t> indices = {static_cast<size_t>(before), norm, static_cast<size_t>(after[0])};
    if (std::ranges::any_of(indices, [&](size_t n) { return !is_free(n); }) ||
        !ops::is_channel_layer_norm(region_of(indices, 1)))
      return;
    claim(indices);
    anchor_at_[indices.back()] = 1;
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
      if (users.size() != 1 || !is_free(static_cast<size_t>(users[0]))) break;
      indices.push_back(static_cast<size_t>(users[0]));
    }
    if (whole <= 1) return;
    indices.resize(whole);
    claim(std::move(indices));
  }

  void claim(std::vector<size_t> indices) {
    for (size_t n : indices) {
      claimed_[n] = true;
      last_of_[n] = indices.back();
    }
    region_at_[indices.back()] = std::move(indices);
  }

  const Graph& graph_;
  Graph::Uses uses_;
  std::vector<std::vector<size_t>> region_at_;   // by the index of a region's last node
  std::vector<size_t> anchor_at_;                // where its anchor is
  std::vector<std::vector<size_t>> viewed_by_;   // the regions, by their last nodes, that look through a view
  std::vector<size_t> last_of_;                  // by the index of a region's node, its last node
  std::vector<std::vector<size_t>> readers_at_;  // the region's products that look through views
  std::vector<bool> claimed_;
};

}  // namespace

std::vector<ops::Region> partition(const Graph& graph, const EngineOptions& options) {
  return Partitioner(graph).run(!options.references_only);
}

}  // namespace tenon
