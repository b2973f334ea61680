// Rows for float32 matrix products: MatMul of any operands, Gemm with constant B and C, each with a bias and
// a BatchNormalization folded in and a tail of activations and residual sums.
#include "ops/matmul/kernels.h"

#include <algorithm>
#include <optional>

#include "kernels/gemm/gemm.h"
#include "ops/core/operand.h"
#include "ops/core/services.h"
#include "ops/fusion/tail.h"
#include "ops/matmul/head.h"
#include "ops/matmul/matmul.h"
#include "ops/matmul/rows_head.h"
#include "ops/normalization/channel_norm.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

using kernels::MatrixRef;
using kernels::PackedColumns;

bool is_float32(const Region& region, const Node& node, size_t i) {
  return node.has_input(i) && region.type(node.inputs[i]).is_tensor() &&
         region.type(node.inputs[i]).element == DataType::kFloat32;
}

std::optional<FusedTail> tail_of(const Region& region) {
  const size_t first = tail_begin(region);
  return fused_tail(region, first, region.nodes[first - 1]->outputs[0]);
}

/// Whether the region is a product with a tail, whatever comes before it.
bool is_behind_head(const Region& region) {
  const Node& node = region.anchor_node();
  return region.outputs.size() == 1 && is_float32(region, node, 0) && is_float32(region, node, 1) &&
         tail_of(region).has_value();
}

bool is_plain(const Region& region) {
  return region.anchor == 0 && is_behind_head(region);
}

/// What is done to each column of a constant matrix before it is packed, and added to each column of the
/// product.
struct Columns {
  std::vector<double> scales;  // empty: 1
  std::vector<float> bias;     // empty: none
};

/// `scale` and `bias` (empty: none) of all columns, with the BatchNormalization of the region multiplied in.
Result<Columns> fold(const Region& region, double scale, std::vector<double> bias, int64_t columns) {
  Columns folded;
  if (const Node* node = folded_channel_norm(region)) {
    const ChannelNorm norm = TENON_TRY(ChannelNorm::of(*region.graph, *node, columns));
    bias.resize(norm.factor.size(), 0.0);
    for (size_t c = 0; c < bias.size(); ++c) {
      folded.scales.push_back(norm.factor[c] * scale);
      bias[c] = norm.apply(c, bias[c]);
    }
  } else if (scale != 1) {
    folded.scales.assign(static_cast<size_t>(columns), scale);
  }
  for (double value : bias) folded.bias.push_back(static_cast<float>(value));
  return folded;
}

bool matmul_fits(const Region& region) {
  if (region.anchor == 0) return is_plain(region);
  return is_behind_head(region) && (matmul_head(region) || rows_head(region));
}

class MatMulKernel final : public Kernel {
 public:
  MatMulKernel(const Region& region, std::optional<PackedColumns> packed, Isa isa)
      : a_(region, *region.nodes[0], 0),
        b_(region, *region.nodes[0], 1),
        tail_(*tail_of(region)),
        epilogue_(tail_.ops, isa),
        packed_(std::move(packed)),
        isa_(isa) {}

  Status run(KernelContext& context) const override {
    return packed_ ? run_packed(context) : run_batches(context);
  }

 private:
  /// One matrix serves all: the batches of A are further rows.
  Status run_packed(KernelContext& context) const {
    const Tensor& a = a_.get(context);
    if (a.rank() == 0 || a.shape().back() != packed_->depth())
      return fail(ErrorCode::kInvalidModel, "A has shape {}, which does not fit a B of {} rows",
                  to_string(a.shape()), packed_->depth());
    Shape shape = a.shape();
    shape.pop_back();
    const MatrixRef matrix{a.data<float>(), packed_->depth(), 1};
    kernels::GemmCall call;
    call.rows = TENON_TRY(element_count(shape));
    call.columns = packed_->columns();
    call.depth = packed_->depth();
    call.a = {&matrix, 1};
    call.packed = &*packed_;
    shape.push_back(call.columns);
    call.operands = TENON_TRY(tail_operands(tail_, context, shape));
    call.out = context.output(0, DataType::kFloat32, shape).mutable_data<float>();
    kernels::gemm(call, epilogue_, isa_, kernel_services(context));
    return {};
  }

