#include "lower/aten/argument_reader.h"

#include <charconv>

#include "base/try.h"

namespace tenon::aten {

namespace {

Error located(const Node& node, Error error) {
  return at_node(std::move(error), node.name, node.target);
}

bool parse_integer(std::string_view text, int64_t& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_float(std::string_view text, double& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// "[0,1]" as integers or floats; "[]" is an empty list of tensors, which accessors read as any empty list.
Argument list_default(std::string_view text, SchemaType type) {
  std::vector<int64_t> integers;
  std::vector<double> floats;
  std::vector<bool> booleans;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    int64_t integer = 0;
    double number = 0;
    if (type == SchemaType::kInt && parse_integer(item, integer))
      integers.push_back(integer);
    else if (type == SchemaType::kFloat && parse_float(item, number))
      floats.push_back(number);
    else if (type == SchemaType::kBool)
      booleans.push_back(item == "True");
  }
  if (!integers.empty()) return integers;
  if (!floats.empty()) return floats;
  if (!booleans.empty()) return booleans;
  return TensorList{};
}

Argument default_argument(const SchemaSlot& slot) {
  std::string_view text = slot.default_text;
  if (text == "None") return None{};
  if (text.front() == '[') return list_default(text, slot.type);
  int64_t integer = 0;
  double number = 0;
  switch (slot.type) {
    case SchemaType::kBool:
      return text == "True";
    case SchemaType::kString:
      return std::string(text.substr(1, text.size() - 2));
    case SchemaType::kScalarType:
      return text == "long" ? DataType::kInt64 : DataType::kFloat32;
    case SchemaType::kMemoryFormat:
      return text == "preserve_format" ? MemoryFormat::kPreserve : MemoryFormat::kContiguous;
    case SchemaType::kFloat:
      return parse_float(text, number) ? Argument(number) : Argument(None{});
    default:
      break;
  }
  if (text == "True" || text == "False") return text == "True";
  if (parse_integer(text, integer)) return integer;
  if (parse_float(text, number)) return number;
  return None{};
}

bool is_empty_list(const Argument& argument) {
  const TensorList* list = argument.get<TensorList>();
  return list != nullptr && list->names.empty();
}

// nullopt for None, which a list without elements is not.
template <class T>
Result<std::optional<T>> optional(const ArgumentReader& reader, std::string_view name,
                                  Result<T> (ArgumentReader::*read)(std::string_view) const) {
  Argument argument = TENON_TRY(reader.argument(name));
  if (argument.is_none()) return std::optional<T>();
  return std::optional<T>(TENON_TRY((reader.*read)(name)));
}

}  // namespace

ArgumentReader::ArgumentReader(const Graph& graph, const Node& node)
    : graph_(graph), node_(node), schema_(find_schema(node.target)) {}

Error ArgumentReader::wrong(std::string_view name, const Argument& found, std::string_view expected) const {
  bool symbolic = found.get<SymIntRef>() || found.get<SymFloatRef>() || found.get<SymBoolRef>() ||
                  found.get<SymIntList>() || found.get<SymFloatList>() || found.get<SymBoolList>();
  return located(node_,
                 fail(symbolic ? ErrorCode::kUnsupported : ErrorCode::kInvalidModel,
                      "argument '{}' is a {}, where a {} is needed", name, kind_name(found), expected));
}

std::string_view ArgumentReader::op() const {
  std::string_view target = node_.target;
  size_t first = target.find('.');
  size_t last = target.rfind('.');
  if (first == std::string_view::npos) return target;
  return first == last ? target.substr(first + 1) : target.substr(first + 1, last - first - 1);
}

Result<Argument> ArgumentReader::argument(std::string_view name) const {
  if (const Argument* given = node_.find_input(name)) return *given;
  if (schema_ != nullptr) {
    size_t index = schema_->find_argument(name);
    if (index < schema_->argument_count) {
      SchemaSlot slot = schema_->argument(index);
      if (slot.has_default) return default_argument(slot);
    }
  }
  return located(node_, fail(ErrorCode::kInvalidModel, "argument '{}' is missing", name));
}

bool ArgumentReader::has(std::string_view name) const {
  auto found = argument(name);
  return found.ok() && !found->is_none();
}

Result<Argument> ArgumentReader::at(size_t position) const {
  if (position >= node_.inputs.size())
    return located(node_, fail(ErrorCode::kInvalidModel, "argument {} is missing", position));
  return node_.inputs[position].value;
}

Result<std::string> ArgumentReader::tensor(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (auto* tensor = found.get<TensorRef>()) return std::move(tensor->name);
  return wrong(name, found, "tensor");
}

Result<std::optional<std::string>> ArgumentReader::optional_tensor(std::string_view name) const {
  return optional(*this, name, &ArgumentReader::tensor);
}

Result<std::vector<std::string>> ArgumentReader::tensors(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (auto* list = found.get<TensorList>()) return std::move(list->names);
  return wrong(name, found, "list of tensors");
}

Result<int64_t> ArgumentReader::integer(std::string_view name) const {
  SymInt value = TENON_TRY(sym_integer(name));
  if (auto constant = value.constant()) return *constant;
  return located(node_, fail(ErrorCode::kUnsupported, "argument '{}' is {}, where a constant is needed", name,
                             value.to_string()));
}

Result<std::optional<int64_t>> ArgumentReader::optional_integer(std::string_view name) const {
  return optional(*this, name, &ArgumentReader::integer);
}

Result<std::vector<int64_t>> ArgumentReader::integers(std::string_view name) const {
  SymShape values = TENON_TRY(sym_integers(name));
  if (auto constant = constant_shape(values)) return std::move(*constant);
  return located(node_, fail(ErrorCode::kUnsupported, "argument '{}' is {}, where constants are needed", name,
                             tenon::to_string(values)));
}

Result<std::optional<std::vector<int64_t>>> ArgumentReader::optional_integers(std::string_view name) const {
  return optional(*this, name, &ArgumentReader::integers);
}

Result<SymInt> ArgumentReader::sym_integer(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (auto* value = found.get<int64_t>()) return SymInt(*value);
  if (auto* value = found.get<bool>()) return SymInt(*value ? 1 : 0);
  if (auto* symbol = found.get<SymIntRef>()) {
    const SymValue* known = graph_.find_symbol(symbol->name);
    return known != nullptr ? known->as_int : SymInt::symbol(symbol->name);
  }
  return wrong(name, found, "integer");
}

Result<std::optional<SymInt>> ArgumentReader::optional_sym_integer(std::string_view name) const {
  return optional(*this, name, &ArgumentReader::sym_integer);
}

Result<SymIntList> ArgumentReader::sym_items(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (auto* list = found.get<SymIntList>()) return std::move(*list);
  SymIntList items;
  if (auto* values = found.get<std::vector<int64_t>>()) {
    for (int64_t value : *values) items.push_back({"", value});
    return items;
  }
  if (is_empty_list(found)) return items;
  if (auto* value = found.get<int64_t>())
    items.push_back({"", *value});
  else if (auto* symbol = found.get<SymIntRef>())
    items.push_back({symbol->name, 0});
  else
    return wrong(name, found, "list of integers");
  size_t index = schema_ != nullptr ? schema_->find_argument(name) : 0;
  size_t size =
      schema_ != nullptr && index < schema_->argument_count ? schema_->argument(index).list_size : 0;
  while (items.size() < size) items.push_back(items.front());
  return items;
}

Result<SymShape> ArgumentReader::sym_integers(std::string_view name) const {
  SymShape values;
  for (const auto& item : TENON_TRY(sym_items(name))) {
    const SymValue* known = item.is_symbolic() ? graph_.find_symbol(item.name) : nullptr;
    if (!item.is_symbolic())
      values.emplace_back(item.value);
    else
      values.push_back(known != nullptr ? known->as_int : SymInt::symbol(item.name));
  }
  return values;
}

Result<std::optional<SymShape>> ArgumentReader::optional_sym_integers(std::string_view name) const {
  return optional(*this, name, &ArgumentReader::sym_integers);
}

Result<double> ArgumentReader::number(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (auto* value = found.get<double>()) return *value;
  if (auto* value = found.get<int64_t>()) return static_cast<double>(*value);
  if (auto* value = found.get<bool>()) return *value ? 1.0 : 0.0;
  return wrong(name, found, "number");
}

Result<std::optional<double>> ArgumentReader::optional_number(std::string_view name) const {
  return optional(*this, name, &ArgumentReader::number);
}

Result<std::optional<std::vector<double>>> ArgumentReader::optional_numbers(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (found.is_none()) return std::optional<std::vector<double>>();
  if (auto* values = found.get<std::vector<double>>()) return std::optional(std::move(*values));
  if (auto* values = found.get<std::vector<int64_t>>())
    return std::optional(std::vector<double>(values->begin(), values->end()));
  if (is_empty_list(found)) return std::optional(std::vector<double>());
  return wrong(name, found, "list of floats");
}

Result<Number> ArgumentReader::scalar(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (auto* value = found.get<bool>()) return Number(*value);
  if (auto* value = found.get<int64_t>()) return Number(*value);
  if (auto* value = found.get<double>()) return Number(*value);
  if (auto* value = found.get<std::complex<double>>()) return Number(*value);
  if (auto* value = found.get<SymIntRef>()) return Number(std::move(*value));
  if (auto* value = found.get<SymFloatRef>()) return Number(std::move(*value));
  if (auto* value = found.get<SymBoolRef>()) return Number(std::move(*value));
  return wrong(name, found, "number");
}

Result<std::optional<Number>> ArgumentReader::optional_scalar(std::string_view name) const {
  return optional(*this, name, &ArgumentReader::scalar);
}

Result<bool> ArgumentReader::boolean(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (auto* value = found.get<bool>()) return *value;
  if (auto* value = found.get<int64_t>()) return *value != 0;
  return wrong(name, found, "bool");
}

Result<std::optional<bool>> ArgumentReader::optional_boolean(std::string_view name) const {
  return optional(*this, name, &ArgumentReader::boolean);
}

Result<std::vector<bool>> ArgumentReader::booleans(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (auto* values = found.get<std::vector<bool>>()) return std::move(*values);
  if (is_empty_list(found)) return std::vector<bool>();
  return wrong(name, found, "list of bools");
}

Result<std::string> ArgumentReader::string(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (auto* value = found.get<std::string>()) return std::move(*value);
  return wrong(name, found, "string");
}

Result<std::optional<std::string>> ArgumentReader::optional_string(std::string_view name) const {
  return optional(*this, name, &ArgumentReader::string);
}

Result<std::optional<DataType>> ArgumentReader::optional_dtype(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (found.is_none()) return std::optional<DataType>();
  if (auto* value = found.get<DataType>()) return std::optional(*value);
  return wrong(name, found, "dtype");
}

Result<std::optional<MemoryFormat>> ArgumentReader::optional_memory_format(std::string_view name) const {
  Argument found = TENON_TRY(argument(name));
  if (found.is_none()) return std::optional<MemoryFormat>();
  if (auto* value = found.get<MemoryFormat>()) return std::optional(*value);
  return wrong(name, found, "memory format");
}

Result<const Graph*> ArgumentReader::graph(size_t position) const {
  if (position < node_.inputs.size())
    if (const auto* graph = node_.inputs[position].value.get<GraphRef>()) return graph->graph.get();
  return located(node_, fail(ErrorCode::kInvalidModel, "argument {} is not a graph", position));
}

Result<const TensorMeta*> ArgumentReader::meta(const std::string& tensor_name) const {
  if (const TensorMeta* meta = graph_.find_tensor(tensor_name)) return meta;
  return located(node_, fail(ErrorCode::kInvalidModel, "tensor '{}' has no type", tensor_name));
}

Result<std::string> ArgumentReader::output(size_t index) const {
  if (index < node_.outputs.size())
    if (const auto* tensor = node_.outputs[index].get<TensorRef>()) return tensor->name;
  return located(node_, fail(ErrorCode::kInvalidModel, "output {} is not a tensor", index));
}

}  // namespace tenon::aten
