#include "ops/attention/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/product.h"
#include "ops/attention/attention.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void round_to(DataType type, std::span<double> values) {
  if (type == DataType::kFloat64) return;
  alignas(8) std::byte buffer[256 * 8];
  for (size_t i = 0; i < values.size(); i += 256) {
    const auto count = static_cast<int64_t>(std::min<size_t>(256, values.size() - i));
    store_elements<double>(type, buffer, 0, count, values.data() + i);
    load_elements<double>(type, buffer, 0, count, values.data() + i);
  }
}

struct Numbers {
  int64_t batch, q_heads, kv_heads, q_length, kv_length, head_size, v_head_size, past, total;
  bool flat;
};

// Keys or values of one head: those of the past, then the new ones.
void load_rows(const Tensor* past, const Tensor& fresh, const Numbers& n, int64_t b, int64_t head,
               int64_t width, double* out) {
  if (past)
    load_elements<double>(past->type(), past->raw(), (b * n.kv_heads + head) * n.past * width, n.past * width,
                          out);
  for (int64_t i = 0; i < n.kv_length; ++i) {
    const int64_t row =
        n.flat ? (b * n.kv_length + i) * n.kv_heads + head : (b * n.kv_heads + head) * n.kv_length + i;
    load_elements<double>(fresh.type(), fresh.raw(), row * width, width, out + (n.past + i) * width);
  }
}

// attn_mask as it broadcasts to (batch, heads, q_length, its own last dimension).
struct Mask {
  const Tensor* tensor = nullptr;
  int64_t strides[3] = {0, 0, 0};
  int64_t width = 0;
};

Result<Mask> read_mask(const Tensor& tensor, const Numbers& n) {
  Mask mask{&tensor, {0, 0, 0}, 0};
  const Shape& shape = tensor.shape();
  if (shape.empty() || shape.size() > 4)
    return fail(ErrorCode::kInvalidModel, "attn_mask has rank {}", shape.size());
  mask.width = shape.back();
  const int64_t full[3] = {n.batch, n.q_heads, n.q_length};
  int64_t stride = mask.width;
  bool fits = mask.width <= n.total;
  for (size_t i = 1; i < shape.size(); ++i) {
    const int64_t dim = shape[shape.size() - 1 - i];
    const size_t axis = 3 - i;
    fits = fits && (dim == 1 || dim == full[axis]);
    mask.strides[axis] = dim == 1 ? 0 : stride;
    stride *= dim;
  }
  if (!fits)
    return fail(ErrorCode::kInvalidModel, "attn_mask has shape {}, which does not broadcast",
                tenon::to_string(shape));
  return mask;
}

struct Limits {
  bool causal;
  int64_t left, right;  // -1: unbounded
};

// The additive bias of one query row; true when every key is disallowed.
bool row_bias(const Mask& mask, const Limits& limits, const Numbers& n, int64_t b, int64_t head, int64_t i,
              int64_t offset, int64_t valid, std::span<double> bias) {
  std::fill(bias.begin(), bias.end(), 0.0);
  if (mask.tensor) {
    const int64_t at = b * mask.strides[0] + head * mask.strides[1] + i * mask.strides[2];
    // A last dimension of 1 broadcasts; a shorter one leaves the rest masked.
    const int64_t width = mask.width == 1 ? n.total : mask.width;
    for (int64_t j = 0; j < n.total; ++j) {
      double value = -kInfinity;
      if (j < width) value = load_element<double>(*mask.tensor, at + (mask.width == 1 ? 0 : j));
      if (mask.tensor->type() == DataType::kBool && j < width) value = value != 0 ? 0 : -kInfinity;
      bias[static_cast<size_t>(j)] = value;
    }
  }
  const int64_t position = i + offset;
  bool all_masked = true;
  for (int64_t j = 0; j < n.total; ++j) {
    double& value = bias[static_cast<size_t>(j)];
    if ((limits.causal && j > position) || (limits.left >= 0 && position - j > limits.left) ||
        (limits.right >= 0 && j - position > limits.right) || j >= valid)
      value = -kInfinity;
    all_masked = all_masked && value == -kInfinity;
  }
  return all_masked;
}

void softmax(std::span<double> row) {
  double largest = -kInfinity, sum = 0;
  for (double value : row) largest = std::max(largest, value);
  for (double& value : row) sum += value = std::exp(value - largest);
  for (double& value : row) value /= sum;
}