  Status run_batches(KernelContext& context) const {
    const Tensor& a = a_.get(context);
    const Tensor& b = b_.get(context);
    const MatmulPlan plan = TENON_TRY(plan_matmul(a, b));
    const kernels::Services services = kernel_services(context);
    kernels::GemmCall call;
    call.rows = plan.m;
    call.columns = plan.n;
    call.depth = plan.k;
    call.operands = TENON_TRY(tail_operands(tail_, context, plan.shape));
    auto* matrices = services.scratch_array<MatrixRef>(2 * plan.batches);
    for (int64_t i = 0; i < plan.batches; ++i) {
      matrices[i] = {a.data<float>() + plan.a_matrix(i) * plan.m * plan.k, plan.k, 1};
      matrices[plan.batches + i] = {b.data<float>() + plan.b_matrix(i) * plan.k * plan.n, plan.n, 1};
    }
    const auto batches = static_cast<size_t>(plan.batches);
    call.a = {matrices, batches};
    call.b = {matrices + plan.batches, batches};
    call.out = context.output(0, DataType::kFloat32, plan.shape).mutable_data<float>();
    kernels::gemm(call, epilogue_, isa_, services);
    return {};
  }

  Operand a_, b_;
  FusedTail tail_;
  kernels::Epilogue epilogue_;
  std::optional<PackedColumns> packed_;
  Isa isa_;
};

/// Products whose operands are views of the region's inputs.
class ViewMatMulKernel final : public Kernel {
 public:
  ViewMatMulKernel(const Region& region, Isa isa)
      : head_(*matmul_head(region)), tail_(*tail_of(region)), epilogue_(tail_.ops, isa), isa_(isa) {}

  Status run(KernelContext& context) const override {
    const kernels::Services services = kernel_services(context);
    kernels::GemmCall call;
    call.rows = head_.rows;
    call.columns = head_.columns;
    call.depth = head_.depth;
    const int64_t batches = TENON_TRY(element_count(head_.batch_shape));
    call.a = TENON_TRY(matrices(head_.a, batches, context, services));
    call.b = TENON_TRY(matrices(head_.b, batches, context, services));
    call.a_scale = head_.a.scale;
    call.b_scale = head_.b.scale;
    call.operands = TENON_TRY(tail_operands(tail_, context, head_.shape));
    call.out = context.output(0, DataType::kFloat32, head_.shape).mutable_data<float>();
    kernels::gemm(call, epilogue_, isa_, services);
    return {};
  }

 private:
  Result<std::span<const MatrixRef>> matrices(const MatMulHead::Side& side, int64_t batches,
                                              KernelContext& context,
                                              const kernels::Services& services) const {
    const Tensor& x = context.input(side.input);
    if (x.size() != side.elements)
      return fail(ErrorCode::kMismatch, "an operand has shape {} where {} elements were inferred",
                  to_string(x.shape()), side.elements);
    auto* all = services.scratch_array<MatrixRef>(batches);
    for (int64_t i = 0; i < batches; ++i)
      all[i] = {x.data<float>() + side.offset + batch_offset(i, head_.batch_shape, side.batch_strides),
                side.row_stride, side.column_stride};
    return std::span<const MatrixRef>(all, static_cast<size_t>(batches));
  }

  MatMulHead head_;
  FusedTail tail_;
  kernels::Epilogue epilogue_;
  Isa isa_;
};

