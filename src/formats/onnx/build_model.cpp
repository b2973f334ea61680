// AttributeProto, NodeProto, GraphProto, FunctionProto, TrainingInfoProto, ModelProto.
#include "formats/onnx/build.h"

namespace tenon::onnx {

namespace {

using wire::Message;

class Builder {
 public:
  explicit Builder(DataPlacement& placement) : placement_(placement) {}

  Message attribute(const Attribute& attribute);
  Message node(const Node& node);
  Message graph(const Graph& graph);
  Message function(const Function& function);
  Message training_info(const TrainingInfo& info);

 private:
  void add_value(Message& message, const Attribute::Value& value);
  Message tensor(const TensorData& data, DataPlacement::Role role = DataPlacement::Role::kOther) {
    return build_tensor(data, placement_.place(data, role));
  }
  Message sparse_tensor(const SparseTensorData& data) { return build_sparse_tensor(data, placement_); }

  DataPlacement& placement_;
};

void Builder::add_value(Message& message, const Attribute::Value& value) {
  struct Visitor {
    Builder& builder;
    Message& message;
    void operator()(std::monostate) const {}
    void operator()(float v) const { message.add_float(2, v); }
    void operator()(int64_t v) const { message.add_integer(3, v); }
    void operator()(const std::string& v) const { message.add_bytes(4, v); }
    void operator()(const TensorData& v) const { message.add_message(5, builder.tensor(v)); }
    void operator()(const Attribute::GraphPtr& v) const { message.add_message(6, builder.graph(*v)); }
    void operator()(const Attribute::Floats& v) const {
      for (float item : v) message.add_float(7, item);
    }
    void operator()(const Attribute::Ints& v) const {
      for (int64_t item : v) message.add_integer(8, item);
    }
    void operator()(const Attribute::Strings& v) const {
      for (const std::string& item : v) message.add_bytes(9, item);
    }
    void operator()(const std::vector<TensorData>& v) const {
      for (const TensorData& item : v) message.add_message(10, builder.tensor(item));
    }
    void operator()(const std::vector<Attribute::GraphPtr>& v) const {
      for (const Attribute::GraphPtr& item : v) message.add_message(11, builder.graph(*item));
    }
    void operator()(const SparseTensorData& v) const { message.add_message(22, builder.sparse_tensor(v)); }
    void operator()(const std::vector<SparseTensorData>& v) const {
      for (const SparseTensorData& item : v) message.add_message(23, builder.sparse_tensor(item));
    }
    void operator()(const Type& v) const { message.add_message(14, build_type(v)); }
    void operator()(const std::vector<Type>& v) const {
      for (const Type& item : v) message.add_message(15, build_type(item));
    }
  };
  std::visit(Visitor{*this, message}, value);
}

Message Builder::attribute(const Attribute& attribute) {
  Message message;
  add_text(message, 1, attribute.name, attribute.present);
  if (!attribute.value_omitted) add_value(message, attribute.value);
  add_text(message, 13, attribute.doc_string, attribute.present);
  if (!attribute.kind_omitted) message.add_integer(20, static_cast<int64_t>(attribute.kind));
  add_text(message, 21, attribute.ref_attr_name, attribute.present);
  message.append(attribute.unknown);
  return message;
}

Message Builder::node(const Node& node) {
  Message message;
  for (const std::string& name : node.inputs) message.add_bytes(1, name);
  for (const std::string& name : node.outputs) message.add_bytes(2, name);
  add_text(message, 3, node.name, node.present);
  add_text(message, 4, node.op_type, node.present);
  for (const Attribute& item : node.attributes) message.add_message(5, attribute(item));
  add_text(message, 6, node.doc_string, node.present);
  add_text(message, 7, node.domain, node.present);
  add_text(message, 8, node.overload, node.present);
  add_pairs(message, 9, node.metadata_props);
  message.append(node.unknown);
  return message;
}

Message Builder::graph(const Graph& graph) {
  Message message;
  for (const Node& item : graph.nodes) message.add_message(1, node(item));
  add_text(message, 2, graph.name, graph.present);
  for (const TensorData& item : graph.initializers)
    message.add_message(5, tensor(item, DataPlacement::Role::kInitializer));
  add_text(message, 10, graph.doc_string, graph.present);
  for (const ValueInfo& item : graph.inputs) message.add_message(11, build_value_info(item));
  for (const ValueInfo& item : graph.outputs) message.add_message(12, build_value_info(item));
  for (const ValueInfo& item : graph.value_info) message.add_message(13, build_value_info(item));
  for (const auto& [tensor_name, pairs] : graph.quantization_annotations) {
    Message annotation;
    annotation.add_bytes(1, tensor_name);
    add_pairs(annotation, 2, pairs);
    message.add_message(14, annotation);
  }
  for (const SparseTensorData& item : graph.sparse_initializers) message.add_message(15, sparse_tensor(item));
  add_pairs(message, 16, graph.metadata_props);
  message.append(graph.unknown);
  return message;
}

void add_opsets(Message& message, uint32_t number, const std::vector<OpsetImport>& imports) {
  for (const OpsetImport& import : imports) {
    Message opset;
    add_text(opset, 1, import.domain, import.present);
    add_number(opset, 2, import.version, import.present);
    message.add_message(number, opset);
  }
}

Message Builder::function(const Function& function) {
  Message message;
  add_text(message, 1, function.name, function.present);
  for (const std::string& name : function.inputs) message.add_bytes(4, name);
  for (const std::string& name : function.outputs) message.add_bytes(5, name);
  for (const std::string& name : function.attributes) message.add_bytes(6, name);
  for (const Node& item : function.nodes) message.add_message(7, node(item));
  add_text(message, 8, function.doc_string, function.present);
  add_opsets(message, 9, function.opset_imports);
  add_text(message, 10, function.domain, function.present);
  for (const Attribute& item : function.attribute_defaults) message.add_message(11, attribute(item));
  for (const ValueInfo& item : function.value_info) message.add_message(12, build_value_info(item));
  add_text(message, 13, function.overload, function.present);
  add_pairs(message, 14, function.metadata_props);
  message.append(function.unknown);
  return message;
}

Message Builder::training_info(const TrainingInfo& info) {
  Message message;
  if (info.initialization) message.add_message(1, graph(*info.initialization));
  if (info.algorithm) message.add_message(2, graph(*info.algorithm));
  add_pairs(message, 3, info.initialization_binding);
  add_pairs(message, 4, info.update_binding);
  message.append(info.unknown);
  return message;
}

}  // namespace

Message build_model(const Model& model, DataPlacement& placement) {
  Builder builder(placement);
  Message message;
  add_number(message, 1, model.ir_version, model.present);
  add_text(message, 2, model.producer_name, model.present);
  add_text(message, 3, model.producer_version, model.present);
  add_text(message, 4, model.domain, model.present);
  add_number(message, 5, model.model_version, model.present);
  add_text(message, 6, model.doc_string, model.present);
  message.add_message(7, builder.graph(model.graph));
  add_opsets(message, 8, model.opset_imports);
  add_pairs(message, 14, model.metadata_props);
  for (const TrainingInfo& info : model.training_info) message.add_message(20, builder.training_info(info));
  for (const Function& function : model.functions) message.add_message(25, builder.function(function));
  message.append(model.unknown);
  return message;
}

}  // namespace tenon::onnx
