#include "kernels/gemm/epilogue.h"

#include <algorithm>
#include <limits>

namespace tenon::kernels {

Epilogue::Epilogue(std::vector<MicroOp> ops, Isa isa)
    : low_(-std::numeric_limits<float>::infinity()),
      high_(std::numeric_limits<float>::infinity()),
      exits_(&exit_functions(isa)) {
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

void Epilogue::finish(const TileExit& exit) const {
  for (const Step& step : steps_) {
    switch (step.op.kind) {
      case MicroOp::Kind::kUnary:
        step.function(exit.tile, exit.tile, exit.rows * exit.tile_columns, step.op.unary.a, step.op.unary.b);
        break;
      case MicroOp::Kind::kAddTensor:
        exits_->add(exit, exit.operands[step.op.operand]);
        break;
      case MicroOp::Kind::kMulTensor:
        exits_->multiply(exit, exit.operands[step.op.operand]);
        break;
    }
  }
  if (last_operand_ >= 0)
    exits_->copy_add(exit, exit.operands[last_operand_], low_, high_);
  else
    exits_->copy(exit, nullptr, low_, high_);
}

}  // namespace tenon::kernels
