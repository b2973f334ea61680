#include "lower/mutations.h"

#include <algorithm>

#include "base/try.h"
#include "lower/aten/argument_reader.h"
#include "tensor/element.h"

namespace tenon::aten {

namespace {

bool any_of(std::string_view op, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), op) != names.end();
}

bool starts_with_any(std::string_view op, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view p) { return op.starts_with(p); });
}

std::string overload_of(const std::string& target) {
  return target.substr(target.rfind('.') + 1);
}

// PyTorch's category of a type in promotion: a higher one wins.
int category(DataType type) {
  if (type == DataType::kBool) return 0;
  switch (compute_kind(type)) {
    case ComputeKind::kFloat:
      return 2;
    case ComputeKind::kComplex:
      return 3;
    default:
      return 1;
  }
}

// The wider of two types of one category, as torch.promote_types has it.
DataType wider(DataType a, DataType b) {
  if (a == b || a == DataType::kUndefined) return b;
  if (b == DataType::kUndefined) return a;
  if (category(a) != category(b)) return category(a) > category(b) ? a : b;
  if (category(a) == 2 && element_size(a) == 2 && element_size(b) == 2)
    return DataType::kFloat32;                                                          // half, bfloat16
  if (category(a) == 1 && element_size(a) == element_size(b)) return DataType::kInt16;  // uint8 and int8
  return element_size(a) > element_size(b) ? a : b;
}

// The type of the result of an element-wise operator: tensors with dimensions decide, then tensors without,
// when their category is higher, then numbers.
DataType promoted(const Graph& graph, const Node& node) {
  DataType dimensioned = DataType::kUndefined, zero_dim = DataType::kUndefined, number = DataType::kUndefined;
  for (const NamedArgument& input : node.inputs) {
    if (const auto* tensor = input.value.get<TensorRef>()) {
      const TensorMeta* meta = graph.find_tensor(tensor->name);
      if (meta == nullptr) continue;
      DataType& slot = meta->sizes.empty() ? zero_dim : dimensioned;
      slot = wider(slot, meta->type);
    } else if (input.name == "other" || input.name == "value" || input.name == "exponent") {
      if (input.value.get<double>() || input.value.get<SymFloatRef>())
        number = DataType::kFloat32;
      else if (input.value.get<int64_t>() || input.value.get<SymIntRef>())
        number = wider(number, DataType::kInt64);
    }
  }
  DataType result = dimensioned;
  for (DataType next : {zero_dim, number}) {
    if (next == DataType::kUndefined) continue;
    if (result == DataType::kUndefined || category(next) > category(result)) result = next;
  }
  return result;
}

bool gives_bool(std::string_view op) {
  return any_of(op, {"eq", "ne", "lt", "le", "gt", "ge", "greater", "greater_equal", "less", "less_equal",
                     "not_equal", "logical_and", "logical_or", "logical_xor", "logical_not"});
}

// Operators whose result has the type of `self` whatever their other tensors are.
bool keeps_type(std::string_view op) {
  return starts_with_any(op, {"index", "scatter", "masked", "fill", "copy", "put", "zero", "_index_put"});
}

class Builder {
 public:
  Builder(Graph& graph, const Node& node, const std::function<std::string(const std::string&)>& fresh)
      : graph_(graph), node_(node), fresh_(fresh), reader_(graph, node) {}

  Result<FunctionalForm> build() {
    self_ = TENON_TRY(reader_.tensor(node_.inputs[0].name));
    meta_ = *TENON_TRY(reader_.meta(self_));
    result_name_ = node_.outputs.empty() ? fresh_(node_.name) : TENON_TRY(reader_.output());
    std::string_view op = reader_.op();
    if (op == "copy_") return write(TENON_TRY(reader_.tensor("src")));
    if (op == "fill_" && reader_.node().find_input("value") != nullptr &&
        reader_.node().find_input("value")->get<TensorRef>() != nullptr)
      return write(TENON_TRY(reader_.tensor("value")));
    if (op == "fill_") return constant("aten.full_like.default", "fill_value");
    if (op == "zero_") return constant("aten.zeros_like.default", "");
    return counterpart(op);
  }

 private:
  std::string add(std::string target, std::vector<NamedArgument> inputs, const std::string& output,
                  TensorMeta meta) {
    Node made;
    made.name = output;
    made.target = std::move(target);
    made.inputs = std::move(inputs);
    made.outputs.emplace_back(TensorRef{output});
    made.origin = node_.origin;
    graph_.tensors[output] = std::move(meta);
    form_.nodes.push_back(std::move(made));
    return output;
  }

