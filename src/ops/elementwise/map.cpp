#include "ops/elementwise/map.h"

#include "ir/op.h"

namespace tenon::ops {

namespace {

Error no_loop(const KernelContext& context) {
  return fail(ErrorCode::kUnsupported, "{} is not defined for {}", op_name(context.node().op),
              data_type_name(context.input(0).type()));
}

// Calls body(begin, count) for chunks that cover [0, size), in parallel.
template <class Body>
void for_chunks(KernelContext& context, int64_t size, const Body& body) {
  context.parallel_for(size, kMapGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kMapChunk) body(i, std::min(kMapChunk, end - i));
  });
}

template <class T>
void run_unary(KernelContext& context, DataType type, const std::function<void(T*, int64_t)>& loop) {
  const Tensor& input = context.input(0);
  Tensor& output = context.output(0, type, input.shape());
  for_chunks(context, input.size(), [&](int64_t begin, int64_t count) {
    T values[kMapChunk];
    load_elements<T>(input.type(), input.raw(), begin, count, values);
    loop(values, count);
    store_elements<T>(type, output.mutable_raw(), begin, count, values);
  });
}

template <class T>
using BinaryLoop = std::function<void(const T*, const T*, T*, int64_t)>;

template <class T>
Status run_fold(KernelContext& context, DataType type, const BinaryLoop<T>& loop,
                const std::function<void(T*, int64_t)>& finish) {
  std::vector<Shape> shapes;
  for (size_t i = 0; i < context.input_count(); ++i) shapes.push_back(context.input(i).shape());
  const BroadcastPlan plan = TENON_TRY(BroadcastPlan::make(shapes));
  Tensor& output = context.output(0, type, plan.shape());
  for_chunks(context, plan.size(), [&](int64_t begin, int64_t count) {
    T a[kMapChunk];
    T b[kMapChunk];
    plan.load<T>(0, context.input(0), begin, count, a);
    for (size_t i = 1; i < context.input_count(); ++i) {
      plan.load<T>(i, context.input(i), begin, count, b);
      loop(a, b, a, count);
    }
    if (finish) finish(a, count);
    store_elements<T>(type, output.mutable_raw(), begin, count, a);
  });
  return {};
}

Status run_fold(KernelContext& context, DataType type, ComputeKind kind, const BinaryLoops& loops,
                const UnaryLoops& finish) {
  if (kind == ComputeKind::kFloat && loops.real)
    return run_fold<double>(context, type, loops.real, finish.real);
  if (kind == ComputeKind::kSigned && loops.as_signed)
    return run_fold<int64_t>(context, type, loops.as_signed, finish.as_signed);
  if (kind == ComputeKind::kUnsigned && loops.as_unsigned)
    return run_fold<uint64_t>(context, type, loops.as_unsigned, finish.as_unsigned);
  return no_loop(context);
}

}  // namespace

Status map_unary(KernelContext& context, DataType output, const UnaryLoops& loops) {
  const ComputeKind kind = compute_kind(context.input(0).type());
  if (kind == ComputeKind::kFloat && loops.real)
    run_unary<double>(context, output, loops.real);
  else if (kind == ComputeKind::kSigned && loops.as_signed)
    run_unary<int64_t>(context, output, loops.as_signed);
  else if (kind == ComputeKind::kUnsigned && loops.as_unsigned)
    run_unary<uint64_t>(context, output, loops.as_unsigned);
  else
    return no_loop(context);
  return {};
}

Status map_binary(KernelContext& context, DataType output, ComputeKind kind, const BinaryLoops& loops) {
  return run_fold(context, output, kind, loops, {});
}

Status map_variadic(KernelContext& context, const BinaryLoops& loops, const UnaryLoops& finish) {
  const DataType type = context.input(0).type();
  return run_fold(context, type, compute_kind(type), loops, finish);
}

}  // namespace tenon::ops
