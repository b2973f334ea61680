// The union `Argument` of the schema: what is given to a node, and what it makes.
#include "base/try.h"
#include "formats/torch/pt2/graph_reader.h"

namespace tenon::pt2 {

namespace {

using aten::Argument;

Result<std::string> named(JsonValue value, std::string_view what) {
  JsonObject object = TENON_TRY(JsonObject::of(value, what));
  std::string name = TENON_TRY(object.get_string("name"));
  if (name.empty()) return fail(ErrorCode::kMalformed, "JSON: {} has an empty name", what);
  return name;
}

Result<std::string> tensor_name(JsonValue value) {
  return named(value, "a tensor");
}

// {"as_tensor": {"name": ..}} or {"as_none": true}: the name, or "".
Result<std::string> optional_tensor_name(JsonValue value) {
  JsonUnion choice = TENON_TRY(json_union(value, "an optional tensor"));
  if (choice.tag == "as_none") return std::string();
  if (choice.tag == "as_tensor") return tensor_name(choice.value);
  return fail(ErrorCode::kMalformed, "JSON: an optional tensor has the unknown kind '{}'", choice.tag);
}

Result<double> read_float(JsonValue value) {
  return json_float(value, "a float");
}
Result<int64_t> read_int(JsonValue value) {
  return json_int(value, "an integer");
}
Result<bool> read_bool(JsonValue value) {
  return json_bool(value, "a bool");
}

template <class T>
Result<T> plain(JsonValue value);
template <>
Result<int64_t> plain(JsonValue value) {
  return read_int(value);
}
template <>
Result<double> plain(JsonValue value) {
  return read_float(value);
}
template <>
Result<bool> plain(JsonValue value) {
  return read_bool(value);
}

// {"as_name": "n"} or {"as_int": 5}; `plain_tag` is as_int, as_float or as_bool.
template <class T>
Result<aten::SymItem<T>> sym_item(JsonValue value, std::string_view plain_tag) {
  JsonUnion choice = TENON_TRY(json_union(value, "a symbolic number"));
  aten::SymItem<T> item;
  if (choice.tag == "as_name") {
    item.name = TENON_TRY(json_string(choice.value, "the name of a symbolic number"));
    if (item.name.empty()) return fail(ErrorCode::kMalformed, "JSON: a symbolic number has an empty name");
  } else if (choice.tag == plain_tag) {
    item.value = TENON_TRY(plain<T>(choice.value));
  } else {
    return fail(ErrorCode::kMalformed, "JSON: a symbolic number has the unknown kind '{}'", choice.tag);
  }
  return item;
}

template <class Ref, class T>
Result<Argument> sym_scalar(JsonValue value, std::string_view plain_tag) {
  auto item = TENON_TRY(sym_item<T>(value, plain_tag));
  if (item.is_symbolic()) return Argument(Ref{std::move(item.name)});
  return Argument(item.value);
}

// A list without symbols is given as plain numbers.
template <class T>
Result<Argument> sym_list(JsonValue value, std::string_view plain_tag) {
  auto items = TENON_TRY(json_list<aten::SymItem<T>>(
      value, "a list of symbolic numbers", [&](JsonValue item) { return sym_item<T>(item, plain_tag); }));
  std::vector<T> values;
  for (const auto& item : items) {
    if (item.is_symbolic()) return Argument(std::move(items));
    values.push_back(item.value);
  }
  return Argument(std::move(values));
}

Result<aten::Device> device(JsonValue value) {
  JsonObject object = TENON_TRY(JsonObject::of(value, "a device"));
  aten::Device device{TENON_TRY(object.get_string("type")), std::nullopt};
  if (object.find("index")) device.index = TENON_TRY(object.get_int("index"));
  return device;
}

Result<aten::MemoryFormat> memory_format(JsonValue value) {
  int64_t number = TENON_TRY(read_int(value));
  if (number < 0 || number > 4)
    return fail(ErrorCode::kMalformed, "JSON: there is no memory format {}", number);
  return static_cast<aten::MemoryFormat>(number);
}

Result<aten::Layout> layout(JsonValue value) {
  int64_t number = TENON_TRY(read_int(value));
  if (number < 0 || number > 7) return fail(ErrorCode::kMalformed, "JSON: there is no layout {}", number);
  return static_cast<aten::Layout>(number);
}

Result<aten::TensorList> tensor_list(JsonValue value) {
  return aten::TensorList{TENON_TRY(json_list<std::string>(value, "a list of tensors", tensor_name))};
}

}  // namespace

Result<DataType> data_type_from_file(int64_t number) {
  switch (number) {
    case 0:
      return DataType::kUndefined;
    case 1:
      return DataType::kUInt8;
    case 2:
      return DataType::kInt8;
    case 3:
      return DataType::kInt16;
    case 4:
      return DataType::kInt32;
    case 5:
      return DataType::kInt64;
    case 6:
      return DataType::kFloat16;
    case 7:
      return DataType::kFloat32;
    case 8:
      return DataType::kFloat64;
    case 9:
      return DataType::kUndefined;  // complex32
    case 10:
      return DataType::kComplex64;
    case 11:
      return DataType::kComplex128;
    case 12:
      return DataType::kBool;
    case 13:
      return DataType::kBFloat16;
    case 28:
      return DataType::kUInt16;
    case 29:
      return DataType::kFloat8E4M3FN;
    case 30:
      return DataType::kFloat8E5M2;
    case 31:
      return DataType::kFloat8E4M3FNUZ;
    case 32:
      return DataType::kFloat8E5M2FNUZ;
    case 33:
      return DataType::kFloat8E8M0;
    case 34:
      return DataType::kUInt32;
    case 35:
      return DataType::kUInt64;
    default:
      return fail(ErrorCode::kMalformed, "JSON: there is no element type {}", number);
  }
}

Result<aten::Argument> GraphReader::argument(JsonValue value) {
  auto [tag, body] = TENON_TRY(json_union(value, "an argument"));
  if (tag == "as_tensor") return Argument(aten::TensorRef{TENON_TRY(tensor_name(body))});
  if (tag == "as_none") return Argument(aten::None{});
  if (tag == "as_int") return Argument(TENON_TRY(read_int(body)));
  if (tag == "as_ints") return Argument(TENON_TRY(json_list<int64_t>(body, "a list of integers", read_int)));
  if (tag == "as_float") return Argument(TENON_TRY(read_float(body)));
  if (tag == "as_floats") return Argument(TENON_TRY(json_list<double>(body, "a list of floats", read_float)));
  if (tag == "as_bool") return Argument(TENON_TRY(read_bool(body)));
  if (tag == "as_bools") return Argument(TENON_TRY(json_list<bool>(body, "a list of bools", read_bool)));
  if (tag == "as_string") return Argument(std::string(TENON_TRY(json_string(body, "a string"))));
  if (tag == "as_strings")
    return Argument(TENON_TRY(
        json_list<std::string>(body, "a list of strings", [](JsonValue item) -> Result<std::string> {
          return std::string(TENON_TRY(json_string(item, "a string")));
        })));
  if (tag == "as_tensors") return Argument(TENON_TRY(tensor_list(body)));
  if (tag == "as_optional_tensor") {
    std::string name = TENON_TRY(optional_tensor_name(body));
    return name.empty() ? Argument(aten::None{}) : Argument(aten::TensorRef{std::move(name)});
  }
  if (tag == "as_optional_tensors")
    return Argument(aten::TensorList{
        TENON_TRY(json_list<std::string>(body, "a list of optional tensors", optional_tensor_name))});
  if (tag == "as_nested_tensors")
    return Argument(TENON_TRY(json_list<aten::TensorList>(body, "a list of lists of tensors", tensor_list)));
  if (tag == "as_sym_int") return sym_scalar<aten::SymIntRef, int64_t>(body, "as_int");
  if (tag == "as_sym_ints") return sym_list<int64_t>(body, "as_int");
  if (tag == "as_sym_float") return sym_scalar<aten::SymFloatRef, double>(body, "as_float");
  if (tag == "as_sym_floats") return sym_list<double>(body, "as_float");
  if (tag == "as_sym_bool") return sym_scalar<aten::SymBoolRef, bool>(body, "as_bool");
  if (tag == "as_sym_bools") return sym_list<bool>(body, "as_bool");
  if (tag == "as_scalar_type") return Argument(TENON_TRY(data_type_from_file(TENON_TRY(read_int(body)))));
  if (tag == "as_memory_format") return Argument(TENON_TRY(memory_format(body)));
  if (tag == "as_layout") return Argument(TENON_TRY(layout(body)));
  if (tag == "as_device") return Argument(TENON_TRY(device(body)));
  if (tag == "as_graph") {
    JsonObject object = TENON_TRY(JsonObject::of(body, "a subgraph"));
    aten::GraphRef ref{TENON_TRY(object.get_string("name")), nullptr};
    ref.graph = std::make_shared<aten::Graph>(TENON_TRY(graph(TENON_TRY(object.get("graph")))));
    return Argument(std::move(ref));
  }
  if (tag == "as_custom_obj") {
    JsonObject object = TENON_TRY(JsonObject::of(body, "a custom object"));
    return Argument(
        aten::CustomObject{TENON_TRY(object.get_string("name")), TENON_TRY(object.get_string("class_fqn"))});
  }
  if (tag == "as_operator")
    return Argument(aten::OperatorRef{std::string(TENON_TRY(json_string(body, "an operator")))});
  if (tag == "as_complex") {
    JsonObject object = TENON_TRY(JsonObject::of(body, "a complex number"));
    double real = TENON_TRY(read_float(TENON_TRY(object.get("real"))));
    return Argument(std::complex<double>(real, TENON_TRY(read_float(TENON_TRY(object.get("imag"))))));
  }
  if (tag == "as_int_lists")
    return Argument(TENON_TRY(json_list<std::vector<int64_t>>(body, "a list of lists", [](JsonValue item) {
      return json_list<int64_t>(item, "a list of integers", read_int);
    })));
  if (tag == "as_float_lists")
    return Argument(TENON_TRY(json_list<std::vector<double>>(body, "a list of lists", [](JsonValue item) {
      return json_list<double>(item, "a list of floats", read_float);
    })));
  if (tag == "as_string_to_argument") {
    aten::Dictionary dictionary;
    for (const auto& [key, item] : TENON_TRY(JsonObject::of(body, "a dictionary")).fields())
      dictionary.emplace(std::string(key), TENON_TRY(argument(item)));
    return Argument(std::move(dictionary));
  }
  return fail(ErrorCode::kMalformed, "JSON: an argument has the unknown kind '{}'", tag);
}

Result<aten::TensorMeta> GraphReader::tensor_meta(JsonValue value) {
  JsonObject object = TENON_TRY(JsonObject::of(value, "a tensor's description"));
  aten::TensorMeta meta;
  meta.type = TENON_TRY(data_type_from_file(TENON_TRY(object.get_int("dtype"))));
  meta.sizes = TENON_TRY(sym_ints(TENON_TRY(object.get("sizes")), "sizes"));
  meta.strides = TENON_TRY(sym_ints(TENON_TRY(object.get("strides")), "strides"));
  if (meta.strides.size() != meta.sizes.size() && !meta.strides.empty())
    return fail(ErrorCode::kMalformed, "JSON: a tensor has {} sizes and {} strides", meta.sizes.size(),
                meta.strides.size());
  meta.storage_offset = TENON_TRY(sym_int(TENON_TRY(object.get("storage_offset"))));
  meta.layout = TENON_TRY(layout(TENON_TRY(object.get("layout"))));
  meta.device = TENON_TRY(device(TENON_TRY(object.get("device"))));
  meta.requires_grad = TENON_TRY(object.get_bool("requires_grad"));
  return meta;
}

}  // namespace tenon::pt2
