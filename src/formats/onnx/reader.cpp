#include "formats/onnx/reader.h"

#include <new>

#include "base/mapped_file.h"
#include "formats/onnx/parse.h"

namespace tenon::onnx {

namespace {

using wire::Field;

/// An OperatorSetIdProto.
Status append_opset(ParseContext& context, const Field& field, std::vector<OpsetImport>& imports) {
  TENON_TRY(context.charge(sizeof(OpsetImport)));
  OpsetImport& import = imports.emplace_back();
  wire::Reader reader = TENON_TRY(context.reader(field));
  Field part;
  while (TENON_TRY(reader.next(part))) {
    if (part.number == 1) TENON_TRY(context.text(part, import.domain, import.present));
    if (part.number == 2) TENON_TRY(context.integer(part, import.version, import.present));
  }
  return {};
}

Status parse_function_fields(ParseContext& context, const wire::Field& message, Function& function) {
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    switch (field.number) {
      case 1:
        TENON_TRY(context.text(field, function.name, function.present));
        break;
      case 4:
        TENON_TRY(context.append_text(field, function.inputs));
        break;
      case 5:
        TENON_TRY(context.append_text(field, function.outputs));
        break;
      case 6:
        TENON_TRY(context.append_text(field, function.attributes));
        break;
      case 7:
        function.nodes.push_back(TENON_TRY(parse_node(context, field)));
        break;
      case 8:
        TENON_TRY(context.text(field, function.doc_string, function.present));
        break;
      case 9:
        TENON_TRY(append_opset(context, field, function.opset_imports));
        break;
      case 10:
        TENON_TRY(context.text(field, function.domain, function.present));
        break;
      case 11:
        function.attribute_defaults.push_back(TENON_TRY(parse_attribute(context, field)));
        break;
      case 12:
        function.value_info.push_back(TENON_TRY(parse_value_info(context, field)));
        break;
      case 13:
        TENON_TRY(context.text(field, function.overload, function.present));
        break;
      case 14:
        TENON_TRY(context.append_pair(field, function.metadata_props));
        break;
      default:
        TENON_TRY(context.keep(field, function.unknown));
    }
  }
  return {};
}

Result<Function> parse_function(ParseContext& context, const wire::Field& message) {
  TENON_TRY(context.charge(sizeof(Function)));
  Function function;
  Status status = parse_function_fields(context, message, function);
  if (!status.ok()) return at_node(std::move(status.error()), function.name, "function");
  return function;
}

Result<TrainingInfo> parse_training_info(ParseContext& context, const wire::Field& message) {
  TENON_TRY(context.charge(sizeof(TrainingInfo)));
  TrainingInfo info;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    if (field.number == 1 || field.number == 2) {
      std::optional<Graph>& graph = field.number == 1 ? info.initialization : info.algorithm;
      if (graph) return fail(ErrorCode::kMalformed, "training information has the same graph twice");
      graph = TENON_TRY(parse_graph(context, field));
    } else if (field.number == 3) {
      TENON_TRY(context.append_pair(field, info.initialization_binding));
    } else if (field.number == 4) {
      TENON_TRY(context.append_pair(field, info.update_binding));
    } else {
      TENON_TRY(context.keep(field, info.unknown));
    }
  }
  return info;
}

Result<Model> parse_model_message(ParseContext& context, const wire::Field& message) {
  Model model;
  bool has_graph = false;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    switch (field.number) {
      case 1:
        TENON_TRY(context.integer(field, model.ir_version, model.present));
        break;
      case 2:
        TENON_TRY(context.text(field, model.producer_name, model.present));
        break;
      case 3:
        TENON_TRY(context.text(field, model.producer_version, model.present));
        break;
      case 4:
        TENON_TRY(context.text(field, model.domain, model.present));
        break;
      case 5:
        TENON_TRY(context.integer(field, model.model_version, model.present));
        break;
      case 6:
        TENON_TRY(context.text(field, model.doc_string, model.present));
        break;
      case 7:
        if (has_graph) return fail(ErrorCode::kMalformed, "the model has two graphs");
        has_graph = true;
        model.graph = TENON_TRY(parse_graph(context, field));
        break;
      case 8:
        TENON_TRY(append_opset(context, field, model.opset_imports));
        break;
      case 14:
        TENON_TRY(context.append_pair(field, model.metadata_props));
        break;
      case 20:
        model.training_info.push_back(TENON_TRY(parse_training_info(context, field)));
        break;
      case 25:
        model.functions.push_back(TENON_TRY(parse_function(context, field)));
        break;
      default:
        TENON_TRY(context.keep(field, model.unknown));
    }
  }
  if (!has_graph) return fail(ErrorCode::kMalformed, "is no ONNX model: it has no graph");
  return model;
}

}  // namespace

Result<Model> parse_model(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                          const std::string& base_dir, const ReadOptions& options) {
  const std::string_view message(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ParseContext context(message, std::move(owner), base_dir, options);
  try {
    return parse_model_message(context, wire::Field::outermost(message));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kOutOfMemory, "not enough memory to read the model");
  }
}

Result<Model> read_model(const std::string& path, const ReadOptions& options) {
  const auto file = TENON_TRY(MappedFile::open(path));
  Result<Model> model = parse_model(file->bytes(), file, folder_of(path), options);
  if (!model.ok()) return at_file(std::move(model.error()), path);
  file->release_pages();  // tensors that do not lie aligned have been copied
  return model;
}

}  // namespace tenon::onnx
