#include "ops/channels/moves.h"

#include <algorithm>
#include <unordered_map>

namespace tenon::ops {

namespace {

/// The channels of a value: of [N, C, H, W], or in groups, [N, groups, C / groups, H, W].
struct Channels {
  std::vector<kernels::ChannelSource> sources;
  bool in_groups = false;
};

bool is_float32(const ValueType& type, size_t rank) {
  return type.is_tensor() && type.element == DataType::kFloat32 && type.shape && type.shape->size() == rank;
}

/// The dimensions of images and pixels: all but those of channels.
std::array<SymInt, 3> sides(const SymShape& shape) {
  return {shape[0], shape[shape.size() - 2], shape[shape.size() - 1]};
}

class Tracer {
 public:
  explicit Tracer(const Region& region) : region_(region) {}

  bool trace(const Node& node) {
    if (!node.has_input(0) || !node.has_output(0)) return false;
    switch (node.op) {
      case Op::kConcat:
        return concat(node);
      case Op::kSplit:
        return split(node);
      case Op::kReshape:
        return reshape(node);
      case Op::kTranspose:
        return transpose(node);
      default:
        return false;
    }
  }

  /// What is known of a value, also when it comes from outside. Null when it has no known channels.
  const Channels* find(ValueId id) {
    if (auto known = known_.find(id); known != known_.end()) return &known->second;
    const auto outside = std::ranges::find(region_.inputs, id);
    const ValueType& type = region_.type(id);
    if (outside == region_.inputs.end() || !is_float32(type, 4)) return nullptr;
    const auto count = (*type.shape)[1].constant();
    if (!count || *count <= 0 || *count > kChannelsMax) return nullptr;
    Channels channels;
    for (int64_t c = 0; c < *count; ++c) channels.sources.push_back({inputs_.size(), c});
    inputs_.push_back(static_cast<size_t>(outside - region_.inputs.begin()));
    return &(known_[id] = std::move(channels));
  }

  std::vector<size_t>& inputs() { return inputs_; }

 private:
  static constexpr int64_t kChannelsMax = 1 << 16;

  const SymShape& shape_of(ValueId id) const { return *region_.type(id).shape; }

  bool concat(const Node& node) {
    const int64_t axis = node.attributes.integer("axis");
    if (axis != 1 && axis != -3) return false;
    Channels all;
    for (ValueId id : node.inputs) {
      const Channels* channels = find(id);
      if (channels == nullptr || channels->in_groups ||
          sides(shape_of(id)) != sides(shape_of(node.inputs[0])))
        return false;
      all.sources.insert(all.sources.end(), channels->sources.begin(), channels->sources.end());
    }
    known_[node.outputs[0]] = std::move(all);
    return true;
  }

  bool split(const Node& node) {
    const int64_t axis = node.attributes.integer("axis");
    const Channels* channels = find(node.inputs[0]);
    if ((axis != 1 && axis != -3) || channels == nullptr || channels->in_groups) return false;
    const std::vector<kernels::ChannelSource> sources = channels->sources;
    size_t first = 0;
    for (ValueId id : node.outputs) {
      if (id == kNoValue || !is_float32(region_.type(id), 4)) return false;
      const auto count = shape_of(id)[1].constant();
      if (!count || *count <= 0 || *count > static_cast<int64_t>(sources.size() - first)) return false;
      const auto begin = sources.begin() + static_cast<ptrdiff_t>(first);
      known_[id] = {{begin, begin + *count}, false};
      first += static_cast<size_t>(*count);
    }
    return first == sources.size();
  }

  bool reshape(const Node& node) {
    const Channels* channels = find(node.inputs[0]);
    const ValueId made = node.outputs[0];
    if (channels == nullptr || !is_float32(region_.type(made), channels->in_groups ? 4 : 5)) return false;
    const auto count = static_cast<int64_t>(channels->sources.size());
    const SymShape &from = shape_of(node.inputs[0]), &to = shape_of(made);
    if (sides(from) != sides(to)) return false;
    if (channels->in_groups ? !to[1].is(count)
                            : !to[1].is_constant() || !to[2].is_constant() || !(to[1] * to[2]).is(count))
      return false;
    Channels result{channels->sources, !channels->in_groups};
    known_[made] = std::move(result);
    return true;
  }

  bool transpose(const Node& node) {
    const Channels* channels = find(node.inputs[0]);
    if (channels == nullptr || !channels->in_groups ||
        node.attributes.integers("perm") != std::vector<int64_t>{0, 2, 1, 3, 4})
      return false;
    const SymShape& shape = shape_of(node.inputs[0]);
    const auto groups = static_cast<size_t>(*shape[1].constant());
    const auto each = static_cast<size_t>(*shape[2].constant());
    Channels result{{}, true};
    for (size_t j = 0; j < each; ++j)
      for (size_t i = 0; i < groups; ++i) result.sources.push_back(channels->sources[i * each + j]);
    known_[node.outputs[0]] = std::move(result);
    return true;
  }

  const Region& region_;
  std::vector<size_t> inputs_;
  std::unordered_map<ValueId, Channels> known_;
};

}  // namespace

bool can_begin_moves(const Node& node) {
  return node.op == Op::kConcat || node.op == Op::kSplit || node.op == Op::kReshape;
}

std::optional<MovedChannels> moved_channels(const Region& region, bool partial) {
  Tracer tracer(region);
  for (const Node* node : region.nodes)
    if (!tracer.trace(*node)) return std::nullopt;
  MovedChannels moved;
  for (ValueId id : region.outputs) {
    const Channels* channels = tracer.find(id);
    if (channels == nullptr) return std::nullopt;
    if (!channels->in_groups)
      moved.outputs.push_back(channels->sources);
    else if (!partial)
      return std::nullopt;
  }
  moved.inputs = std::move(tracer.inputs());
  return moved;
}

}  // namespace tenon::ops