Status check_past(KernelContext& context, const Numbers& n) {
  if (context.has_input(4) != context.has_input(5))
    return fail(ErrorCode::kInvalidModel, "past_key and past_value must be given together");
  for (size_t i : {size_t{4}, size_t{5}}) {
    if (!context.has_input(i)) continue;
    const Shape expected = {n.batch, n.kv_heads, n.past, i == 4 ? n.head_size : n.v_head_size};
    if (context.input(i).shape() != expected)
      return fail(ErrorCode::kInvalidModel, "{} has shape {}, expected {}",
                  i == 4 ? "past_key" : "past_value", tenon::to_string(context.input(i).shape()),
                  tenon::to_string(expected));
  }
  if (context.has_input(6) && context.input(6).shape() != Shape{n.batch})
    return fail(ErrorCode::kInvalidModel, "nonpad_kv_seqlen has shape {}, expected [{}]",
                tenon::to_string(context.input(6).shape()), n.batch);
  return {};
}

Result<Numbers> read_numbers(KernelContext& context) {
  const Tensor &q = context.input(0), &k = context.input(1), &v = context.input(2);
  SymShape past;
  if (context.has_input(4)) past = to_sym(context.input(4).shape());
  const AttentionSizes s =
      TENON_TRY(attention_sizes(context.attributes(), to_sym(q.shape()), to_sym(k.shape()), to_sym(v.shape()),
                                context.has_input(4) ? &past : nullptr));
  Numbers n{*s.batch.constant(),        *s.q_heads.constant(),
            *s.kv_heads.constant(),     *s.q_length.constant(),
            *s.kv_length.constant(),    *s.head_size.constant(),
            *s.v_head_size.constant(),  *s.past_length.constant(),
            *s.total_length.constant(), s.flat};
  const Shape k_shape = n.flat ? Shape{n.batch, n.kv_length, n.kv_heads * n.head_size}
                               : Shape{n.batch, n.kv_heads, n.kv_length, n.head_size};
  const Shape v_shape = n.flat ? Shape{n.batch, n.kv_length, n.kv_heads * n.v_head_size}
                               : Shape{n.batch, n.kv_heads, n.kv_length, n.v_head_size};
  if (k.shape() != k_shape || v.shape() != v_shape)
    return fail(ErrorCode::kInvalidModel, "K has shape {} and V {}, expected {} and {}",
                tenon::to_string(k.shape()), tenon::to_string(v.shape()), tenon::to_string(k_shape),
                tenon::to_string(v_shape));
  TENON_TRY(check_past(context, n));
  return n;
}

void write_present(KernelContext& context, const Numbers& n, size_t output, const Tensor* past,
                   const Tensor& fresh, int64_t width) {
  Tensor& present = context.output(output, fresh.type(), {n.batch, n.kv_heads, n.total, width});
  std::vector<double> rows(static_cast<size_t>(n.total * width));
  for (int64_t b = 0; b < n.batch; ++b)
    for (int64_t head = 0; head < n.kv_heads; ++head) {
      load_rows(past, fresh, n, b, head, width, rows.data());
      store_elements<double>(present.type(), present.mutable_raw(), (b * n.kv_heads + head) * n.total * width,
                             n.total * width, rows.data());
    }
}

}  // namespace

