// CumSum and CumProd: running sums and products along an axis, from either end, with or without the element
// itself (ONNX Operators.md).
#include <algorithm>

#include "ops/core/emit_wide.h"
#include "ops/core/op_def.h"
#include "ops/lines/lines.h"

namespace tenon::ops {

namespace {

template <class T>
struct Scan {
  bool product, exclusive, reverse;

  T combine(T a, T b) const {
    if constexpr (std::is_same_v<T, double>)
      return product ? a * b : a + b;
    else
      return static_cast<T>(product ? static_cast<uint64_t>(a) * static_cast<uint64_t>(b)
                                    : static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
  void operator()(T* line, int64_t length) const {
    if (reverse) std::reverse(line, line + length);
    T running = product ? T(1) : T(0);
    for (int64_t i = 0; i < length; ++i) {
      const T next = combine(running, line[i]);
      line[i] = exclusive ? running : next;
      running = next;
    }
    if (reverse) std::reverse(line, line + length);
  }
};

template <class T>
Status scan_as(KernelContext& context, int64_t axis) {
  const Scan<T> scan{context.node().op == Op::kCumProd, context.attributes().integer("exclusive", 0) != 0,
                     context.attributes().integer("reverse", 0) != 0};
  return map_lines<T>(context, axis, scan);
}

Status reference_scan(KernelContext& context) {
  if (context.input(1).size() != 1)
    return fail(ErrorCode::kMismatch, "the axis has {} elements, not one", context.input(1).size());
  const auto axis = load_element<int64_t>(context.input(1), 0);
  switch (compute_kind(context.input(0).type())) {
    case ComputeKind::kFloat:
      return scan_as<double>(context, axis);
    case ComputeKind::kSigned:
      return scan_as<int64_t>(context, axis);
    default:
      return scan_as<uint64_t>(context, axis);
  }
}

Status emit_cum_sum(EmitContext& context) {
  if (context.opset() < 11) return context.unsupported(11);
  return emit_wide(context);
}

}  // namespace

constinit const OpDef kCumSum{.name = "CumSum",
                              .infer = infer_same_as_first,
                              .reference = reference_scan,
                              .emit = emit_cum_sum,
                              .tolerance = {Tolerance::Kind::kSum, 16}};
constinit const OpDef kCumProd{.name = "CumProd",
                               .infer = infer_same_as_first,
                               .reference = reference_scan,
                               .tolerance = {Tolerance::Kind::kUlp, 64}};

}  // namespace tenon::ops
