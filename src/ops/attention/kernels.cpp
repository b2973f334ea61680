// Rows for Attention of float32 without a cache: masks, causal and in windows, heads shared or not.
#include "ops/attention/kernels.h"

#include <algorithm>
#include <cmath>

#include "kernels/attention/attention.h"
#include "ops/attention/attention.h"
#include "ops/core/operand.h"
#include "ops/core/services.h"

namespace tenon::ops {

namespace {

bool is_tensor_of(const Region& region, const Node& node, size_t i, DataType type) {
  return node.has_input(i) && region.type(node.inputs[i]).is_tensor() &&
         region.type(node.inputs[i]).element == type;
}

bool fits(const Region& region) {
  const Node& node = *region.nodes[0];
  if (!region.is_single() || node.has_output(1) || node.has_output(2) || node.has_output(3)) return false;
  for (size_t i : {0, 1, 2})
    if (!is_tensor_of(region, node, i, DataType::kFloat32)) return false;
  for (size_t i : {4, 5, 6})  // past keys and values, lengths without padding
    if (node.has_input(i)) return false;
  if (node.has_input(3) && !is_tensor_of(region, node, 3, DataType::kFloat32) &&
      !is_tensor_of(region, node, 3, DataType::kBool))
    return false;
  const Attributes& attributes = node.attributes;
  const auto single = static_cast<int64_t>(DataType::kFloat32);
  return attributes.real("softcap", 0) == 0 && attributes.integer("softmax_precision", single) == single;
}

/// Where the rows of heads lie in a tensor [batch, heads, length, size], or with `flat` [batch, length,
/// heads * size].
struct HeadRows {
  int64_t batch, head, row;

  HeadRows(bool flat, int64_t heads, int64_t length, int64_t size)
      : batch(heads * length * size), head(flat ? size : length * size), row(flat ? heads * size : size) {}
  int64_t at(int64_t b, int64_t h) const { return b * batch + h * head; }
};

/// A mask of rank 1 to 4 that broadcasts to (batch, heads, queries, keys); its last axis may be shorter.
struct MaskRows {
  int64_t batch = 0, head = 0, row = 0, width = 1;

  static Result<MaskRows> of(const Shape& shape, int64_t batch, int64_t heads, int64_t queries,
                             int64_t keys) {
    const int64_t full[] = {batch, heads, queries};
    bool fits = !shape.empty() && shape.size() <= 4 && shape.back() <= keys;
    int64_t strides[3] = {0, 0, 0};
    int64_t stride = shape.empty() ? 0 : shape.back();
    for (size_t i = 1; fits && i < shape.size(); ++i) {
      const int64_t size = shape[shape.size() - 1 - i];
      const size_t axis = 3 - i;
      fits = size == 1 || size == full[axis];
      strides[axis] = size == 1 ? 0 : stride;
      stride *= size;
    }
    if (!fits)
      return fail(ErrorCode::kInvalidModel, "attn_mask has shape {}, which does not broadcast",
                  to_string(shape));
    return MaskRows{strides[0], strides[1], strides[2], shape.back()};
  }
};

InlineVector<SymInt, 4> symbols(const Shape& shape) {
  InlineVector<SymInt, 4> all;
  for (int64_t size : shape) all.push_back(size);
  return all;
}

class AttentionKernel final : public Kernel {
 public:
  AttentionKernel(const Region& region, Isa isa)
      : isa_(isa),
        attributes_(region.nodes[0]->attributes),
        q_(region, *region.nodes[0], 0),
        k_(region, *region.nodes[0], 1),
        v_(region, *region.nodes[0], 2) {
    if (region.nodes[0]->has_input(3)) mask_.emplace(region, *region.nodes[0], 3);
  }

