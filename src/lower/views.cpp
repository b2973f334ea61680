#include "lower/views.h"

#include <algorithm>
#include <numeric>

#include "lower/aten/argument_reader.h"

namespace tenon::aten {

namespace {

bool any_of(std::string_view op, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), op) != names.end();
}

// Same elements in the same order under another shape.
bool is_reshape(std::string_view op) {
  return any_of(op,
                {"view", "reshape", "flatten", "unflatten", "unsqueeze", "squeeze", "view_as", "reshape_as",
                 "ravel", "_unsafe_view", "_reshape_alias", "atleast_1d", "atleast_2d", "atleast_3d"});
}

bool is_conversion(std::string_view op) {
  return any_of(op, {"to", "type_as", "_autocast_to_full_precision", "_autocast_to_reduced_precision"});
}

// Dropout returns its input itself when it does not train, without saying so in its schema.
bool is_dropout(std::string_view op) {
  return any_of(op, {"dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"});
}

bool differ(const SymInt& a, const SymInt& b) {
  return a.is_constant() && b.is_constant() && !(a == b);
}

// kAlways when the tensor is row-major without gaps.
Sharing contiguous(const TensorMeta& meta) {
  if (meta.strides.size() != meta.sizes.size()) return Sharing::kMaybe;
  Sharing result = Sharing::kAlways;
  SymInt expected = 1;
  for (size_t i = meta.sizes.size(); i-- > 0;) {
    if (meta.sizes[i].is(1)) continue;
    if (differ(meta.strides[i], expected)) return Sharing::kNever;
    if (!(meta.strides[i] == expected)) result = Sharing::kMaybe;
    expected *= meta.sizes[i];
  }
  return result;
}

// Whether a tensor can be seen under another shape without a copy. Follows PyTorch's rule (computeStride in
// aten/src/ATen/TensorUtils.cpp): the old dimensions fall into runs that are contiguous among themselves, and
// each new dimension must lie within one run.
Sharing viewable(const TensorMeta& from, const SymShape& to) {
  Sharing whole = contiguous(from);
  if (whole == Sharing::kAlways) return whole;
  if (from.strides.size() != from.sizes.size()) return Sharing::kMaybe;
  auto old_sizes = constant_shape(from.sizes), old_strides = constant_shape(from.strides),
       sizes = constant_shape(to);
  if (!old_sizes || !old_strides || !sizes) return Sharing::kMaybe;
  if (std::find(old_sizes->begin(), old_sizes->end(), 0) != old_sizes->end()) return Sharing::kAlways;
  if (old_sizes->empty()) return Sharing::kAlways;
  int64_t view_at = static_cast<int64_t>(sizes->size()) - 1;
  int64_t run_elements = 1, view_elements = 1, base_stride = old_strides->back();
  for (int64_t at = static_cast<int64_t>(old_sizes->size()) - 1; at >= 0; --at) {
    auto i = static_cast<size_t>(at);
    if (__builtin_mul_overflow(run_elements, (*old_sizes)[i], &run_elements)) return Sharing::kMaybe;
    bool run_ends =
        at == 0 || ((*old_sizes)[i - 1] != 1 && (*old_strides)[i - 1] != run_elements * base_stride);
    if (!run_ends) continue;
    while (view_at >= 0 && (view_elements < run_elements || (*sizes)[static_cast<size_t>(view_at)] == 1)) {
      if (__builtin_mul_overflow(view_elements, (*sizes)[static_cast<size_t>(view_at)], &view_elements))
        return Sharing::kMaybe;
      --view_at;
    }
    if (view_elements != run_elements) return Sharing::kNever;
    if (at > 0) base_stride = (*old_strides)[i - 1];
    run_elements = view_elements = 1;
  }
  return view_at == -1 ? Sharing::kAlways : Sharing::kNever;
}

Sharing converts(const ArgumentReader& reader, const TensorMeta& from, const TensorMeta& to) {
  if (from.type != to.type || from.device.type != to.device.type) return Sharing::kNever;
  auto copy = reader.optional_boolean("copy");
  if (copy.ok() && copy->value_or(false)) return Sharing::kNever;
  auto format = reader.optional_memory_format("memory_format");
  bool keeps = !format.ok() || !*format || **format == MemoryFormat::kPreserve;
  return keeps ? Sharing::kAlways : Sharing::kMaybe;
}

