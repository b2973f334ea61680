#include <cmath>
#include <limits>

#include "ops/reduce/plan.h"
#include "ops/reduce/reduce.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

constexpr int64_t kChunk = 1024;
// Accumulators side by side, so that a sum over contiguous elements vectorises.
constexpr int64_t kLanes = 8;

// How values become one: `step` takes one more value into an accumulator that starts as `start` (`index` is
// the output's), `join` merges two accumulators, `finish` makes the result of a group of `count` values.
template <class T>
struct Identity {
  T finish(T value, int64_t, int64_t) const { return value; }
};

template <class T>
struct Sum : Identity<T> {
  T start = 0;
  T step(T sum, T value, int64_t) const { return sum + value; }
  T join(T a, T b) const { return a + b; }
};
// Signed sums and products wrap.
template <>
struct Sum<int64_t> : Identity<int64_t> {
  int64_t start = 0;
  int64_t step(int64_t sum, int64_t value, int64_t) const { return join(sum, value); }
  int64_t join(int64_t a, int64_t b) const {
    return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
};
template <class T>
struct Mean : Sum<T> {
  T finish(T sum, int64_t count, int64_t) const {
    if constexpr (std::is_same_v<T, double>) return sum / static_cast<double>(count);
    return count == 0 ? T(0) : static_cast<T>(sum / static_cast<T>(count));
  }
};
template <class T>
struct Product : Identity<T> {
  T start = 1;
  T step(T product, T value, int64_t) const { return join(product, value); }
  T join(T a, T b) const {
    if constexpr (std::is_same_v<T, int64_t>)
      return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    else
      return a * b;
  }
};
// Of nothing: minus infinity, or the least value of the type. A NaN wins.
template <class T>
struct Maximum : Identity<T> {
  explicit Maximum(T least) : start(least) {}
  T start;
  T step(T best, T value, int64_t) const { return join(best, value); }
  T join(T best, T value) const { return best > value || best != best ? best : value; }
};
template <class T>
struct Minimum : Identity<T> {
  explicit Minimum(T greatest) : start(greatest) {}
  T start;
  T step(T best, T value, int64_t) const { return join(best, value); }
  T join(T best, T value) const { return best < value || best != best ? best : value; }
};
template <class T>
struct AbsoluteSum : Sum<T> {
  T step(T sum, T value, int64_t) const {
    return this->join(sum, value < T(0) ? Product<T>{}.join(static_cast<T>(-1), value) : value);
  }
};
template <class T>
struct SquareSum : Sum<T> {
  T step(T sum, T value, int64_t) const { return this->join(sum, Product<T>{}.join(value, value)); }
};
// Squares are summed in the compute type; the root of an integer sum is cut to an integer.
template <class T>
struct Norm : SquareSum<T> {
  T finish(T sum, int64_t, int64_t) const { return static_cast<T>(std::sqrt(static_cast<double>(sum))); }
};
struct LogSum : Sum<double> {
  double finish(double sum, int64_t, int64_t) const { return std::log(sum); }
};
// log(sum(exp(x))) = m + log(sum(exp(x - m))), where m is the group's maximum when that is finite, else 0.
struct LogSumExp : Sum<double> {
  std::span<const double> shift;
  double step(double sum, double value, int64_t index) const {
    return sum + std::exp(value - shift[static_cast<size_t>(index)]);
  }
  double finish(double sum, int64_t, int64_t index) const {
    return shift[static_cast<size_t>(index)] + std::log(sum);
  }
};

template <class T, class Reducer>
T reduce_run(const Reducer& reducer, const T* values, int64_t count, T start, int64_t index) {
  T lanes[kLanes];
  for (T& lane : lanes) lane = reducer.start;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] = reducer.step(lanes[lane], values[i + lane], index);
  for (; i < count; ++i) start = reducer.step(start, values[i], index);
  for (T lane : lanes) start = reducer.join(start, lane);
  return start;
}

// Results of all groups in order, handed to store(index, values, count).
template <class T, class Reducer, class Store>
void reduce_groups(KernelContext& context, const Tensor& input, const ReducePlan& plan,
                   const Reducer& reducer, const Store& store) {
  const int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(plan.group(), 1));
  context.parallel_for(plan.outputs(), grain, [&](int64_t begin, int64_t end) {
    T values[kChunk];
    T sums[kChunk];
    for (int64_t index = begin; index < end;) {
      int64_t width = 1;
      if (plan.inner_reduced() || plan.inner() == 0) {
        T sum = reducer.start;
        for (int64_t k = 0; k < plan.members(); ++k) {
          const int64_t from = plan.group_offset(index) + plan.member_offset(k);
          for (int64_t i = 0; i < plan.inner(); i += kChunk) {
            const int64_t count = std::min(kChunk, plan.inner() - i);
            load_elements<T>(input.type(), input.raw(), from + i, count, values);
            sum = reduce_run(reducer, values, count, sum, index);
          }
        }
        sums[0] = sum;
      } else {
        // Neighbouring outputs step through their groups side by side.
        width = std::min({kChunk, end - index, plan.inner() - index % plan.inner()});
        std::fill(sums, sums + width, reducer.start);
        const int64_t from = plan.group_offset(index);
        for (int64_t k = 0; k < plan.members(); ++k) {
          load_elements<T>(input.type(), input.raw(), from + plan.member_offset(k), width, values);
          for (int64_t i = 0; i < width; ++i) sums[i] = reducer.step(sums[i], values[i], index + i);
        }
      }
      for (int64_t i = 0; i < width; ++i) sums[i] = reducer.finish(sums[i], plan.group(), index + i);
      store(index, sums, width);
      index += width;
    }
  });
}