Status attention_reference(KernelContext& context) {
  const Tensor &q = context.input(0), &k = context.input(1), &v = context.input(2);
  const Numbers n = TENON_TRY(read_numbers(context));
  const Attributes& attributes = context.attributes();
  const DataType type = q.type();
  const Tensor* past_key = context.has_input(4) ? &context.input(4) : nullptr;
  const Tensor* past_value = context.has_input(5) ? &context.input(5) : nullptr;
  Mask mask;
  if (context.has_input(3)) mask = TENON_TRY(read_mask(context.input(3), n));
  const Limits limits{attributes.integer("is_causal") != 0, attributes.integer("left_window_size", -1),
                      attributes.integer("right_window_size", -1)};
  std::vector<int64_t> valid(static_cast<size_t>(n.batch), n.total);
  if (context.has_input(6)) valid = to_ints(context.input(6));
  double scale = attributes.has("scale") ? static_cast<double>(attributes.real("scale"))
                                         : 1 / std::sqrt(static_cast<double>(n.head_size));
  scale = std::sqrt(scale);
  round_to(type, {&scale, 1});
  const auto softcap = static_cast<double>(attributes.real("softcap", 0));
  const int64_t mode = attributes.integer("qk_matmul_output_mode");
  DataType precision = type;
  if (attributes.has("softmax_precision"))
    precision = static_cast<DataType>(attributes.integer("softmax_precision"));
  if (!is_float(precision) || element_size(precision) < 2)
    return fail(ErrorCode::kInvalidModel, "softmax_precision is {}", attributes.integer("softmax_precision"));

  Tensor& y = context.output(0, type,
                             n.flat ? Shape{n.batch, n.q_length, n.q_heads * n.v_head_size}
                                    : Shape{n.batch, n.q_heads, n.q_length, n.v_head_size});
  if (context.wants_output(1)) write_present(context, n, 1, past_key, k, n.head_size);
  if (context.wants_output(2)) write_present(context, n, 2, past_value, v, n.v_head_size);
  Tensor* scores_out =
      context.wants_output(3) ? &context.output(3, type, {n.batch, n.q_heads, n.q_length, n.total}) : nullptr;
  context.parallel_for(n.batch * n.q_heads, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> queries(static_cast<size_t>(n.q_length * n.head_size)),
        keys(static_cast<size_t>(n.total * n.head_size)), turned(keys.size()),
        values(static_cast<size_t>(n.total * n.v_head_size)),
        scores(static_cast<size_t>(n.q_length * n.total)), bias(static_cast<size_t>(n.total)),
        result(static_cast<size_t>(n.q_length * n.v_head_size));
    for (int64_t item = begin; item < end; ++item) {
      const int64_t b = item / n.q_heads, head = item % n.q_heads, kv_head = head / (n.q_heads / n.kv_heads);
      for (int64_t i = 0; i < n.q_length; ++i)
        load_elements<double>(
            type, q.raw(),
            (n.flat ? (b * n.q_length + i) * n.q_heads + head : item * n.q_length + i) * n.head_size,
            n.head_size, queries.data() + i * n.head_size);
      load_rows(past_key, k, n, b, kv_head, n.head_size, keys.data());
      load_rows(past_value, v, n, b, kv_head, n.v_head_size, values.data());
      for (double& value : queries) value *= scale;
      for (double& value : keys) value *= scale;
      round_to(type, queries);
      round_to(type, keys);
      for (int64_t j = 0; j < n.total; ++j)
        for (int64_t d = 0; d < n.head_size; ++d)
          turned[static_cast<size_t>(d * n.total + j)] = keys[static_cast<size_t>(j * n.head_size + d)];
      std::fill(scores.begin(), scores.end(), 0.0);
      add_product<double>(n.q_length, n.total, n.head_size, queries.data(), n.head_size, turned.data(),
                          n.total, scores.data(), n.total);
      round_to(type, scores);
      auto expose = [&](int64_t stage) {
        if (scores_out && mode == stage)
          store_elements<double>(type, scores_out->mutable_raw(), item * n.q_length * n.total,
                                 n.q_length * n.total, scores.data());
      };
      expose(0);
      if (softcap > 0) {
        for (double& value : scores) value = softcap * std::tanh(value / softcap);
        round_to(type, scores);
      }
      expose(1);
      std::vector<bool> masked(static_cast<size_t>(n.q_length));
      const int64_t keys_valid = valid[static_cast<size_t>(b)];
      const int64_t offset = past_key ? n.past : context.has_input(6) ? keys_valid - n.q_length : 0;
      for (int64_t i = 0; i < n.q_length; ++i) {
        masked[static_cast<size_t>(i)] = row_bias(mask, limits, n, b, head, i, offset, keys_valid, bias);
        for (int64_t j = 0; j < n.total; ++j)
          scores[static_cast<size_t>(i * n.total + j)] += bias[static_cast<size_t>(j)];
      }
      round_to(type, scores);
      expose(2);
      for (int64_t i = 0; i < n.q_length; ++i) {
        const std::span<double> row{scores.data() + i * n.total, static_cast<size_t>(n.total)};
        if (masked[static_cast<size_t>(i)])
          std::fill(row.begin(), row.end(), 0.0);
        else
          softmax(row);
      }
      round_to(precision, scores);
      round_to(type, scores);
      expose(3);
      std::fill(result.begin(), result.end(), 0.0);
      add_product<double>(n.q_length, n.v_head_size, n.total, scores.data(), n.total, values.data(),
                          n.v_head_size, result.data(), n.v_head_size);
      for (int64_t i = 0; i < n.q_length; ++i)
        store_elements<double>(
            type, y.mutable_raw(),
            (n.flat ? (b * n.q_length + i) * n.q_heads + head : item * n.q_length + i) * n.v_head_size,
            n.v_head_size, result.data() + i * n.v_head_size);
    }
  });
  return {};
}

}  // namespace tenon::ops
