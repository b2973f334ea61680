#include <cmath>
#include <limits>

#include "ops/attention/attention.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// Writes Attention as older operators, following its function body.
class AttentionWriter {
 public:
  AttentionWriter(EmitContext& context, AttentionSizes sizes)
      : context_(context), sizes_(std::move(sizes)), type_(context.input_type(0).element) {}

  Status write();

 private:
  using Name = Result<std::string>;

  std::string ints(const std::vector<int64_t>& values) {
    return context_.constant(Tensor::from_ints(values), "ints");
  }
  std::string number(double value) {
    Tensor tensor = Tensor::allocate(type_, {});
    store_element<double>(tensor, 0, value);
    return context_.constant(std::move(tensor), "number");
  }
  Name split_heads(std::string value, const SymInt& heads) {
    if (!sizes_.flat) return value;
    const std::string split =
        TENON_TRY(context_.add("Reshape", {std::move(value), ints({0, 0, *heads.constant(), -1})}));
    return context_.add("Transpose", {split}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  }
  Name with_past(std::string fresh, size_t past_input, size_t output);
  Name for_each_query_head(std::string value, const SymInt& width);
  Name scores();
  /// The sum of all masks; "" when there is none. Sets may_mask_all_.
  Name bias();
  Name position_bias();
  Name constant_position_bias(int64_t q_length, int64_t total, int64_t past);
  Name probabilities(std::string scores, const std::string& bias);
  Status expose(int64_t stage, const std::string& value) {
    if (!context_.has_output(3) || context_.attributes().integer("qk_matmul_output_mode") != stage) return {};
    return context_.finish("Identity", {value}, {}, {context_.output(3)});
  }

  EmitContext& context_;
  AttentionSizes sizes_;
  DataType type_;
  std::string query_, key_, value_;
  bool may_mask_all_ = false;
};

Result<std::string> AttentionWriter::with_past(std::string fresh, size_t past_input, size_t output) {
  const bool wanted = context_.has_output(output);
  if (context_.has_input(past_input)) {
    const Attributes axis = {{"axis", int64_t{2}}};
    if (!wanted) return context_.add("Concat", {context_.input(past_input), fresh}, axis);
    TENON_TRY(
        context_.finish("Concat", {context_.input(past_input), fresh}, axis, {context_.output(output)}));
    return context_.output(output);
  }
  if (wanted) TENON_TRY(context_.finish("Identity", {fresh}, {}, {context_.output(output)}));
  return fresh;
}

// Repeats each key head for the query heads that share it.
Result<std::string> AttentionWriter::for_each_query_head(std::string value, const SymInt& width) {
  if (sizes_.q_heads == sizes_.kv_heads) return value;
  const auto q_heads = sizes_.q_heads.constant(), kv_heads = sizes_.kv_heads.constant(),
             size = width.constant();
  if (!q_heads || !kv_heads || !size) return context_.unsupported(23, "the number of heads is not known");
  const std::string grouped = TENON_TRY(context_.add("Reshape", {value, ints({0, *kv_heads, 1, -1, *size})}));
  const std::string repeated =
      TENON_TRY(context_.add("Expand", {grouped, ints({1, 1, *q_heads / *kv_heads, 1, 1})}));
  return context_.add("Reshape", {repeated, ints({0, *q_heads, -1, *size})});
}

Result<std::string> AttentionWriter::scores() {
  double scale;
  if (context_.attributes().has("scale")) {
    scale = static_cast<double>(context_.attributes().real("scale"));
  } else {
    const auto size = sizes_.head_size.constant();
    if (!size || *size == 0) return context_.unsupported(23, "the size of a head is not known");
    scale = 1 / std::sqrt(static_cast<double>(*size));
  }
  if (!(scale >= 0)) return context_.unsupported(23, "its scale is negative");
  const std::string root = number(std::sqrt(scale));
  const std::string q = TENON_TRY(context_.add("Mul", {query_, root}));
  const std::string k = TENON_TRY(context_.add("Mul", {key_, root}));
  const std::string turned =
      TENON_TRY(context_.add("Transpose", {k}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}}));
  std::string scores = TENON_TRY(context_.add("MatMul", {q, turned}));
  TENON_TRY(expose(0, scores));
  if (const float cap = context_.attributes().real("softcap"); cap > 0) {
    const std::string limit = number(static_cast<double>(cap));
    scores = TENON_TRY(context_.add("Div", {scores, limit}));
    scores = TENON_TRY(context_.add("Tanh", {scores}));
    scores = TENON_TRY(context_.add("Mul", {scores, limit}));
  }
  TENON_TRY(expose(1, scores));
  return scores;
}

