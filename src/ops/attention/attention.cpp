// Attention (https://onnx.ai/onnx/operators/onnx__Attention.html): the definition and its shape rule.
#include "ops/attention/attention.h"

#include "ops/attention/kernels.h"
#include "ops/attention/reference.h"
#include "ops/core/op_def.h"

namespace tenon::ops {

Result<AttentionSizes> attention_sizes(const Attributes& attributes, std::span<const SymInt> q,
                                       std::span<const SymInt> k, std::span<const SymInt> v,
                                       const SymShape* past_key) {
  if ((q.size() != 3 && q.size() != 4) || k.size() != q.size() || v.size() != q.size())
    return fail(ErrorCode::kInvalidModel, "Q, K and V have ranks {}, {} and {}, expected all 3 or all 4",
                q.size(), k.size(), v.size());
  AttentionSizes sizes;
  sizes.flat = q.size() == 3;
  sizes.batch = q[0];
  if (sizes.flat) {
    const int64_t q_heads = attributes.integer("q_num_heads"), kv_heads = attributes.integer("kv_num_heads");
    if (q_heads < 1 || kv_heads < 1)
      return fail(ErrorCode::kInvalidModel, "inputs of rank 3 need q_num_heads and kv_num_heads");
    for (const auto& [size, heads] :
         {std::pair(&q[2], q_heads), std::pair(&k[2], kv_heads), std::pair(&v[2], kv_heads)})
      if (auto known = size->constant(); known && *known % heads != 0)
        return fail(ErrorCode::kInvalidModel, "{} columns do not divide into {} heads", *known, heads);
    sizes.q_heads = q_heads;
    sizes.kv_heads = kv_heads;
    sizes.q_length = q[1];
    sizes.kv_length = k[1];
    sizes.head_size = floor_div(q[2], q_heads);
    sizes.v_head_size = floor_div(v[2], kv_heads);
  } else {
    sizes.q_heads = q[1];
    sizes.kv_heads = k[1];
    sizes.q_length = q[2];
    sizes.kv_length = k[2];
    sizes.head_size = q[3];
    sizes.v_head_size = v[3];
  }
  sizes.past_length = past_key && past_key->size() == 4 ? (*past_key)[2] : SymInt(0);
  sizes.total_length = sizes.past_length + sizes.kv_length;
  auto q_heads = sizes.q_heads.constant(), kv_heads = sizes.kv_heads.constant();
  if (q_heads && kv_heads && (*kv_heads < 1 || *q_heads % *kv_heads != 0))
    return fail(ErrorCode::kInvalidModel, "{} query heads do not share {} key heads evenly", *q_heads,
                *kv_heads);
  return sizes;
}

namespace {

Status infer(InferContext& context) {
  const SymShape *q = context.shape(0), *k = context.shape(1), *v = context.shape(2);
  const SymShape* past = context.shape(4);
  const DataType type = context.element(0), value_type = context.element(2);
  const bool past_known = !context.has_input(4) || past;
  if (!q || !k || !v || !past_known) {
    context.set_output(0, type);
    for (size_t i = 1; i < 4; ++i)
      if (context.has_output(i)) context.set_output(i, i == 2 ? value_type : type);
    return {};
  }
  const AttentionSizes s = TENON_TRY(attention_sizes(context.attributes(), *q, *k, *v, past));
  context.set_output(0, type,
                     s.flat ? SymShape{s.batch, s.q_length, s.q_heads * s.v_head_size}
                            : SymShape{s.batch, s.q_heads, s.q_length, s.v_head_size});
  if (context.has_output(1))
    context.set_output(1, type, SymShape{s.batch, s.kv_heads, s.total_length, s.head_size});
  if (context.has_output(2))
    context.set_output(2, value_type, SymShape{s.batch, s.kv_heads, s.total_length, s.v_head_size});
  if (context.has_output(3))
    context.set_output(3, type, SymShape{s.batch, s.q_heads, s.q_length, s.total_length});
  return {};
}

}  // namespace

constinit const OpDef kAttention{
    .name = "Attention",
    .infer = infer,
    .reference = attention_reference,
    .emit = emit_attention,
    .rows = kAttentionRows,
    .tolerance = {Tolerance::Kind::kSum, 32},
};

}  // namespace tenon::ops