/// Products with one matrix, of rows that are moved or normalised before.
class RowsMatMulKernel final : public Kernel {
 public:
  RowsMatMulKernel(const Region& region, PackedColumns packed, Isa isa)
      : head_(*rows_head(region)),
        tail_(*tail_of(region)),
        epilogue_(tail_.ops, isa),
        packed_(std::move(packed)),
        isa_(isa) {
    if (head_.norm == nullptr) return;
    epsilon_ = static_cast<double>(head_.norm->attributes.real("epsilon", 1e-5f));
    const auto padded = static_cast<size_t>(kernels::packed_depth(packed_.depth()));
    const auto line = [&](size_t input) {
      const Tensor* tensor = region.constant_input(*head_.norm, input);
      std::vector<float> values(padded, 0.0f);
      if (tensor != nullptr) std::ranges::copy(tensor->span<float>(), values.begin());
      return values;
    };
    scale_ = line(1);
    bias_ = line(2);
  }

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(head_.input);
    if (x.shape() != head_.input_shape)
      return fail(ErrorCode::kMismatch, "an operand has shape {} where {} was inferred", to_string(x.shape()),
                  to_string(head_.input_shape));
    const MatrixRef matrix{x.data<float>(), packed_.depth(), 1};
    const kernels::RowLoader loader{head_.rows, scale_, bias_, epsilon_};
    Shape shape = head_.shape;
    shape.pop_back();
    kernels::GemmCall call;
    call.rows = TENON_TRY(element_count(shape));
    call.columns = packed_.columns();
    call.depth = packed_.depth();
    call.a = {&matrix, 1};
    call.packed = &packed_;
    call.loader = &loader;
    shape.push_back(call.columns);
    call.operands = TENON_TRY(tail_operands(tail_, context, shape));
    call.out = context.output(0, DataType::kFloat32, shape).mutable_data<float>();
    kernels::gemm(call, epilogue_, isa_, kernel_services(context));
    return {};
  }

 private:
  RowsHead head_;
  FusedTail tail_;
  kernels::Epilogue epilogue_;
  PackedColumns packed_;
  std::vector<float> scale_, bias_;
  double epsilon_ = 0;
  Isa isa_;
};

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare_matmul(const Region& region, kernels::Packing& packing) {
  std::optional<PackedColumns> packed;
  const Tensor* b = region.constant_input(region.anchor_node(), 1);
  if (b != nullptr && b->rank() == 2) {
    const int64_t depth = b->dim(0), columns = b->dim(1);
    const Tensor* bias = constant_bias(region);
    const Columns folded =
        TENON_TRY(fold(region, 1, bias != nullptr ? to_doubles(*bias) : std::vector<double>(), columns));
    packed.emplace(MatrixRef{b->data<float>(), columns, 1}, depth, columns, folded.scales, folded.bias, kIsa,
                   packing);
  }
  if (region.anchor > 0 && packed)
    return std::unique_ptr<Kernel>(std::make_unique<RowsMatMulKernel>(region, std::move(*packed), kIsa));
  if (region.anchor > 0) return std::unique_ptr<Kernel>(std::make_unique<ViewMatMulKernel>(region, kIsa));
  return std::unique_ptr<Kernel>(std::make_unique<MatMulKernel>(region, std::move(packed), kIsa));
}

/// C as one number for each column, times beta; nullopt when it is another thing.
std::optional<std::vector<double>> gemm_bias(const Region& region, int64_t columns) {
  const Node& node = *region.nodes[0];
  std::vector<double> bias;
  const float beta = node.attributes.real("beta", 1);
  if (!node.has_input(2) || beta == 0) return bias;
  const Tensor* c = region.constant_input(node, 2);
  if (c == nullptr || c->type() != DataType::kFloat32 || c->rank() > 2) return std::nullopt;
  if (c->size() != columns && c->size() != 1) return std::nullopt;
  if (c->rank() == 2 && c->dim(0) != 1) return std::nullopt;
  for (int64_t j = 0; j < columns; ++j)
    bias.push_back(static_cast<double>(c->data<float>()[c->size() == 1 ? 0 : j]) * beta);
  return bias;
}