  Status run(KernelContext& context) const override {
    const Tensor &q = q_.get(context), &k = k_.get(context), &v = v_.get(context);
    const AttentionSizes s = TENON_TRY(
        attention_sizes(attributes_, symbols(q.shape()), symbols(k.shape()), symbols(v.shape()), nullptr));
    kernels::AttentionCall call;
    const int64_t batch = *s.batch.constant(), q_heads = *s.q_heads.constant(),
                  kv_heads = *s.kv_heads.constant();
    call.q_length = *s.q_length.constant();
    call.kv_length = *s.kv_length.constant();
    call.head_size = *s.head_size.constant();
    call.v_head_size = *s.v_head_size.constant();
    const auto shape_of = [&](int64_t size) {
      return s.flat ? Shape{batch, call.kv_length, kv_heads * size}
                    : Shape{batch, kv_heads, call.kv_length, size};
    };
    if (k.shape() != shape_of(call.head_size) || v.shape() != shape_of(call.v_head_size))
      return fail(ErrorCode::kInvalidModel, "Q, K and V have shapes {}, {} and {}, which do not fit together",
                  to_string(q.shape()), to_string(k.shape()), to_string(v.shape()));
    const HeadRows q_rows(s.flat, q_heads, call.q_length, call.head_size);
    const HeadRows k_rows(s.flat, kv_heads, call.kv_length, call.head_size);
    const HeadRows v_rows(s.flat, kv_heads, call.kv_length, call.v_head_size);
    const HeadRows out_rows(s.flat, q_heads, call.q_length, call.v_head_size);
    call.q_row = q_rows.row;
    call.k_row = k_rows.row;
    call.v_row = v_rows.row;
    call.out_row = out_rows.row;
    // Without elements the scores are 0, whatever the scale.
    const auto elements = static_cast<float>(std::max<int64_t>(call.head_size, 1));
    call.q_scale = attributes_.has("scale") ? attributes_.real("scale") : 1 / std::sqrt(elements);
    const int64_t left = attributes_.integer("left_window_size", -1);
    const int64_t right = attributes_.integer("right_window_size", -1);
    if (left >= 0) call.left = std::min(call.left, left);
    if (right >= 0) call.right = std::min(call.right, right);
    if (attributes_.integer("is_causal") != 0) call.right = 0;
    MaskRows mask_rows;
    const Tensor* mask = mask_ ? &mask_->get(context) : nullptr;
    if (mask != nullptr)
      mask_rows = TENON_TRY(MaskRows::of(mask->shape(), batch, q_heads, call.q_length, call.kv_length));
    call.mask_row = mask_rows.row;
    call.mask_width = mask_rows.width;
    const Shape shape = s.flat ? Shape{batch, call.q_length, q_heads * call.v_head_size}
                               : Shape{batch, q_heads, call.q_length, call.v_head_size};
    Tensor& output = context.output(0, DataType::kFloat32, shape);
    if (output.size() == 0) return {};
    float* out = output.mutable_data<float>();
    const kernels::Services services = kernel_services(context);
    auto* heads = services.scratch_array<kernels::AttentionHead>(batch * q_heads);
    for (int64_t i = 0; i < batch * q_heads; ++i) {
      const int64_t n = i / q_heads, h = i % q_heads, kv = h / (q_heads / kv_heads);
      kernels::AttentionHead head{q.data<float>() + q_rows.at(n, h), k.data<float>() + k_rows.at(n, kv),
                                  v.data<float>() + v_rows.at(n, kv), out + out_rows.at(n, h)};
      const int64_t at = n * mask_rows.batch + h * mask_rows.head;
      if (mask != nullptr && mask->type() == DataType::kBool)
        head.allowed = reinterpret_cast<const uint8_t*>(mask->raw()) + at;
      else if (mask != nullptr)
        head.mask = mask->data<float>() + at;
      heads[i] = head;
    }
    call.heads = {heads, static_cast<size_t>(batch * q_heads)};
    kernels::attention(call, isa_, services);
    return {};
  }

 private:
  Isa isa_;
  Attributes attributes_;
  Operand q_, k_, v_;
  std::optional<Operand> mask_;
};

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare(const Region& region, kernels::Packing&) {
  return std::unique_ptr<Kernel>(std::make_unique<AttentionKernel>(region, kIsa));
}

}  // namespace

const KernelRow kAttentionRows[3] = {
    {"attention_f32_avx512", Isa::kAvx512, fits, prepare<Isa::kAvx512>},
    {"attention_f32_avx2", Isa::kAvx2, fits, prepare<Isa::kAvx2>},
    {"attention_f32_portable", Isa::kPortable, fits, prepare<Isa::kPortable>},
};

}  // namespace tenon::ops