  // `source` converted to self's type and repeated to its shape.
  Result<FunctionalForm> write(const std::string& source) {
    TensorMeta from = *TENON_TRY(reader_.meta(source));
    bool convert = from.type != meta_.type;
    bool repeat = from.sizes != meta_.sizes;
    form_.value = source;
    if (convert) {
      from.type = meta_.type;
      form_.value = add("aten.to.dtype", {{"self", TensorRef{source}}, {"dtype", meta_.type}},
                        repeat ? fresh_(result_name_) : result_name_, from);
    }
    if (repeat)
      form_.value = add("aten.expand_as.default",
                        {{"self", TensorRef{form_.value}}, {"other", TensorRef{self_}}}, result_name_, meta_);
    return std::move(form_);
  }

  Result<FunctionalForm> constant(std::string target, const std::string& value_name) {
    std::vector<NamedArgument> inputs{{"self", TensorRef{self_}}};
    if (!value_name.empty()) inputs.push_back({value_name, TENON_TRY(reader_.argument("value"))});
    form_.value = add(std::move(target), std::move(inputs), result_name_, meta_);
    return std::move(form_);
  }

  // "add_" -> "add", "__iadd__" -> "__add__", when PyTorch has that with the same overload and arguments.
  Result<FunctionalForm> counterpart(std::string_view op) {
    std::string name;
    if (op.starts_with("__i") && op.ends_with("__"))
      name = "__" + std::string(op.substr(3));
    else if (op.ends_with("_"))
      name = std::string(op.substr(0, op.size() - 1));
    if (name == "_index_put_impl") name = "index_put";
    std::string target = "aten." + name + "." + overload_of(node_.target);
    const Schema* schema = name.empty() ? nullptr : find_schema(target);
    if (schema == nullptr)
      return fail(ErrorCode::kUnsupported, "the in-place operator has no functional form");
    std::vector<NamedArgument> inputs;
    inputs.push_back({std::string(schema->argument(0).name), TensorRef{self_}});
    for (size_t i = 1; i < node_.inputs.size(); ++i)
      if (schema->find_argument(node_.inputs[i].name) < schema->argument_count)
        inputs.push_back(node_.inputs[i]);
    DataType type = meta_.type;
    if (gives_bool(name))
      type = DataType::kBool;
    else if (!keeps_type(name))
      type = promoted(graph_, node_);
    bool convert = type != meta_.type && type != DataType::kUndefined;
    TensorMeta made = meta_;
    if (convert) made.type = type;
    std::string value = add(std::move(target), std::move(inputs),
                            convert ? fresh_(result_name_) : result_name_, std::move(made));
    if (convert)
      value = add("aten.to.dtype", {{"self", TensorRef{value}}, {"dtype", meta_.type}}, result_name_, meta_);
    form_.value = std::move(value);
    return std::move(form_);
  }

  Graph& graph_;
  const Node& node_;
  const std::function<std::string(const std::string&)>& fresh_;
  ArgumentReader reader_;
  FunctionalForm form_;
  std::string self_, result_name_;
  TensorMeta meta_;  // of self
};

}  // namespace

Result<std::optional<size_t>> written_input(const Node& node) {
  const Schema* schema = find_schema(node.target);
  std::optional<size_t> written;
  if (schema == nullptr) return written;
  for (size_t i = 0; i < schema->argument_count; ++i) {
    SchemaSlot slot = schema->argument(i);
    if (!slot.is_written) continue;
    if (written || i != 0 || slot.is_list || node.inputs.empty() || node.inputs[0].name != slot.name)
      return at_node(fail(ErrorCode::kUnsupported, "the operator writes into its argument '{}'", slot.name),
                     node.name, node.target);
    written = i;
  }
  return written;
}

bool is_shape_mutation(const Node& node) {
  return starts_with_any(node.target, {"aten.unsqueeze_.", "aten.squeeze_.", "aten.t_.", "aten.transpose_.",
                                       "aten.swapaxes_.", "aten.swapdims_."});
}

Result<FunctionalForm> functional_form(Graph& graph, const Node& node,
                                       const std::function<std::string(const std::string&)>& fresh) {
  auto form = Builder(graph, node, fresh).build();
  if (!form.ok()) return at_node(std::move(form.error()), node.name, node.target);
  return form;
}

}  // namespace tenon::aten