/// The constant B of a Gemm, transposed or not.
struct GemmMatrix {
  MatrixRef data;
  int64_t depth, columns;

  GemmMatrix(const Tensor& b, const Node& node) {
    const bool transposed = node.attributes.integer("transB") != 0;
    depth = b.dim(transposed ? 1 : 0);
    columns = b.dim(transposed ? 0 : 1);
    data = {b.data<float>(), transposed ? 1 : columns, transposed ? depth : 1};
  }
};

bool gemm_fits(const Region& region) {
  const Node& node = *region.nodes[0];
  const Tensor* b = region.constant_input(node, 1);
  if (!is_plain(region) || b == nullptr || b->rank() != 2 || region.constant_input(node, 0) != nullptr)
    return false;
  return gemm_bias(region, GemmMatrix(*b, node).columns).has_value();
}

class GemmKernel final : public Kernel {
 public:
  GemmKernel(const Region& region, PackedColumns packed, Isa isa)
      : a_(region, *region.nodes[0], 0),
        transposed_(region.nodes[0]->attributes.integer("transA") != 0),
        tail_(*tail_of(region)),
        epilogue_(tail_.ops, isa),
        packed_(std::move(packed)),
        isa_(isa) {}

  Status run(KernelContext& context) const override {
    const Tensor& a = a_.get(context);
    if (a.rank() != 2 || a.dim(transposed_ ? 0 : 1) != packed_.depth())
      return fail(ErrorCode::kInvalidModel, "A has shape {}, which does not fit a B of {} rows",
                  to_string(a.shape()), packed_.depth());
    kernels::GemmCall call;
    call.rows = a.dim(transposed_ ? 1 : 0);
    call.columns = packed_.columns();
    call.depth = packed_.depth();
    const MatrixRef a_matrix{a.data<float>(), transposed_ ? 1 : call.depth, transposed_ ? call.rows : 1};
    call.a = {&a_matrix, 1};
    call.packed = &packed_;
    const Shape shape = {call.rows, call.columns};
    call.operands = TENON_TRY(tail_operands(tail_, context, shape));
    call.out = context.output(0, DataType::kFloat32, shape).mutable_data<float>();
    kernels::gemm(call, epilogue_, isa_, kernel_services(context));
    return {};
  }

 private:
  Operand a_;
  bool transposed_;
  FusedTail tail_;
  kernels::Epilogue epilogue_;
  PackedColumns packed_;
  Isa isa_;
};

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare_gemm(const Region& region, kernels::Packing& packing) {
  const Node& node = *region.nodes[0];
  const GemmMatrix b(*region.constant_input(node, 1), node);
  const Columns folded =
      TENON_TRY(fold(region, node.attributes.real("alpha", 1), *gemm_bias(region, b.columns), b.columns));
  PackedColumns packed(b.data, b.depth, b.columns, folded.scales, folded.bias, kIsa, packing);
  return std::unique_ptr<Kernel>(std::make_unique<GemmKernel>(region, std::move(packed), kIsa));
}

}  // namespace

const KernelRow kMatMulRows[3] = {
    {"matmul_tile_f32_avx512", Isa::kAvx512, matmul_fits, prepare_matmul<Isa::kAvx512>},
    {"matmul_tile_f32_avx2", Isa::kAvx2, matmul_fits, prepare_matmul<Isa::kAvx2>},
    {"matmul_tile_f32_portable", Isa::kPortable, matmul_fits, prepare_matmul<Isa::kPortable>},
};

const KernelRow kGemmRows[3] = {
    {"gemm_tile_f32_avx512", Isa::kAvx512, gemm_fits, prepare_gemm<Isa::kAvx512>},
    {"gemm_tile_f32_avx2", Isa::kAvx2, gemm_fits, prepare_gemm<Isa::kAvx2>},
    {"gemm_tile_f32_portable", Isa::kPortable, gemm_fits, prepare_gemm<Isa::kPortable>},
};

}  // namespace tenon::ops
