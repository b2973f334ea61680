#include "formats/onnx/reader.h"

#include <gtest/gtest.h>

#include "formats/onnx/writer.h"

namespace tenon::onnx {
namespace {

Result<Model> parse(std::string_view bytes, const ReadOptions& options = {}) {
  // A copy of its own, so that sanitizers see a read past the end.
  const std::vector<char> copy(bytes.begin(), bytes.end());
  return parse_model(std::as_bytes(std::span(copy)), nullptr, "", options);
}

TensorData tensor_data(std::string name, Tensor value, TensorData::Encoding encoding) {
  TensorData data;
  data.name = std::move(name);
  data.value = std::move(value);
  data.encoding = encoding;
  return data;
}

/// A model that has something of everything.
Model rich_model() {
  Model model;
  model.ir_version = 14;
  model.opset_imports = {{"", 28}, {"custom", 1}};
  model.producer_name = "test";
  model.metadata_props = {{"key", "value"}};
  Graph& graph = model.graph;
  graph.name = "g";
  Type type;
  type.kind = Type::Kind::kTensor;
  type.element = DataType::kFloat32;
  type.shape = {Dimension{int64_t{2}, ""}, Dimension{std::string("n"), "X"}, Dimension{}};
  Type sequence;
  sequence.kind = Type::Kind::kSequence;
  sequence.inner = std::make_shared<Type>(type);
  graph.inputs = {ValueInfo{"x", type, "", {}, "", 0}, ValueInfo{"s", sequence, "doc", {}, "", 0}};
  graph.outputs = {ValueInfo{"y", type, "", {}, "", 0}};
  const std::vector<uint8_t> nibbles = {1, 2, 15};
  const std::vector<float> floats = {1.5f, -2.0f, 0.0f};
  Tensor strings = Tensor::allocate(DataType::kString, {2});
  strings.mutable_data<std::string>()[1] = "text";
  using enum TensorData::Encoding;
  graph.initializers = {
      tensor_data("w", Tensor::from_floats(floats), kRaw),
      tensor_data("v", Tensor::from_floats(floats), kTyped),
      tensor_data("q", Tensor::from<uint8_t>(DataType::kInt4, {3}, nibbles), kRaw),
      tensor_data("p", Tensor::from<uint8_t>(DataType::kUInt4, {3}, nibbles), kTyped),
      tensor_data("t", strings, kTyped),
  };
  SparseTensorData sparse;
  sparse.values = tensor_data("sp", Tensor::from_floats(floats), kRaw);
  sparse.indices = tensor_data("", Tensor::from_ints(std::vector<int64_t>{0, 2, 5}), kTyped);
  sparse.dims = {2, 3};
  graph.sparse_initializers = {sparse};

  auto body = std::make_shared<Graph>();
  body->name = "body";
  body->outputs = {ValueInfo{"x", std::nullopt, "", {}, "", 0}};
  Node node;
  node.name = "n";
  node.op_type = "Anything";
  node.domain = "custom";
  node.inputs = {"x", "", "w"};
  node.outputs = {"y"};
  node.attributes = {Attribute::make("i", int64_t{-1}),
                     Attribute::make("f", 0.5f),
                     Attribute::make("s", std::string("text")),
                     Attribute::make("is", Attribute::Ints{1, 2}),
                     Attribute::make("fs", Attribute::Floats{1, 2}),
                     Attribute::make("g", body),
                     Attribute::make("sp", sparse),
                     Attribute::make("tp", sequence)};
  node.metadata_props = {{"source", "model.py:1"}};
  graph.nodes = {node};
  Function function;
  function.name = "F";
  function.domain = "custom";
  function.inputs = {"a"};
  function.outputs = {"b"};
  function.nodes = {node};
  function.opset_imports = {{"", 28}};
  model.functions = {function};
  return model;
}

TEST(OnnxReader, ReadsWhatTheWriterWrites) {
  const std::string bytes = serialize(rich_model()).value();
  const Result<Model> model = parse(bytes);
  ASSERT_TRUE(model.ok()) << model.error().to_string();
  EXPECT_EQ(serialize(*model).value(), bytes);
  const Graph& graph = model->graph;
  ASSERT_EQ(graph.initializers.size(), 5u);
  EXPECT_EQ(graph.initializers[0].value.data<float>()[1], -2.0f);
  EXPECT_EQ(graph.initializers[1].encoding, TensorData::Encoding::kTyped);
  EXPECT_EQ(graph.initializers[2].value.data<uint8_t>()[2], 15);
  EXPECT_EQ(graph.initializers[3].value.data<uint8_t>()[1], 2);
  EXPECT_EQ(graph.initializers[4].value.strings()[1], "text");
  EXPECT_EQ(graph.nodes[0].inputs, (std::vector<std::string>{"x", "", "w"}));
  EXPECT_EQ(std::get<int64_t>(graph.nodes[0].attribute("i")->value), -1);
  EXPECT_EQ(std::get<std::string>((*graph.inputs[0].type->shape)[1].value), "n");
}

TEST(OnnxReader, SurvivesTruncationAtEveryByte) {
  const std::string bytes = serialize(rich_model()).value();
  int errors = 0;
  for (size_t length = 0; length < bytes.size(); ++length) {
    const Result<Model> model = parse(std::string_view(bytes).substr(0, length));
    if (!model.ok()) {
      ++errors;
      EXPECT_NE(model.error().code, ErrorCode::kInternal) << length;
      EXPECT_FALSE(model.error().message.empty());
    }
  }
  EXPECT_GT(errors, static_cast<int>(bytes.size()) - 20);  // a cut between two fields is a smaller model
}

TEST(OnnxReader, SurvivesFlippedBits) {
  const std::string bytes = serialize(rich_model()).value();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const Result<Model> model = parse(damaged);
      if (model.ok()) EXPECT_TRUE(serialize(*model).ok());
    }
  }
}

