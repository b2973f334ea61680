#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "ops/core/builder.h"
#include "runtime/session_state.h"

namespace tenon {
namespace {

using ::testing::Test;

ValueType floats(SymShape shape) {
  return ValueType::tensor(DataType::kFloat32, std::move(shape));
}

/// x -> Relu -> a -> Neg -> b; c = a + b (Identity d); y = d * 2, and Add twice the same.
TypedModel chain() {
  TypedModel model;
  Graph& graph = model.graph;
  ops::GraphBuilder builder(graph);
  ValueId x = graph.add_input("x", floats({SymInt::symbol("n"), 3}));
  ValueId a = builder.add(Op::kRelu, {x}, {}, "a").value();
  ValueId b = builder.add(Op::kNeg, {a}, {}, "b").value();
  ValueId c = builder.add(Op::kAdd, {a, b}, {}, "c").value();
  ValueId d = builder.add(Op::kIdentity, {c}, {}, "d").value();
  ValueId two = builder.constant(Tensor::scalar(2.0f), "two");
  ValueId e = builder.add(Op::kMul, {d, two}, {}, "e").value();
  ValueId f = builder.add(Op::kMul, {c, two}, {}, "f").value();
  ValueId y = builder.add(Op::kSub, {e, a}, {}, "y").value();
  ValueId unused = builder.add(Op::kExp, {f}, {}, "unused").value();
  (void)unused;
  graph.outputs = {y};
  return model;
}

Tensor matrix(std::vector<float> values) {
  auto rows = static_cast<int64_t>(values.size() / 3);
  return Tensor::from<float>(DataType::kFloat32, {rows, 3}, values);
}

std::vector<float> elements(const Value& value) {
  auto span = value.tensor().span<float>();
  return {span.begin(), span.end()};
}

TEST(Session, RunsAndNamesItsInputsAndOutputs) {
  auto session = make_session(chain(), {}).value();
  ASSERT_EQ(session->inputs().size(), 1u);
  EXPECT_EQ(session->inputs()[0].type, "float32[n,3]");
  EXPECT_EQ(session->outputs()[0].name, "y");
  auto outputs = session->run({{"x", matrix({1, -2, 3})}}).value();
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0].name, "y");
  EXPECT_EQ(elements(outputs[0].value), (std::vector<float>{-1, 0, -3}));
}

TEST(Session, GivesAnyValueByNameAndKeepsTheBitsOfTheOthers) {
  for (bool references_only : {false, true}) {
    SessionOptions options;
    options.references_only = references_only;
    auto session = make_session(chain(), options).value();
    Value x = matrix({1, -2, 3, 4, 5, -6});
    auto plain = session->run({{"x", x}}).value();
    // Among them a removed Identity, a shared expression, dead code, a constant, and the input itself.
    std::vector<std::string> names = {"y", "a", "d", "f", "unused", "two", "x", "y", "c", "b"};
    auto all = session->run({{"x", x}}, names).value();
    ASSERT_EQ(all.size(), names.size());
    EXPECT_EQ(elements(all[0].value), elements(plain[0].value));
    EXPECT_EQ(elements(all[7].value), elements(plain[0].value));
    EXPECT_EQ(elements(all[1].value), (std::vector<float>{1, 0, 3, 4, 5, 0}));
    EXPECT_EQ(elements(all[9].value), (std::vector<float>{-1, -0.0f, -3, -4, -5, -0.0f}));
    for (size_t zero : {2, 3, 8}) EXPECT_EQ(elements(all[zero].value), std::vector<float>(6, 0.0f));
    EXPECT_EQ(elements(all[4].value), std::vector<float>(6, 1.0f));
    EXPECT_EQ(elements(all[5].value), std::vector<float>{2});
    EXPECT_EQ(elements(all[6].value), elements(x));
  }
}