Result<std::string> AttentionWriter::constant_position_bias(int64_t q_length, int64_t total, int64_t past) {
  const bool causal = context_.attributes().integer("is_causal") != 0;
  const int64_t left = context_.attributes().integer("left_window_size", -1);
  const int64_t right = context_.attributes().integer("right_window_size", -1);
  Tensor bias = Tensor::allocate(type_, {q_length, total});
  for (int64_t i = 0; i < q_length; ++i)
    for (int64_t j = 0; j < total; ++j) {
      const int64_t ahead = j - (i + past);
      const bool masked =
          (causal && ahead > 0) || (right >= 0 && ahead > right) || (left >= 0 && -ahead > left);
      store_element<double>(bias, i * total + j, masked ? -std::numeric_limits<double>::infinity() : 0.0);
    }
  if (left >= 0) may_mask_all_ = true;
  return context_.constant(std::move(bias), "causal");
}

Result<std::string> AttentionWriter::position_bias() {
  const auto q_length = sizes_.q_length.constant(), total = sizes_.total_length.constant();
  const auto past = sizes_.past_length.constant();
  if (q_length && total && past && *q_length <= 4096 && *total <= 4096)
    return constant_position_bias(*q_length, *total, *past);
  if (context_.attributes().integer("left_window_size", -1) >= 0 ||
      context_.attributes().integer("right_window_size", -1) >= 0)
    return context_.unsupported(25, "windows over lengths that are not known");
  auto length = [&](const std::string& value, int64_t axis) -> Name {
    const std::string shape = TENON_TRY(context_.add("Shape", {value}, {}, DataType::kInt64));
    return context_.add("Gather", {shape, context_.constant(Tensor::scalar(axis), "axis")}, {},
                        DataType::kInt64);
  };
  auto range = [&](const std::string& count) {
    return context_.add("Range",
                        {context_.constant(Tensor::scalar(int64_t{0}), "zero"), count,
                         context_.constant(Tensor::scalar(int64_t{1}), "one")},
                        {}, DataType::kInt64);
  };
  std::string rows = TENON_TRY(range(TENON_TRY(length(query_, 2))));
  if (context_.has_input(4)) {
    const std::string before = TENON_TRY(length(context_.input(4), 2));
    rows = TENON_TRY(context_.add("Add", {rows, before}, {}, DataType::kInt64));
  }
  rows = TENON_TRY(context_.add("Reshape", {rows, ints({-1, 1})}, {}, DataType::kInt64));
  const std::string columns = TENON_TRY(range(TENON_TRY(length(key_, 2))));
  const std::string ahead = TENON_TRY(context_.add("Greater", {columns, rows}, {}, DataType::kBool));
  return context_.add("Where", {ahead, number(-std::numeric_limits<double>::infinity()), number(0)});
}

Result<std::string> AttentionWriter::bias() {
  std::string bias;
  if (context_.has_input(3)) {
    const ValueType& mask = context_.input_type(3);
    if (!mask.shape || mask.shape->empty() ||
        !(mask.shape->back() == sizes_.total_length || mask.shape->back().is(1)))
      return context_.unsupported(23, "its mask may be shorter than the keys");
    bias = context_.input(3);
    if (mask.element == DataType::kBool)
      bias = TENON_TRY(
          context_.add("Where", {bias, number(0), number(-std::numeric_limits<double>::infinity())}));
    else if (mask.element != type_)
      bias = TENON_TRY(context_.add("Cast", {bias}, {{"to", static_cast<int64_t>(type_)}}));
    may_mask_all_ = true;
  }
  const Attributes& attributes = context_.attributes();
  if (attributes.integer("is_causal") == 0 && attributes.integer("left_window_size", -1) < 0 &&
      attributes.integer("right_window_size", -1) < 0)
    return bias;
  const std::string positions = TENON_TRY(position_bias());
  return bias.empty() ? Name(positions) : context_.add("Add", {bias, positions});
}