template <class T, class Reducer>
void reduce_into(KernelContext& context, const ReducePlan& plan, Tensor& output, const Reducer& reducer) {
  reduce_groups<T>(context, context.input(0), plan, reducer,
                   [&](int64_t index, const T* values, int64_t count) {
                     store_elements<T>(output.type(), output.mutable_raw(), index, count, values);
                   });
}

// The least and greatest values that an element type holds, infinities included.
template <class T>
std::pair<T, T> range_of(DataType type) {
  if constexpr (std::is_same_v<T, double>) {
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  } else {
    const int bits = type == DataType::kBool ? 1 : element_bits(type);
    if constexpr (std::is_same_v<T, uint64_t>) return {0, ~uint64_t{0} >> (64 - bits)};
    const auto greatest = static_cast<T>(~uint64_t{0} >> (65 - bits));
    return {static_cast<T>(T(0) - greatest - T(1)), greatest};
  }
}

template <class T>
Status reduce_as(KernelContext& context, const ReducePlan& plan, Tensor& output) {
  const auto [least, greatest] = range_of<T>(output.type());
  switch (context.node().op) {
    case Op::kReduceSum:
      reduce_into<T>(context, plan, output, Sum<T>{});
      return {};
    case Op::kReduceMean:
      reduce_into<T>(context, plan, output, Mean<T>{});
      return {};
    case Op::kReduceProd:
      reduce_into<T>(context, plan, output, Product<T>{});
      return {};
    case Op::kReduceMax:
      reduce_into<T>(context, plan, output, Maximum<T>{least});
      return {};
    case Op::kReduceMin:
      reduce_into<T>(context, plan, output, Minimum<T>{greatest});
      return {};
    case Op::kReduceL1:
      reduce_into<T>(context, plan, output, AbsoluteSum<T>{});
      return {};
    case Op::kReduceL2:
      reduce_into<T>(context, plan, output, Norm<T>{});
      return {};
    case Op::kReduceSumSquare:
      reduce_into<T>(context, plan, output, SquareSum<T>{});
      return {};
    default:
      break;
  }
  if constexpr (std::is_same_v<T, double>) {
    if (context.node().op == Op::kReduceLogSum) {
      reduce_into<double>(context, plan, output, LogSum{});
      return {};
    }
    std::vector<double> shift(static_cast<size_t>(plan.outputs()));
    reduce_groups<double>(context, context.input(0), plan, Maximum<double>{least},
                          [&](int64_t index, const double* values, int64_t count) {
                            for (int64_t i = 0; i < count; ++i)
                              shift[static_cast<size_t>(index + i)] =
                                  std::isfinite(values[i]) ? values[i] : 0;
                          });
    LogSumExp reducer;
    reducer.shift = shift;
    reduce_into<double>(context, plan, output, reducer);
    return {};
  }
  return fail(ErrorCode::kUnsupported, "{} is not defined for {}", op_name(context.node().op),
              data_type_name(context.input(0).type()));
}

}  // namespace

Status reference_reduce(KernelContext& context) {
  const Tensor& input = context.input(0);
  std::vector<int64_t> axes;
  if (context.has_input(1)) axes = to_ints(context.input(1));
  const bool noop = context.attributes().integer("noop_with_empty_axes", 0) != 0;
  const std::vector<bool> reduced = TENON_TRY(reduced_axes(axes, input.rank(), noop));
  const bool keepdims = context.attributes().integer("keepdims", 1) != 0;
  Shape shape;
  for (size_t i = 0; i < reduced.size(); ++i)
    if (!reduced[i] || keepdims) shape.push_back(reduced[i] ? 1 : input.dim(i));
  const ReducePlan plan(input.shape(), reduced);
  Tensor& output = context.output(0, input.type(), std::move(shape));
  switch (compute_kind(input.type())) {
    case ComputeKind::kFloat:
      return reduce_as<double>(context, plan, output);
    case ComputeKind::kSigned:
      return reduce_as<int64_t>(context, plan, output);
    default:
      return reduce_as<uint64_t>(context, plan, output);
  }
}

}  // namespace tenon::ops
