#include "lower/context.h"

#include "tensor/element.h"

namespace tenon::lower {

Result<ValueId> Lowering::value(const std::string& name) const {
  auto it = values_.find(name);
  if (it != values_.end()) return it->second;
  return fail(ErrorCode::kInvalidModel, "the program uses '{}' before it is made", name);
}

bool Lowering::is_positive(const SymInt& size) const {
  const Lowering* root = this;
  while (root->ranges_ == nullptr && root->parent_ != nullptr) root = root->parent_;
  if (root->ranges_ == nullptr) return is_nonnegative(size - 1);
  // Each symbol as what it is beyond its least value.
  const SymInt shifted = size.substitute([&](const std::string& name) -> std::optional<SymInt> {
    auto it = root->ranges_->find(name);
    if (it == root->ranges_->end() || !it->second.min || *it->second.min < 0) return std::nullopt;
    return SymInt::symbol(name) + *it->second.min;
  });
  return is_nonnegative(shifted - 1);
}

ValueId Lowering::capture(ValueId outer) {
  for (const Capture& known : graph().captures)
    if (known.outer == outer) return known.inner;
  const GraphValue& source = parent_->graph().value(outer);
  ValueId inner = graph().add_value(source.name, source.type);
  if (!parent_->graph().is_input(outer)) graph().value(inner).constant = source.constant;
  graph().value(inner).elements = source.elements;
  graph().captures.push_back({outer, inner});
  return inner;
}

LowerContext::LowerContext(Lowering& lowering, const aten::Graph& source, const aten::Node& node)
    : lowering_(lowering),
      source_(source),
      node_(node),
      args_(source, node),
      first_value_(lowering.graph().value_count()) {}

Result<ValueId> LowerContext::tensor(std::string_view name) {
  return lowering_.value(TENON_TRY(args_.tensor(name)));
}

Result<ValueId> LowerContext::optional_tensor(std::string_view name) {
  auto found = TENON_TRY(args_.optional_tensor(name));
  if (!found) return kNoValue;
  return lowering_.value(*found);
}

Result<std::vector<ValueId>> LowerContext::tensors(std::string_view name) {
  std::vector<ValueId> ids;
  for (const std::string& item : TENON_TRY(args_.tensors(name)))
    ids.push_back(item.empty() ? kNoValue : TENON_TRY(lowering_.value(item)));
  return ids;
}

Result<ValueId> LowerContext::int_vector(std::string_view name) {
  return int_vector(TENON_TRY(args_.sym_items(name)));
}

Result<ValueId> LowerContext::int_vector(const aten::SymIntList& items) {
  std::vector<ValueId> parts;
  std::vector<int64_t> pending;  // plain numbers not yet in `parts`
  auto flush = [&] {
    if (!pending.empty()) parts.push_back(ints(pending));
    pending.clear();
  };
  for (const auto& item : items) {
    if (!item.is_symbolic()) {
      pending.push_back(item.value);
      continue;
    }
    ValueId id = TENON_TRY(lowering_.value(item.name));
    const Tensor* known = constant(id);
    if (known) {
      pending.push_back(load_element<int64_t>(*known, 0));
      continue;
    }
    flush();
    parts.push_back(TENON_TRY(add(Op::kUnsqueeze, {TENON_TRY(cast(id, DataType::kInt64)), ints({0})})));
  }
  if (parts.empty()) return ints(pending);
  flush();
  if (parts.size() == 1) return parts[0];
  return add(Op::kConcat, parts, {{"axis", int64_t{0}}});
}

Result<ValueId> LowerContext::int_scalar(std::string_view name) {
  aten::Argument argument = TENON_TRY(args_.argument(name));
  if (const auto* reference = argument.get<aten::SymIntRef>())
    return int_scalar(aten::SymItem<int64_t>{reference->name, 0});
  return int_scalar(aten::SymItem<int64_t>{"", TENON_TRY(args_.integer(name))});
}

Result<ValueId> LowerContext::int_scalar(const aten::SymItem<int64_t>& item) {
  if (item.is_symbolic()) return cast(TENON_TRY(lowering_.value(item.name)), DataType::kInt64);
  return builder().constant(Tensor::scalar(item.value));
}

Result<ValueId> LowerContext::scalar(const aten::Number& number_value, DataType element_type) {
  auto symbolic = [&](const std::string& name) -> Result<ValueId> {
    return cast(TENON_TRY(lowering_.value(name)), element_type);
  };
  if (const auto* reference = std::get_if<aten::SymIntRef>(&number_value)) return symbolic(reference->name);
  if (const auto* reference = std::get_if<aten::SymFloatRef>(&number_value)) return symbolic(reference->name);
  if (const auto* reference = std::get_if<aten::SymBoolRef>(&number_value)) return symbolic(reference->name);
  Tensor tensor_value = Tensor::allocate(element_type, {});
  if (const auto* truth = std::get_if<bool>(&number_value))
    store_element<int64_t>(tensor_value, 0, *truth ? 1 : 0);
  else if (const auto* integer = std::get_if<int64_t>(&number_value))
    store_element<int64_t>(tensor_value, 0, *integer);
  else if (const auto* real = std::get_if<double>(&number_value))
    store_element<double>(tensor_value, 0, *real);
  else
    store_element<std::complex<double>>(tensor_value, 0, std::get<std::complex<double>>(number_value));
  return builder().constant(std::move(tensor_value));
}

Result<ValueId> LowerContext::scalar(std::string_view name, DataType element_type) {
  return scalar(TENON_TRY(args_.scalar(name)), element_type);
}

Result<int64_t> LowerContext::rank(ValueId id) {
  return static_cast<int64_t>(TENON_TRY(known_shape(id)).size());
}

Result<SymShape> LowerContext::known_shape(ValueId id) {
  const SymShape* known = shape(id);
  if (!known)
    return unsupported(fmt::format("the rank of '{}' is not known", builder().graph().value(id).name));
  return *known;
}

Result<const aten::TensorMeta*> LowerContext::output_meta(size_t i) {
  if (i < node_.outputs.size()) {
    if (const auto* list = node_.outputs[0].get<aten::TensorList>(); list && i < list->names.size())
      return args_.meta(list->names[i]);
    if (const auto* reference = node_.outputs[i].get<aten::TensorRef>()) return args_.meta(reference->name);
  }
  return fail(ErrorCode::kInvalidModel, "the program says nothing of output {} of {}", i, node_.target);
}

Result<std::vector<ValueId>> LowerContext::add_multi(Op op, std::vector<ValueId> inputs,
                                                     Attributes attributes, size_t outputs) {
  return builder().add_node(op, std::move(inputs), std::move(attributes), std::vector<std::string>(outputs));
}

Result<ValueId> LowerContext::cast(ValueId id, DataType element_type) {
  if (element(id) == element_type) return id;
  return add(Op::kCast, {id}, {{"to", static_cast<int64_t>(element_type)}});
}

Status LowerContext::finish(const std::vector<ValueId>& ids) {
  std::vector<std::string> names;
  for (const aten::Argument& output : node_.outputs) {
    if (const auto* tensor_ref = output.get<aten::TensorRef>())
      names.push_back(tensor_ref->name);
    else if (const auto* list = output.get<aten::TensorList>())
      names.insert(names.end(), list->names.begin(), list->names.end());
    else if (const auto* int_ref = output.get<aten::SymIntRef>())
      names.push_back(int_ref->name);
    else if (const auto* float_ref = output.get<aten::SymFloatRef>())
      names.push_back(float_ref->name);
    else if (const auto* bool_ref = output.get<aten::SymBoolRef>())
      names.push_back(bool_ref->name);
    else
      names.emplace_back();
  }
  if (ids.size() < names.size())
    return fail(ErrorCode::kInternal, "{} made {} values of {}", node_.target, ids.size(), names.size());
  Graph& graph = builder().graph();
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty() || ids[i] == kNoValue) continue;
    lowering_.bind(names[i], ids[i]);
    const bool made_here = index(ids[i]) >= first_value_ && !graph.value(ids[i]).constant;
    bool first_name = true;
    for (size_t j = 0; j < i; ++j) first_name = first_name && ids[j] != ids[i];
    if (made_here && first_name && graph.value(ids[i]).name != names[i])
      graph.rename(ids[i], graph.unique_name(names[i]));
    // PyTorch recorded types and shapes at export: a lowering that disagrees is wrong.
    const aten::TensorMeta* meta = source_.find_tensor(names[i]);
    if (!meta || meta->type == DataType::kUndefined) continue;
    const ValueType& made = type(ids[i]);
    auto expected = constant_shape(meta->sizes);
    auto actual = made.shape ? constant_shape(*made.shape) : std::nullopt;
    if (made.element != meta->type || (expected && actual && *expected != *actual) ||
        (made.shape && made.shape->size() != meta->sizes.size()))
      return fail(ErrorCode::kInternal, "lowering made {} where PyTorch has {}", made.to_string(),
                  ValueType::tensor(meta->type, meta->sizes).to_string());
  }
  return {};
}

bool LowerContext::is_used(size_t output) const {
  auto name = args_.output(output);
  if (!name.ok()) return false;
  bool used = false;
  const auto look = [&](const std::string& read) { used = used || read == *name; };
  for (const aten::Node& node : source_.nodes)
    for (const aten::NamedArgument& input : node.inputs) aten::for_each_name(input.value, look);
  for (const aten::Argument& result : source_.outputs) aten::for_each_name(result, look);
  return used;
}

Error LowerContext::unsupported(std::string_view why) const {
  Error error = fail(ErrorCode::kUnsupported, "{}", why);
  std::string line = aten::source_line(node_.origin);
  if (!line.empty()) error.message += " (" + line + ")";
  return at_node(std::move(error), node_.name, node_.target);
}

}  // namespace tenon::lower