Result<std::string> AttentionWriter::probabilities(std::string scores, const std::string& bias) {
  if (!bias.empty()) scores = TENON_TRY(context_.add("Add", {scores, bias}));
  TENON_TRY(expose(2, scores));
  auto precision = static_cast<int64_t>(type_);
  if (context_.attributes().has("softmax_precision"))
    precision = context_.attributes().integer("softmax_precision");
  const bool cast = precision != static_cast<int64_t>(type_);
  if (cast)
    scores = TENON_TRY(context_.add("Cast", {scores}, {{"to", precision}}, static_cast<DataType>(precision)));
  std::string result = TENON_TRY(context_.add("Softmax", {scores},
                                              {{"axis", context_.opset() < 11 ? int64_t{3} : int64_t{-1}}},
                                              static_cast<DataType>(precision)));
  if (cast) result = TENON_TRY(context_.add("Cast", {result}, {{"to", static_cast<int64_t>(type_)}}));
  if (may_mask_all_) {  // a row in which every key is masked gives zeros
    const bool input = context_.opset() >= 18;
    Attributes attributes = {{"keepdims", int64_t{1}}};
    if (!input) attributes.set("axes", std::vector<int64_t>{-1});
    std::vector<std::string> inputs = {bias};
    if (input) inputs.push_back(ints({-1}));
    const std::string best = TENON_TRY(context_.add("ReduceMax", std::move(inputs), attributes));
    const std::string masked = TENON_TRY(
        context_.add("Equal", {best, number(-std::numeric_limits<double>::infinity())}, {}, DataType::kBool));
    result = TENON_TRY(context_.add("Where", {masked, number(0), result}));
  }
  TENON_TRY(expose(3, result));
  return result;
}

Status AttentionWriter::write() {
  query_ = TENON_TRY(split_heads(context_.input(0), sizes_.q_heads));
  key_ = TENON_TRY(split_heads(context_.input(1), sizes_.kv_heads));
  value_ = TENON_TRY(split_heads(context_.input(2), sizes_.kv_heads));
  key_ = TENON_TRY(with_past(key_, 4, 1));
  value_ = TENON_TRY(with_past(value_, 5, 2));
  key_ = TENON_TRY(for_each_query_head(key_, sizes_.head_size));
  value_ = TENON_TRY(for_each_query_head(value_, sizes_.v_head_size));
  const std::string raw = TENON_TRY(scores());
  const std::string masks = TENON_TRY(bias());
  const std::string weights = TENON_TRY(probabilities(raw, masks));
  if (!sizes_.flat) return context_.finish("MatMul", {weights, value_}, {}, {context_.output(0)});
  const std::string heads = TENON_TRY(context_.add("MatMul", {weights, value_}));
  const std::string turned =
      TENON_TRY(context_.add("Transpose", {heads}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}}));
  return context_.finish("Reshape", {turned, ints({0, 0, -1})}, {}, {context_.output(0)});
}

}  // namespace

Status emit_attention(EmitContext& context) {
  const Attributes& attributes = context.attributes();
  const bool windows =
      attributes.integer("left_window_size", -1) >= 0 || attributes.integer("right_window_size", -1) >= 0;
  const int needs = windows ? 25 : context.has_input(6) ? 24 : 23;
  if (context.opset() >= needs) return emit_unchanged(context);
  if (context.has_input(6)) return context.unsupported(needs, "nonpad_kv_seqlen");
  if (context.opset() < 11) return context.unsupported(11, "it is written as operators of opset 11");
  const auto &q = context.input_type(0).shape, &k = context.input_type(1).shape,
             &v = context.input_type(2).shape;
  const auto& past = context.input_type(4).shape;
  if (!q || !k || !v || (context.has_input(4) && !past))
    return context.unsupported(needs, "the ranks of its inputs are not known");
  AttentionSizes sizes = TENON_TRY(attention_sizes(attributes, *q, *k, *v, past ? &*past : nullptr));
  return AttentionWriter(context, std::move(sizes)).write();
}

}  // namespace tenon::ops
