#include "kernels/gemm/epilogue.h"

#include <algorithm>

namespace tenon::kernels {

Epilogue::Epilogue(std::vector<MicroOp> ops, Isa isa) : exits_(&exit_functions(isa)) {
  for (const MicroOp& op : ops)
    if (op.kind != MicroOp::Kind::kUnary) operand_count_ = std::max(operand_count_, op.operand + 1);
  if (!ops.empty() && ops.back().kind == MicroOp::Kind::kUnary && ops.back().unary.kind == Unary::kClamp) {
    last_.low = ops.back().unary.a;
    last_.high = ops.back().unary.b;
    ops.pop_back();
  }
  if (!ops.empty() && ops.back().kind == MicroOp::Kind::kAddTensor) {
    last_.operand = ops.back().operand;
    ops.pop_back();
  }
  for (const MicroOp& op : ops)
    steps_.push_back({op, op.kind == MicroOp::Kind::kUnary ? unary_function(isa, op.unary.kind) : nullptr});
  if (steps_.empty()) simple_ = last_;
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
  if (last_.operand >= 0)
    exits_->copy_add(exit, exit.operands[last_.operand], last_.low, last_.high);
  else
    exits_->copy(exit, nullptr, last_.low, last_.high);
}

}  // namespace tenon::kernels
