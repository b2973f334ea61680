#include "kernels/gemm/epilogue.h"

#include <algorithm>

namespace tenon::kernels {

Epilogue::Epilogue(std::vector<MicroOp> ops, Isa isa) : exits_(&exit_functions(isa)) {
  for (const MicroOp& op : ops)
    if (op.kind != MicroOp::Kind::kUnary) operand_count_ = std::max(operand_count_, op.operand + 1);
  if (!ops.empty() && ops.back().kind == MicroOp::Kind::kUnary && ops.back().unary.kind == Unary::kClamp) {
    low_ = ops.back().unary.a;
    high_ = ops.back().unary.b;
    ops.pop_back();
  }
  if (!ops.empty() && ops.back().kind == MicroOp::Kind::kAddTensor) {
    last_operand_ = ops.back().operand;
    ops.pop_back();
  }
  for (const MicroOp& op : ops)
    steps_.push_back({op, op.kind == MicroOp::Kind::kUnary ? unary_function(isa, op.unary.kind) : nullptr});
}

std::optional<TileEnd> Epilogue::tile_end(float* out, int64_t at, int64_t stride,
                                          std::span<const float* const> operands) const {
  if (!steps_.empty()) return std::nullopt;
  const float* operand = last_operand_ < 0 ? nullptr : operands[static_cast<size_t>(last_operand_)] + at;
  return TileEnd{nullptr, operand, out + at, stride, low_, high_};
}

bool Epilogue::ends_in_function() const {
  if (steps_.empty() || steps_.back().function == nullptr || last_operand_ >= 0) return false;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return low_ == -kInfinity && high_ == kInfinity;
}

void Epilogue::finish(const TileExit& exit) const {
  const bool is_direct = ends_in_function() && exit.step == 1;
  for (size_t s = 0; s < steps_.size() - (is_direct ? 1 : 0); ++s) {
    const Step& step = steps_[s];
    switch (step.op.kind) {
      case MicroOp::Kind::kUnary:
        step.function(
            {exit.tile, exit.tile, exit.rows * exit.tile_columns, step.op.unary.a, step.op.unary.b});
        break;
      case MicroOp::Kind::kAddTensor:
        exits_->add(exit, exit.operands[step.op.operand]);
        break;
      case MicroOp::Kind::kMulTensor:
        exits_->multiply(exit, exit.operands[step.op.operand]);
        break;
    }
  }
  if (is_direct) {
    const Step& last = steps_.back();
    for (int i = 0; i < exit.segment_count; ++i) {
      const Segment& segment = exit.segments[i];
      last.function({exit.tile + segment.column, exit.out + segment.out, segment.count, last.op.unary.a,
                     last.op.unary.b, exit.rows, exit.tile_columns, exit.out_stride});
    }
    return;
  }
  if (last_operand_ >= 0)
    exits_->copy_add(exit, exit.operands[last_operand_], low_, high_);
  else
    exits_->copy(exit, nullptr, low_, high_);
}

}  // namespace tenon::kernels