const TensorMeta* first_output_meta(const Graph& graph, const Node& node) {
  const auto* output = node.outputs.empty() ? nullptr : node.outputs[0].get<TensorRef>();
  return output == nullptr ? nullptr : graph.find_tensor(output->name);
}

Node make(std::string target, std::vector<NamedArgument> inputs) {
  Node node;
  node.target = std::move(target);
  node.inputs = std::move(inputs);
  return node;
}

// `view`'s operator in its scatter form: the same arguments after the source.
Node scatter_like(const Node& view, std::string target, const std::string& parent, const std::string& value) {
  Node node = make(std::move(target), {{"self", TensorRef{parent}}, {"src", TensorRef{value}}});
  for (size_t i = 1; i < view.inputs.size(); ++i) node.inputs.push_back(view.inputs[i]);
  return node;
}

Node slice_scatter(const std::string& parent, const std::string& value, int64_t dim, int64_t start,
                   int64_t end) {
  return make("aten.slice_scatter.default", {{"self", TensorRef{parent}},
                                             {"src", TensorRef{value}},
                                             {"dim", dim},
                                             {"start", start},
                                             {"end", end},
                                             {"step", int64_t{1}}});
}

Node reshape_to(const Graph& graph, const std::string& value, const std::string& parent) {
  const TensorMeta* meta = graph.find_tensor(parent);
  auto sizes = meta == nullptr ? std::nullopt : constant_shape(meta->sizes);
  if (sizes) return make("aten.reshape.default", {{"self", TensorRef{value}}, {"shape", std::move(*sizes)}});
  return make("aten.reshape_as.default", {{"self", TensorRef{value}}, {"other", TensorRef{parent}}});
}

// Splits give consecutive slices along a dimension: where slice `index` begins and ends.
std::optional<Node> unsplit(const Graph& graph, const Node& view, size_t index, const std::string& parent,
                            const std::string& value) {
  ArgumentReader reader(graph, view);
  auto dim = reader.integer("dim");
  const auto* parts = view.outputs.empty() ? nullptr : view.outputs[0].get<TensorList>();
  const TensorMeta* meta = graph.find_tensor(parent);
  if (!dim.ok() || parts == nullptr || meta == nullptr) return std::nullopt;
  auto rank = static_cast<int64_t>(meta->sizes.size());
  int64_t axis = *dim < 0 ? *dim + rank : *dim;
  if (axis < 0 || axis >= rank) return std::nullopt;
  int64_t start = 0;
  for (size_t i = 0; i <= index && i < parts->names.size(); ++i) {
    const TensorMeta* part = graph.find_tensor(parts->names[i]);
    if (part == nullptr || part->sizes.size() != meta->sizes.size()) return std::nullopt;
    auto length = part->sizes[static_cast<size_t>(axis)].constant();
    if (!length) return std::nullopt;
    if (i == index) return slice_scatter(parent, value, axis, start, start + *length);
    start += *length;
  }
  return std::nullopt;
}

std::optional<Node> unpermute(const ArgumentReader& reader, const std::string& value) {
  auto dims = reader.integers("dims");
  if (!dims.ok()) return std::nullopt;
  auto rank = static_cast<int64_t>(dims->size());
  std::vector<int64_t> inverse(dims->size());
  for (int64_t i = 0; i < rank; ++i) {
    int64_t axis = (*dims)[static_cast<size_t>(i)];
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank) return std::nullopt;
    inverse[static_cast<size_t>(axis)] = i;
  }
  return make("aten.permute.default", {{"self", TensorRef{value}}, {"dims", std::move(inverse)}});
}

}  // namespace