TEST(Session, WritesIntoTensorsOfTheCaller) {
  auto session = make_session(chain(), {}).value();
  const std::vector<NamedValue> given = {{"x", matrix({1, -2, 3, 4, 5, -6})}};
  // The output, twice; values between steps, of the passes' leavings, the input, a constant; and two that do
  // not suit: another shape, another type.
  std::vector<NamedValue> outputs;
  for (const char* name : {"y", "y", "a", "d", "f", "unused", "x"})
    outputs.push_back({name, matrix({7, 7, 7, 7, 7, 7})});
  outputs.push_back({"two", Tensor::scalar(7.0f)});
  outputs.push_back({"y", matrix({7, 7, 7})});
  outputs.push_back({"y", Tensor::allocate(DataType::kInt32, {2, 3})});
  std::vector<const std::byte*> places;
  std::vector<std::string> names;
  for (const NamedValue& output : outputs) {
    places.push_back(output.value.tensor().raw());
    names.push_back(output.name);
  }
  const auto expected = session->run(given, names).value();
  for (int run = 0; run < 3; ++run) {
    ASSERT_TRUE(session->run_into(given, outputs).ok());
    for (size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_EQ(elements(outputs[i].value), elements(expected[i].value)) << names[i] << " " << i;
      if (i < 8) EXPECT_EQ(outputs[i].value.tensor().raw(), places[i]) << names[i];
    }
  }
  EXPECT_EQ(elements(given[0].value), (std::vector<float>{1, -2, 3, 4, 5, -6}));
  // The model's outputs alone, as they are without one.
  std::vector<NamedValue> whole = {{"y", {}}};
  ASSERT_TRUE(session->run_into(given, whole).ok());
  EXPECT_EQ(elements(whole[0].value), elements(expected[0].value));
  whole[0].name = "z";
  EXPECT_EQ(session->run_into(given, whole).error().code, ErrorCode::kUsage);
}

TEST(Session, SizesAreCheckedForEachSetOfThem) {
  auto session = make_session(chain(), {}).value();
  for (int run = 0; run < 2; ++run) {
    EXPECT_TRUE(session->run({{"x", matrix({1, 2, 3})}}).ok());
    EXPECT_FALSE(session->run({{"x", Tensor::allocate(DataType::kFloat32, {1, 4})}}).ok());
    EXPECT_FALSE(session->run({{"x", Tensor::allocate(DataType::kFloat32, {3})}}).ok());
    EXPECT_FALSE(session->run({{"x", Tensor::allocate(DataType::kInt64, {1, 3})}}).ok());
  }
}

TEST(Session, SaysWhichValuesAreRecomputed) {
  auto session = make_session(chain(), {}).value();
  EXPECT_FALSE(session->find_value("y")->recomputed);
  EXPECT_FALSE(session->find_value("a")->recomputed);
  EXPECT_TRUE(session->find_value("unused")->recomputed);
  EXPECT_FALSE(session->find_value("nothing").has_value());
  EXPECT_EQ(session->values().size(), 10u);  // x a b c d two e f y unused
}

std::string message_of(const Result<std::vector<NamedValue>>& result) {
  return result.ok() ? "" : result.error().to_string();
}

