#include "ir/graph.h"

#include <algorithm>
#include <functional>

namespace tenon {

namespace {

uint64_t hash_of(std::string_view name) {
  return std::hash<std::string_view>{}(name);
}

}  // namespace

const Graph* Node::subgraph(std::string_view attribute) const {
  for (const auto& [key, graph] : subgraphs)
    if (key == attribute) return graph.get();
  return nullptr;
}

ValueId Graph::find(std::string_view value_name) const {
  auto [first, last] = names_.equal_range(hash_of(value_name));
  for (auto it = first; it != last; ++it)
    if (values_[it->second].name == value_name) return ValueId{it->second};
  return kNoValue;
}

std::string Graph::unique_name(std::string_view wish) const {
  std::string base(wish.empty() ? "value" : wish);
  if (!wish.empty() && find(base) == kNoValue) return base;
  for (size_t suffix = wish.empty() ? values_.size() : 1;; ++suffix) {
    std::string candidate = base + "_" + std::to_string(suffix);
    if (find(candidate) == kNoValue) return candidate;
  }
}

ValueId Graph::add_value(std::string_view value_name, ValueType type) {
  std::string unique = unique_name(value_name);
  auto id = static_cast<uint32_t>(values_.size());
  names_.emplace(hash_of(unique), id);
  values_.push_back({std::move(unique), std::move(type), std::nullopt, std::nullopt});
  return ValueId{id};
}

ValueId Graph::add_constant(std::string_view value_name, Tensor tensor) {
  ValueId id = add_value(value_name, ValueType::tensor(tensor.type(), to_sym(tensor.shape())));
  value(id).constant = std::move(tensor);
  return id;
}

ValueId Graph::add_input(std::string_view value_name, ValueType type) {
  ValueId id = add_value(value_name, std::move(type));
  inputs.push_back(id);
  return id;
}

void Graph::rename(ValueId id, std::string_view value_name) {
  auto [first, last] = names_.equal_range(hash_of(value(id).name));
  for (auto it = first; it != last; ++it) {
    if (it->second == static_cast<uint32_t>(id)) {
      names_.erase(it);
      break;
    }
  }
  value(id).name = value_name;
  names_.emplace(hash_of(value_name), static_cast<uint32_t>(id));
}

const Tensor* Graph::constant(ValueId id) const {
  if (id == kNoValue) return nullptr;
  const GraphValue& v = value(id);
  return v.constant && !is_input(id) ? &*v.constant : nullptr;
}

bool Graph::is_input(ValueId id) const {
  return std::find(inputs.begin(), inputs.end(), id) != inputs.end();
}

Graph::Uses Graph::uses() const {
  Uses result;
  result.producer.assign(values_.size(), -1);
  result.users.resize(values_.size());
  result.is_output.assign(values_.size(), false);
  for (size_t n = 0; n < nodes.size(); ++n) {
    auto node_index = static_cast<int32_t>(n);
    auto use = [&](ValueId id) {
      if (id == kNoValue) return;
      auto& users = result.users[index(id)];
      if (users.empty() || users.back() != node_index) users.push_back(node_index);
    };
    for (ValueId id : nodes[n].inputs) use(id);
    for (const auto& [key, graph] : nodes[n].subgraphs)
      for (const Capture& capture : graph->captures) use(capture.outer);
    for (ValueId id : nodes[n].outputs)
      if (id != kNoValue) result.producer[index(id)] = node_index;
  }
  for (ValueId id : outputs) result.is_output[index(id)] = true;
  return result;
}

}  // namespace tenon