ViewInfo view_info(const Graph& graph, const Node& node) {
  ArgumentReader reader(graph, node);
  std::string_view op = reader.op();
  const Schema* schema = find_schema(node.target);
  if (schema == nullptr || schema->return_count == 0 || schema->argument_count == 0) return {};
  bool undeclared =
      op == "type_as" || is_dropout(op) || any_of(op, {"atleast_1d", "atleast_2d", "atleast_3d"});
  char letter = schema->result(0).alias;
  if (letter == 0 && !undeclared) return {};
  SchemaSlot shared = schema->argument(0);
  if (shared.is_written || (letter != 0 && shared.alias != letter)) return {};
  if (node.inputs.empty() || node.inputs[0].name != shared.name) return {};
  const auto* source = node.inputs[0].value.get<TensorRef>();
  if (source == nullptr) return {};
  ViewInfo info{source->name, Sharing::kAlways, any_of(op, {"alias", "detach", "lift_fresh"})};
  const TensorMeta* from = graph.find_tensor(source->name);
  const TensorMeta* to = first_output_meta(graph, node);
  if (from == nullptr || to == nullptr) return info;
  if (is_dropout(op)) {
    auto train = reader.boolean("train");
    auto p = reader.number("p");
    info.sharing = train.ok() && p.ok() && (!*train || *p == 0) ? Sharing::kAlways : Sharing::kNever;
  } else if (op == "contiguous") {
    auto format = reader.optional_memory_format("memory_format");
    bool plain = format.ok() && format->value_or(MemoryFormat::kContiguous) == MemoryFormat::kContiguous;
    info.sharing = plain ? contiguous(*from) : Sharing::kMaybe;
  } else if (is_conversion(op)) {
    info.sharing = converts(reader, *from, *to);
  } else if (any_of(op, {"reshape", "flatten", "reshape_as", "ravel"})) {
    info.sharing = viewable(*from, to->sizes);
  }
  if (info.sharing == Sharing::kNever) return {};
  return info;
}

std::optional<Node> scatter_node(const Graph& graph, const Node& view, size_t index,
                                 const std::string& parent, const std::string& value) {
  ArgumentReader reader(graph, view);
  std::string_view op = reader.op();
  if (op == "slice") return scatter_like(view, "aten.slice_scatter.default", parent, value);
  if (op == "diagonal") return scatter_like(view, "aten.diagonal_scatter.default", parent, value);
  if (view.target == "aten.select.int")
    return scatter_like(view, "aten.select_scatter.default", parent, value);
  if (op == "narrow") {
    auto dim = reader.integer("dim"), start = reader.integer("start"), length = reader.integer("length");
    if (!dim.ok() || !start.ok() || !length.ok() || *start < 0) return std::nullopt;
    return slice_scatter(parent, value, *dim, *start, *start + *length);
  }
  if (op == "unbind") {
    auto dim = reader.integer("dim");
    if (!dim.ok()) return std::nullopt;
    return make("aten.select_scatter.default", {{"self", TensorRef{parent}},
                                                {"src", TensorRef{value}},
                                                {"dim", *dim},
                                                {"index", static_cast<int64_t>(index)}});
  }
  if (any_of(op, {"split", "split_with_sizes", "chunk", "tensor_split"}))
    return unsplit(graph, view, index, parent, value);
  if (view.target == "aten.transpose.int" || any_of(op, {"swapaxes", "swapdims"})) {
    Node node = view;
    node.outputs.clear();
    node.inputs[0].value = TensorRef{value};
    return node;
  }
  if (any_of(op, {"t", "numpy_T", "mT"})) {
    const TensorMeta* meta = graph.find_tensor(parent);
    if (meta == nullptr || meta->sizes.size() > 2) return std::nullopt;
    if (meta->sizes.size() < 2) return make("aten.alias.default", {{"self", TensorRef{value}}});
    return make("aten.permute.default", {{"self", TensorRef{value}}, {"dims", std::vector<int64_t>{1, 0}}});
  }
  if (op == "permute") return unpermute(reader, value);
  if (view.target == "aten.view.dtype") return std::nullopt;
  if (is_reshape(op)) return reshape_to(graph, value, parent);
  if (op == "contiguous" || is_conversion(op) || is_dropout(op))
    return make("aten.alias.default", {{"self", TensorRef{value}}});
  if (op == "expand" || op == "expand_as") {  // one that repeats nothing
    const TensorMeta* from = graph.find_tensor(parent);
    const TensorMeta* to = graph.find_tensor(value);
    if (from != nullptr && to != nullptr && element_count(from->sizes) == element_count(to->sizes))
      return reshape_to(graph, value, parent);
  }
  return std::nullopt;
}

}  // namespace tenon::aten