TEST(Session, ChecksItsInputs) {
  auto session = make_session(chain(), {}).value();
  Value x = matrix({1, 2, 3});
  EXPECT_EQ(message_of(session->run({})), "input 'x' (float32[n,3]) was not given");
  EXPECT_NE(message_of(session->run({{"X", x}})).find("'X'"), std::string::npos);
  EXPECT_EQ(session->run({{"x", x}, {"x", x}}).error().code, ErrorCode::kUsage);
  Value flat = Tensor::from_floats(std::vector<float>{1, 2, 3});
  EXPECT_EQ(message_of(session->run({{"x", flat}})),
            "input 'x' takes float32[n,3], and float32[3] was given");
  Value ints = Tensor::from<int64_t>(DataType::kInt64, {1, 3}, std::vector<int64_t>{1, 2, 3});
  EXPECT_EQ(session->run({{"x", ints}}).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(session->run({{"x", Sequence{}}}).error().code, ErrorCode::kMismatch);
  auto unknown = session->run({{"x", x}}, {"unusde"});
  EXPECT_EQ(unknown.error().code, ErrorCode::kUsage);
  EXPECT_EQ(unknown.error().hint, "did you mean 'unused'?");
}

// Strides, dilations and pads of 2^31 each give a window with one position, whose taps lie 2^62 elements
// apart.
TEST(Session, RefusesAConvolutionThatNoMemoryHolds) {
  for (int64_t rank : {3, 4}) {
    TypedModel model;
    ops::GraphBuilder builder(model.graph);
    const auto axes = static_cast<size_t>(rank - 2);
    const std::vector<int64_t> huge(axes, int64_t{1} << 31);
    std::vector<int64_t> pads = huge;
    pads.resize(2 * axes, 0);
    const Shape shape = rank == 3 ? Shape{1, 1, 2} : Shape{1, 1, 2, 2};
    const std::vector<float> ones(static_cast<size_t>(int64_t{1} << axes), 1.0f);
    const ValueId x = model.graph.add_input("x", floats(SymShape(rank == 3 ? 3 : 4, 1)));
    const ValueId w = builder.constant(Tensor::from<float>(DataType::kFloat32, shape, ones));
    const Attributes attributes = {{"strides", huge}, {"dilations", huge}, {"pads", pads}};
    model.graph.outputs = {builder.add(Op::kConv, {x, w}, attributes, "y").value()};
    auto session = make_session(std::move(model), {}).value();
    const Value one =
        Tensor::from<float>(DataType::kFloat32, Shape(static_cast<size_t>(rank), 1), std::vector<float>{1});
    const auto result = session->run({{"x", one}});
    ASSERT_FALSE(result.ok());
    EXPECT_TRUE(result.error().code == ErrorCode::kLimit || result.error().code == ErrorCode::kOutOfMemory)
        << result.error().to_string();
  }
}

TEST(Session, ASymbolStandsForOneNumber) {
  TypedModel model;
  ops::GraphBuilder builder(model.graph);
  SymInt n = SymInt::symbol("n");
  ValueId a = model.graph.add_input("a", floats({n}));
  ValueId b = model.graph.add_input("b", floats({n * SymInt(2)}));
  model.graph.outputs = {builder.add(Op::kConcat, {a, b}, {{"axis", int64_t{0}}}, "y").value()};
  auto session = make_session(std::move(model), {}).value();
  Value two = Tensor::from_floats(std::vector<float>{1, 2});
  Value four = Tensor::from_floats(std::vector<float>{1, 2, 3, 4});
  EXPECT_TRUE(session->run({{"a", two}, {"b", four}}).ok());
  EXPECT_EQ(session->run({{"a", two}, {"b", two}}).error().code, ErrorCode::kMismatch);
}

TEST(Session, CanBeCancelledAndHasDeadlines) {
  auto session = make_session(chain(), {}).value();
  RunContext cancelled;
  cancelled.cancel();
  EXPECT_EQ(session->run({{"x", matrix({1, 2, 3})}}, {}, &cancelled).error().code, ErrorCode::kCancelled);
  RunContext late;
  late.set_deadline(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  EXPECT_EQ(session->run({{"x", matrix({1, 2, 3})}}, {}, &late).error().code, ErrorCode::kCancelled);
}

TEST(Session, IsSharedByThreadsWithDifferentShapes) {
  auto session = make_session(chain(), {}).value();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 1; t <= 4; ++t)
    threads.emplace_back([&, t] {
      std::vector<float> values(static_cast<size_t>(3 * t), static_cast<float>(t));
      for (int round = 0; round < 50; ++round) {
        auto outputs = session->run({{"x", matrix(values)}}, {"y", "b"});
        std::vector<float> expected(values.size(), static_cast<float>(-t));
        if (!outputs.ok() || elements((*outputs)[0].value) != expected ||
            elements((*outputs)[1].value) != expected)
          wrong++;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Session, OutputsMayBeInputsConstantsAndViews) {
  TypedModel model;
  ops::GraphBuilder builder(model.graph);
  ValueId x = model.graph.add_input("x", floats({2, 3}));
  ValueId k = builder.constant(Tensor::scalar(7.0f), "k");
  ValueId negated = builder.add(Op::kNeg, {x}, {}, "negated").value();
  ValueId shape = builder.constant_ints({3, 2});
  ValueId view = builder.add(Op::kReshape, {negated, shape}, {{"allowzero", int64_t{0}}}, "view").value();
  ValueId same = builder.add(Op::kIdentity, {x}, {}, "same").value();
  model.graph.outputs = {x, k, view, same, view};
  auto session = make_session(std::move(model), {}).value();
  Value input = matrix({1, 2, 3, 4, 5, 6});
  auto first = session->run({{"x", input}}).value();
  auto second = session->run({{"x", matrix({0, 0, 0, 0, 0, 0})}}).value();  // must not touch the first
  EXPECT_EQ(elements(first[0].value), elements(input));
  EXPECT_EQ(elements(first[1].value), std::vector<float>{7});
  EXPECT_EQ(first[2].value.tensor().shape(), (Shape{3, 2}));
  EXPECT_EQ(elements(first[2].value), (std::vector<float>{-1, -2, -3, -4, -5, -6}));
  EXPECT_EQ(first[3].name, "same");
  EXPECT_EQ(elements(first[3].value), elements(input));
  EXPECT_EQ(elements(first[4].value), elements(first[2].value));
}

/// q k^T of heads that lie side by side in x [rows, 2, heads, size]: two products look through one Transpose,
/// which is an output, too, when asked for.
TypedModel heads(bool gives_transposed) {
  TypedModel model;
  ops::GraphBuilder b(model.graph);
  const ValueId x = model.graph.add_input("x", floats({3, 2, 2, 4}));
  const auto index = [&](int64_t i) {
    return b.constant(Tensor::from<int64_t>(DataType::kInt64, {}, std::vector<int64_t>{i}));
  };
  const auto permuted = [&](ValueId id, std::vector<int64_t> perm, const char* name) {
    return b.add(Op::kTranspose, {id}, {{"perm", std::move(perm)}}, name).value();
  };
  const ValueId all = permuted(x, {1, 2, 0, 3}, "all");
  const ValueId q = b.add(Op::kGather, {all, index(0)}, {{"axis", 0}}, "q").value();
  const ValueId k = b.add(Op::kGather, {all, index(1)}, {{"axis", 0}}, "k").value();
  const ValueId scores = b.add(Op::kMatMul, {q, permuted(k, {0, 2, 1}, "columns")}, {}, "scores").value();
  model.graph.outputs = {scores, b.add(Op::kMatMul, {scores, q}, {}, "y").value()};
  if (gives_transposed) model.graph.outputs.push_back(all);
  return model;
}

TEST(Session, ProductsLookThroughSharedViews) {
  std::vector<float> numbers(48);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 7) - 3;
  const Tensor x = Tensor::from<float>(DataType::kFloat32, {3, 2, 2, 4}, numbers);
  const std::vector<std::string> names = {"scores", "y", "all", "q", "k", "columns"};
  for (const bool gives_transposed : {false, true}) {
    SessionOptions references;
    references.references_only = true;
    const auto expected =
        make_session(heads(gives_transposed), references).value()->run({{"x", x}}, names).value();
    const auto session = make_session(heads(gives_transposed), {}).value();
    // The views are no steps of their own, except where they are asked for.
    EXPECT_EQ(session->state().engine->main().steps.size(), gives_transposed ? 3u : 2u);
    for (int run = 0; run < 2; ++run) {
      const auto got = session->run({{"x", x}}, names).value();
      for (size_t i = 0; i < names.size(); ++i)
        EXPECT_EQ(elements(got[i].value), elements(expected[i].value)) << names[i];
      EXPECT_EQ(elements(session->run({{"x", x}}).value()[1].value), elements(expected[1].value));
    }
  }
}

TEST(Session, PassesCanBeSwitchedOffByName) {
  SessionOptions options;
  options.disabled_passes = {"remove-dead-code", "share-subexpressions"};
  auto session = make_session(chain(), options).value();
  EXPECT_FALSE(session->find_value("unused")->recomputed);
  options.disabled_passes = {"no-such-pass"};
  EXPECT_EQ(make_session(chain(), options).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace tenon