TEST(OnnxReader, RefusesBrokenProtobuf) {
  const auto message_of = [](std::string_view bytes) {
    const Result<Model> model = parse(bytes);
    EXPECT_FALSE(model.ok());
    if (model.ok()) return std::string();
    EXPECT_EQ(model.error().code, ErrorCode::kMalformed);
    return model.error().message;
  };
  using std::string_literals::operator""s;
  EXPECT_NE(message_of("\x08" + std::string(10, '\xff') + "\x01").find("too long"), std::string::npos);
  EXPECT_NE(message_of("\x0b\x0b\x0c\x0c").find("wire type"), std::string::npos);  // nested groups
  EXPECT_NE(message_of("\x3d"
                       "abcd")
                .find("wrong wire type"),
            std::string::npos);  // the graph as a float
  EXPECT_NE(message_of("\x3a\x7fx").find("past the end"), std::string::npos);
  EXPECT_NE(message_of("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f").find("past the end"), std::string::npos);
  EXPECT_NE(message_of("\x02\x00"s).find("field number"), std::string::npos);
  EXPECT_NE(message_of("").find("no graph"), std::string::npos);
  EXPECT_NE(message_of("\x3a\x00\x3a\x00"s).find("two graphs"), std::string::npos);
}

/// A graph that holds a node that holds a graph, `depth` times.
std::shared_ptr<Graph> nested(int depth) {
  auto graph = std::make_shared<Graph>();
  for (int i = 0; i < depth; ++i) {
    Node node;
    node.op_type = "If";
    node.attributes = {Attribute::make("then_branch", graph)};
    graph = std::make_shared<Graph>();
    graph->nodes = {node};
  }
  return graph;
}

TEST(OnnxReader, LimitsNesting) {
  for (const auto& [depth, accepted] : {std::pair(32, true), std::pair(33, false), std::pair(101, false)}) {
    Model model;
    model.graph = *nested(depth);
    const Result<Model> read = parse(serialize(model).value());
    EXPECT_EQ(read.ok(), accepted) << depth;
    if (!read.ok()) EXPECT_EQ(read.error().code, ErrorCode::kLimit);
  }
}

TEST(OnnxReader, LimitsMemory) {
  // Two bytes on the wire for each empty node.
  std::string graph;
  for (int i = 0; i < 10'000; ++i) graph += std::string("\x0a\x00", 2);
  std::string bytes = "\x3a";
  bytes += static_cast<char>(0x80 | (graph.size() & 0x7f));
  bytes += static_cast<char>(0x80 | (graph.size() >> 7 & 0x7f));
  bytes += static_cast<char>(graph.size() >> 14);
  bytes += graph;
  EXPECT_TRUE(parse(bytes).ok());
  const Result<Model> limited = parse(bytes, {.structure_bytes_max = 1 << 20});
  ASSERT_FALSE(limited.ok());
  EXPECT_EQ(limited.error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace tenon::onnx
