// The step of attention that is printed in parts.
#include <memory>

#include "kernels/attention/attention.h"
#include "ops/attention/parts.h"
#include "ops/core/operand.h"
#include "ops/core/services.h"
#include "ops/matmul/matmul.h"

namespace tenon::ops {

namespace {

class PartsKernel final : public Kernel {
 public:
  PartsKernel(const Region& region, Isa isa) : parts_(*attention_parts(region)), isa_(isa) {
    for (const AttentionParts::Added& added : parts_.added)
      added_.emplace_back(region, *added.node, added.input);
  }

  Status run(KernelContext& context) const override {
    const float* q = TENON_TRY(base_of(context, parts_.q));
    const float* k = TENON_TRY(base_of(context, parts_.k));
    const float* v = TENON_TRY(base_of(context, parts_.v));
    kernels::AttentionCall call;
    call.q_length = parts_.queries;
    call.kv_length = parts_.keys;
    call.head_size = parts_.head_size;
    call.v_head_size = parts_.v_head_size;
    call.q_row = parts_.q.row_stride;
    call.k_row = parts_.k.column_stride;
    call.v_row = parts_.v.row_stride;
    call.out_row = parts_.out_row;
    call.q_scale = parts_.q.scale.value_or(1);
    call.k_scale = parts_.k.scale.value_or(1);
    call.scale = parts_.scale;
    const float* added[2] = {};
    for (size_t n = 0; n < added_.size(); ++n) {
      const Tensor& tensor = added_[n].get(context);
      if (tensor.shape() != parts_.added[n].shape)
        return fail(ErrorCode::kMismatch, "an operand has shape {} where {} was inferred",
                    to_string(tensor.shape()), to_string(parts_.added[n].shape));
      added[n] = tensor.data<float>();
      call.added_row[n] = parts_.added[n].row;
    }
    float* out = context.output(0, DataType::kFloat32, parts_.out_shape).mutable_data<float>();
    const kernels::Services services = kernel_services(context);
    int64_t count = 1;
    for (int64_t size : parts_.batch_shape) count *= size;
    auto* heads = services.scratch_array<kernels::AttentionHead>(count);
    for (int64_t i = 0; i < count; ++i) {
      kernels::AttentionHead head{
          q + batch_offset(i, parts_.batch_shape, parts_.q.batch_strides),
          k + batch_offset(i, parts_.batch_shape, parts_.k.batch_strides),
          v + batch_offset(i, parts_.v_batch_shape, parts_.v.batch_strides),
          out + batch_offset(i, parts_.v_batch_shape, parts_.out_strides),
      };
      for (size_t n = 0; n < added_.size(); ++n)
        head.added[n] =
            added[n] + batch_offset(i, parts_.added[n].batch_shape, parts_.added[n].batch_strides);
      heads[i] = head;
    }
    call.heads = {heads, static_cast<size_t>(count)};
    kernels::attention(call, isa_, services);
    return {};
  }

 private:
  static Result<const float*> base_of(KernelContext& context, const MatMulHead::Side& side) {
    const Tensor& x = context.input(side.input);
    if (x.size() != side.elements)
      return fail(ErrorCode::kMismatch, "an operand has shape {} where {} elements were inferred",
                  to_string(x.shape()), side.elements);
    return x.data<float>() + side.offset;
  }

  AttentionParts parts_;
  std::vector<Operand> added_;
  Isa isa_;
};

}  // namespace

std::unique_ptr<Kernel> make_attention_parts(const Region& region, Isa isa) {
  return std::make_unique<PartsKernel>(region, isa);
}

}  // namespace tenon::ops
