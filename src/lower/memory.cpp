#include "lower/memory.h"

#include "base/try.h"
#include "lower/views.h"

namespace tenon::aten {

namespace {

template <class Visit>
void for_each_tensor(const Node& node, const Visit& visit) {
  for (const Argument& output : node.outputs) {
    if (const auto* tensor = output.get<TensorRef>()) visit(tensor->name, 0);
    if (const auto* list = output.get<TensorList>())
      for (size_t i = 0; i < list->names.size(); ++i) visit(list->names[i], i);
  }
}

}  // namespace

Memory::Memory(Graph& graph) : graph_(graph) {
  for (const auto& [name, meta] : graph.tensors) used_.insert(name);
  for (const auto& [name, symbol] : graph.symbols) used_.insert(name);
  for (const Node& node : graph.nodes) used_.insert(node.name);
}

Memory::Window* Memory::add_window(Window window) {
  windows_.push_back(std::move(window));
  return &windows_.back();
}

Memory::Window* Memory::find(const std::string& name) const {
  auto it = objects_.find(name);
  return it == objects_.end() ? nullptr : it->second->window;
}

void Memory::define(const std::string& name, const std::string& value) {
  blocks_.emplace_back();
  Window* window = add_window({.block = blocks_.size() - 1, .view = nullptr, .value = value});
  objects_[name] = std::make_shared<Object>(Object{window});
}

void Memory::alias(const std::string& name, const std::string& source) {
  objects_[name] = std::make_shared<Object>(Object{find(source)});
}

void Memory::same_object(const std::string& name, const std::string& source) {
  auto object = objects_[source];
  objects_[name] = std::move(object);
}

void Memory::reshape_object(const std::string& name, const std::string& shown) {
  objects_[name]->window = find(shown);
  same_object(shown, name);
}

void Memory::view(const Node& view, const std::string& source, bool is_certain) {
  Window* parent = find(source);
  const auto* single = view.outputs.size() == 1 ? view.outputs[0].get<TensorRef>() : nullptr;
  Window** known = nullptr;
  if (is_certain && single != nullptr) {
    // y[0] += 1 takes y[0] twice, once to read and once to write: both are one window.
    std::string key = view.target;
    for (size_t i = 1; i < view.inputs.size(); ++i)
      key += "|" + view.inputs[i].name + "=" + to_string(view.inputs[i].value);
    known = &views_[{parent, std::move(key)}];
    if (*known != nullptr) {
      objects_[single->name] = std::make_shared<Object>(Object{*known});
      return;
    }
  }
  auto node = std::make_shared<Node>(view);
  for_each_tensor(view, [&](const std::string& name, size_t index) {
    Window* window = add_window({.block = parent->block,
                                 .parent = parent,
                                 .view = node,
                                 .index = index,
                                 .is_certain = is_certain,
                                 .value = name,
                                 .version = blocks_[parent->block].version});
    objects_[name] = std::make_shared<Object>(Object{window});
    if (known != nullptr) *known = window;
  });
  graph_.nodes.push_back(view);
}

Result<std::string> Memory::read(const std::string& name) {
  Window* window = find(name);
  if (window == nullptr) return name;
  return read(*window);
}

Result<std::string> Memory::read(Window& window) {
  const Block& block = blocks_[window.block];
  std::vector<Window*> stale;  // from `window` up to the first whose value is current
  for (Window* at = &window; at->version != block.version || block.is_lost; at = at->parent) {
    if (block.is_lost || at->parent == nullptr || !at->is_certain)
      return fail(
          ErrorCode::kUnsupported,
          "reads memory that '{}' wrote, and whether it is the same depends on sizes that are not known",
          block.last_writer);
    stale.push_back(at);
  }
  for (size_t i = stale.size(); i-- > 0;) {
    Window& shown = *stale[i];
    Node node = *shown.view;
    node.inputs[0].value = TensorRef{shown.parent->value};
    rename_outputs(node, shown);
    graph_.nodes.push_back(std::move(node));
    shown.version = block.version;
  }
  return window.value;
}

// Gives a repeated view node new names; the window's own result becomes its value.
void Memory::rename_outputs(Node& node, Window& window) {
  size_t at = 0;
  for (Argument& output : node.outputs)
    for_each_name(output, [&](std::string& name) {
      std::string renamed = fresh(name);
      graph_.tensors[renamed] = graph_.tensors[name];
      if (at++ == window.index) window.value = renamed;
      name = std::move(renamed);
    });
  node.name = window.value;
}

Status Memory::read_names(Argument& argument) {
  Status status;
  for_each_name(argument, [&](std::string& name) {
    if (!status.ok()) return;
    auto value = read(name);
    if (value.ok())
      name = std::move(*value);
    else
      status = std::move(value.error());
  });
  return status;
}

// The new value of the window's parent, whose old one is `parent`.
Result<std::string> Memory::scatter(const Window& window, const std::string& parent, const std::string& value,
                                    const Node& writer) {
  auto node = scatter_node(graph_, *window.view, window.index, parent, value);
  if (!node)
    return fail(ErrorCode::kUnsupported, "writes through '{}' ({}), which has no functional form",
                window.view->name, window.view->target);
  if (node->target == "aten.alias.default") return value;
  std::string name = fresh(writer.name + "_scatter");
  graph_.tensors[name] = graph_.tensors[parent];
  node->name = name;
  node->outputs.emplace_back(TensorRef{name});
  node->origin = writer.origin;
  graph_.nodes.push_back(std::move(*node));
  return name;
}

Status Memory::write(const std::string& name, const std::string& value, const Node& writer) {
  Window* window = find(name);
  if (window == nullptr) return fail(ErrorCode::kInvalidModel, "writes into '{}', which is no tensor", name);
  if (value == TENON_TRY(read(*window))) return {};
  Block& block = blocks_[window->block];
  std::vector<std::pair<Window*, std::string>> changed{{window, value}};
  for (; window->parent != nullptr && window->is_certain; window = window->parent) {
    std::string parent = TENON_TRY(read(*window->parent));
    changed.emplace_back(window->parent, TENON_TRY(scatter(*window, parent, changed.back().second, writer)));
  }
  block.last_writer = writer.name;
  ++block.version;
  if (window->parent != nullptr) {
    block.is_lost = true;
    detach_block(*window, changed);
  }
  for (auto& [seen, seen_value] : changed) {
    seen->value = seen_value;
    seen->version = blocks_[seen->block].version;
  }
  return {};
}

// `window` may be a copy of what it shows: from here on it and those that were written through it have memory
// of their own, and nobody may read the rest of the old block.
void Memory::detach_block(Window& window, const std::vector<std::pair<Window*, std::string>>& changed) {
  blocks_.emplace_back();
  blocks_.back().version = 1;
  window.parent = nullptr;
  for (const auto& [seen, value] : changed) seen->block = blocks_.size() - 1;
}

bool Memory::is_written(const std::string& name) const {
  const Window* window = find(name);
  return window != nullptr && blocks_[window->block].version != 0;
}

std::string Memory::fresh(const std::string& name) {
  std::string candidate = name;
  for (int i = 1; !used_.insert(candidate).second; ++i) candidate = fmt::format("{}_{}", name, i);
  return candidate;
}

}  // namespace tenon::aten
