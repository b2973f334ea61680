// Model: everything that an ONNX file says, as it says it (onnx.proto, IR version 14). Reading and writing a
// Model loses nothing. It is what src/formats/onnx reads and writes, what the verifier checks, and what
// src/ops turns into a TypedModel (upgrade) and makes from one (emit). No meaning is attached here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tenon/tensor.h"

namespace tenon::onnx {

/// metadata_props and external_data: pairs in file order.
using StringPairs = std::vector<std::pair<std::string, std::string>>;

/// Fields that this version of tenon does not know, as they stood on the wire (tag included), kept for
/// writing.
using UnknownFields = std::string;

/// Bit N: the scalar field number N stood in the message although it holds its default ("" or 0). protobuf
/// tells such a field from an absent one, so it is written again. A model made in memory leaves this at 0.
using PresentFields = uint32_t;

/// TensorProto. `value` holds the elements as a Tensor (its type and shape are data_type and dims), whatever
/// field of the message they came from; `encoding` says which, so that writing gives the same message back.
struct TensorData {
  enum class Encoding : uint8_t {
    kRaw,       ///< raw_data. Strings, which cannot be raw, are written as kTyped.
    kTyped,     ///< float_data, int32_data, string_data, int64_data, double_data, uint64_data
    kExternal,  ///< external_data: location, offset, length
  };
  std::string name;
  Tensor value;
  Encoding encoding = Encoding::kRaw;
  StringPairs external_data;  ///< As written in the file, when encoding is kExternal.
  std::string doc_string;
  StringPairs metadata_props;
  UnknownFields unknown;
  PresentFields present = 0;
};

/// SparseTensorProto.
struct SparseTensorData {
  TensorData values;  ///< Its name is the name of the sparse tensor.
  TensorData indices;
  std::vector<int64_t> dims;
  UnknownFields unknown;
};

/// One dimension of a TypeProto.Tensor: a number, a name, or nothing.
struct Dimension {
  std::variant<std::monostate, int64_t, std::string> value;
  std::string denotation;
  PresentFields present = 0;
};

/// TypeProto.
struct Type {
  enum class Kind : uint8_t { kNone, kTensor, kSparseTensor, kSequence, kOptional, kMap };
  Kind kind = Kind::kNone;
  DataType element = DataType::kUndefined;      ///< Of tensors; the key type of maps.
  std::optional<std::vector<Dimension>> shape;  ///< Of tensors; nullopt: rank unknown.
  std::shared_ptr<Type> inner;                  ///< Element of sequences and optionals, value of maps.
  std::string denotation;
  UnknownFields unknown;  ///< opaque_type among them.
  PresentFields present = 0;
};

/// ValueInfoProto.
struct ValueInfo {
  std::string name;
  std::optional<Type> type;
  std::string doc_string;
  StringPairs metadata_props;
  UnknownFields unknown;
  PresentFields present = 0;
};

struct Graph;

/// AttributeProto. Exactly one alternative, or a reference to an attribute of the enclosing function.
struct Attribute {
  using Floats = std::vector<float>;
  using Ints = std::vector<int64_t>;
  using Strings = std::vector<std::string>;
  using GraphPtr = std::shared_ptr<Graph>;
  /// AttributeProto.AttributeType, kept beside the value: a reference has a type and no value.
  enum class Kind : uint8_t {
    kUndefined = 0,
    kFloat = 1,
    kInt = 2,
    kString = 3,
    kTensor = 4,
    kGraph = 5,
    kFloats = 6,
    kInts = 7,
    kStrings = 8,
    kTensors = 9,
    kGraphs = 10,
    kSparseTensor = 11,
    kSparseTensors = 12,
    kTypeProto = 13,
    kTypeProtos = 14,
  };
  /// Ordered as Kind is, so that the index of the alternative is the number of the kind.
  using Value = std::variant<std::monostate, float, int64_t, std::string, TensorData, GraphPtr, Floats, Ints,
                             Strings, std::vector<TensorData>, std::vector<GraphPtr>, SparseTensorData,
                             std::vector<SparseTensorData>, Type, std::vector<Type>>;

  std::string name;
  Kind kind = Kind::kUndefined;
  Value value;
  std::string ref_attr_name;
  std::string doc_string;
  bool kind_omitted = false;   ///< The file does not give `type` (IR version 1); `kind` comes from the value.
  bool value_omitted = false;  ///< The file gives a type alone; `value` is the type's default.
  UnknownFields unknown;
  PresentFields present = 0;

  /// An attribute whose kind is that of its value.
  static Attribute make(std::string name, Value value) {
    Attribute result;
    result.name = std::move(name);
    result.kind = static_cast<Kind>(value.index());
    result.value = std::move(value);
    return result;
  }
};

/// NodeProto.
struct Node {
  std::string name, op_type, domain, overload, doc_string;
  std::vector<std::string> inputs;   ///< "" for an omitted optional input.
  std::vector<std::string> outputs;  ///< "" for an output nobody wants.
  std::vector<Attribute> attributes;
  StringPairs metadata_props;
  UnknownFields unknown;  ///< device_configurations among them.
  PresentFields present = 0;

  const Attribute* attribute(std::string_view attribute_name) const {
    for (const Attribute& a : attributes)
      if (a.name == attribute_name) return &a;
    return nullptr;
  }
};

/// GraphProto.
struct Graph {
  std::string name, doc_string;
  std::vector<Node> nodes;
  std::vector<TensorData> initializers;
  std::vector<SparseTensorData> sparse_initializers;
  std::vector<ValueInfo> inputs, outputs, value_info;
  std::vector<std::pair<std::string, StringPairs>> quantization_annotations;
  StringPairs metadata_props;
  UnknownFields unknown;
  PresentFields present = 0;
};

/// OperatorSetIdProto. Domain "" is ai.onnx.
struct OpsetImport {
  std::string domain;
  int64_t version = 0;
  PresentFields present = 0;
};

/// FunctionProto.
struct Function {
  std::string name, domain, overload, doc_string;
  std::vector<std::string> inputs, outputs;
  std::vector<std::string> attributes;        ///< Names of attributes without a default.
  std::vector<Attribute> attribute_defaults;  ///< attribute_proto
  std::vector<Node> nodes;
  std::vector<OpsetImport> opset_imports;
  std::vector<ValueInfo> value_info;
  StringPairs metadata_props;
  UnknownFields unknown;
  PresentFields present = 0;
};

/// TrainingInfoProto.
struct TrainingInfo {
  std::optional<Graph> initialization, algorithm;
  StringPairs initialization_binding, update_binding;
  UnknownFields unknown;
};

/// ModelProto.
struct Model {
  int64_t ir_version = 0;
  std::vector<OpsetImport> opset_imports;
  std::string producer_name, producer_version, domain, doc_string;
  int64_t model_version = 0;
  Graph graph;
  StringPairs metadata_props;
  std::vector<TrainingInfo> training_info;
  std::vector<Function> functions;
  UnknownFields unknown;  ///< configuration (multi-device) among them.
  PresentFields present = 0;
};

}  // namespace tenon::onnx
