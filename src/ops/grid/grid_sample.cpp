// GridSample (https://onnx.ai/onnx/operators/onnx__GridSample.html): samples X (N, C, D1, ..., Dn) at the
// normalised coordinates of grid (N, O1, ..., On, n), whose last axis counts X's axes from the last one.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops/core/op_def.h"
#include "ops/spatial/saturate.h"
#include "ops/spatial/window.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

enum class Sampling { kNearest, kLinear, kCubic };
enum class Border { kZeros, kBorder, kReflection };

struct Options {
  Sampling mode;
  Border border;
  bool align;
};

Result<Options> read_options(const Attributes& attributes) {
  Options options{};
  const std::string mode = attributes.string("mode", "linear");
  if (mode == "nearest")
    options.mode = Sampling::kNearest;
  else if (mode == "linear" || mode == "bilinear")
    options.mode = Sampling::kLinear;
  else if (mode == "cubic" || mode == "bicubic")
    options.mode = Sampling::kCubic;
  else
    return fail(ErrorCode::kInvalidModel, "mode is '{}'", mode);
  const std::string border = attributes.string("padding_mode", "zeros");
  if (border == "zeros")
    options.border = Border::kZeros;
  else if (border == "border")
    options.border = Border::kBorder;
  else if (border == "reflection")
    options.border = Border::kReflection;
  else
    return fail(ErrorCode::kInvalidModel, "padding_mode is '{}'", border);
  options.align = attributes.integer("align_corners") != 0;
  return options;
}

Status infer(InferContext& context) {
  const SymShape *x = context.shape(0), *grid = context.shape(1);
  if (!x || !grid) {
    context.set_output(0, context.element(0));
    return {};
  }
  if (x->size() < 3 || grid->size() != x->size())
    return fail(ErrorCode::kInvalidModel, "X has rank {} and grid rank {}", x->size(), grid->size());
  SymShape shape = {(*x)[0], (*x)[1]};
  shape.insert(shape.end(), grid->begin() + 1, grid->end() - 1);
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

double unnormalise(double coordinate, int64_t size, bool align) {
  const auto length = static_cast<double>(size);
  return align ? (coordinate + 1) / 2 * (length - 1) : ((coordinate + 1) * length - 1) / 2;
}

// Folds a coordinate back between the borders [low, low + span].
double reflect(double x, double low, double span) {
  if (span <= 0) return low;
  const double distance = std::fabs(x - low);
  const double extra = std::fmod(distance, span);
  return std::fmod(std::floor(distance / span), 2) == 0 ? low + extra : low + span - extra;
}

// A coordinate after padding_mode; stays outside for zeros.
double folded(const Options& options, double x, int64_t size) {
  const auto last = static_cast<double>(size - 1);
  if (options.border == Border::kZeros) return x;
  if (options.border == Border::kReflection)
    x = options.align ? reflect(x, 0, last) : reflect(x, -0.5, last + 1);
  return std::isnan(x) ? 0 : std::clamp(x, 0.0, last);
}

// The elements of one axis that a sample reads, and their weights; index -1 reads zero.
struct Taps {
  std::array<int64_t, 4> index;
  std::array<double, 4> weight;
  int count;
};

int64_t tap_index(const Options& options, double position, int64_t size) {
  const double at = folded(options, position, size);
  if (!(at >= 0 && at <= static_cast<double>(size - 1))) return -1;
  return static_cast<int64_t>(std::nearbyint(at));
}

Taps sample_taps(const Options& options, double x, int64_t size) {
  Taps taps{};
  if (options.mode != Sampling::kCubic) x = folded(options, x, size);
  if (options.mode == Sampling::kNearest) {
    taps.count = 1;
    taps.weight[0] = 1;
    taps.index[0] = tap_index(options, std::nearbyint(x), size);
    return taps;
  }
  const double base = std::floor(x), t = x - base;
  if (options.mode == Sampling::kLinear) {
    taps.count = 2;
    taps.weight = {1 - t, t, 0, 0};
    for (int i = 0; i < 2; ++i) {
      const double at = base + i;
      const bool inside = at >= 0 && at <= static_cast<double>(size - 1);
      taps.index[static_cast<size_t>(i)] = inside ? static_cast<int64_t>(at) : -1;
    }
    return taps;
  }
  constexpr double a = -0.75;
  taps.count = 4;
  auto near = [](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  auto far = [](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  taps.weight = {far(t + 1), near(t), near(1 - t), far(2 - t)};
  for (int i = 0; i < 4; ++i) taps.index[static_cast<size_t>(i)] = tap_index(options, base + i - 1, size);
  return taps;
}

Status check_shapes(const Tensor& x, const Tensor& grid) {
  if (x.rank() < 3 || grid.rank() != x.rank() || grid.dim(0) != x.dim(0) ||
      grid.shape().back() != x.rank() - 2)
    return fail(ErrorCode::kInvalidModel, "grid has shape {}, which does not fit X {}",
                tenon::to_string(grid.shape()), tenon::to_string(x.shape()));
  return {};
}

// Calls visit(plane offset, weight) for each element that a sample reads.
template <class Visit>
void for_each_tap(const std::vector<Taps>& taps, const std::vector<int64_t>& strides, Visit visit) {
  std::vector<int64_t> index(taps.size(), 0), counts;
  for (const Taps& axis : taps) counts.push_back(axis.count);
  do {
    int64_t at = 0;
    double weight = 1;
    for (size_t i = 0; i < taps.size() && at >= 0; ++i) {
      const auto tap = static_cast<size_t>(index[i]);
      weight *= taps[i].weight[tap];
      at = taps[i].index[tap] < 0 ? -1 : at + taps[i].index[tap] * strides[i];
    }
    if (at >= 0) visit(at, weight);
  } while (next_index(index, counts));
}

template <class T>
void sample(KernelContext& context, const Options& options, const Tensor& x, const Tensor& grid, Tensor& y) {
  const auto axes = static_cast<size_t>(x.rank()) - 2;
  const std::vector<int64_t> sizes(x.shape().begin() + 2, x.shape().end());
  const std::vector<int64_t> strides = row_major_strides(sizes);
  const int64_t plane = strides[0] * sizes[0], channels = x.dim(1);
  const int64_t samples = grid.dim(0) == 0 ? 0 : grid.size() / static_cast<int64_t>(axes) / grid.dim(0);
  context.parallel_for(x.dim(0) * samples, 64, [&](int64_t begin, int64_t end) {
    std::vector<double> position(axes);
    std::vector<Taps> taps(axes);
    for (int64_t item = begin; item < end; ++item) {
      const int64_t n = item / samples, s = item % samples;
      load_elements<double>(grid.type(), grid.raw(), item * static_cast<int64_t>(axes),
                            static_cast<int64_t>(axes), position.data());
      for (size_t i = 0; i < axes; ++i)
        taps[i] =
            sample_taps(options, unnormalise(position[axes - 1 - i], sizes[i], options.align), sizes[i]);
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t base = (n * channels + c) * plane, out = (n * channels + c) * samples + s;
        if constexpr (std::is_same_v<T, std::string>) {
          for_each_tap(taps, strides, [&](int64_t at, double) {
            y.mutable_data<std::string>()[out] = x.data<std::string>()[base + at];
          });
        } else {
          T sum{};
          for_each_tap(taps, strides, [&](int64_t at, double weight) {
            if (options.mode == Sampling::kNearest)
              sum = load_element<T>(x, base + at);
            else if constexpr (!std::is_integral_v<T>)
              sum += weight * load_element<T>(x, base + at);
          });
          // Integers between the samples: the fraction is cut off, and mode cubic may leave the type's range.
          if constexpr (std::is_same_v<T, double>)
            if (is_integer(y.type())) sum = saturate(y.type(), std::trunc(sum));
          store_elements<T>(y.type(), y.mutable_raw(), out, 1, &sum);
        }
      }
    }
  });
}

Status reference(KernelContext& context) {
  const Tensor &x = context.input(0), &grid = context.input(1);
  const Options options = TENON_TRY(read_options(context.attributes()));
  TENON_TRY(check_shapes(x, grid));
  if (options.mode == Sampling::kCubic && x.rank() != 4)
    return fail(ErrorCode::kInvalidModel, "mode cubic needs an input of rank 4");
  Shape shape = {x.dim(0), x.dim(1)};
  shape.insert(shape.end(), grid.shape().begin() + 1, grid.shape().end() - 1);
  TENON_TRY(element_count(shape));
  Tensor& y = context.output(0, x.type(), shape);
  if (y.size() == 0) return {};
  if (x.size() == 0) return fail(ErrorCode::kInvalidModel, "X is empty: there is nothing to sample");
  const ComputeKind kind = compute_kind(x.type());
  if (kind == ComputeKind::kString) {
    if (options.mode != Sampling::kNearest)
      return fail(ErrorCode::kInvalidModel, "strings can only be sampled with mode nearest");
    sample<std::string>(context, options, x, grid, y);
  } else if (kind == ComputeKind::kComplex) {
    sample<std::complex<double>>(context, options, x, grid, y);
  } else if (options.mode == Sampling::kNearest && kind != ComputeKind::kFloat) {
    sample<int64_t>(context, options, x, grid, y);
  } else {
    sample<double>(context, options, x, grid, y);
  }
  return {};
}

// Version 16 called the modes bilinear and bicubic and took images only.
Status upgrade(UpgradeContext& context) {
  Attributes attributes = context.attributes();
  const std::string mode = attributes.string("mode");
  if (mode == "bilinear") attributes.set("mode", std::string("linear"));
  if (mode == "bicubic") attributes.set("mode", std::string("cubic"));
  return context.finish(Op::kGridSample, context.inputs(), std::move(attributes));
}

Status emit(EmitContext& context) {
  if (context.opset() >= 20) return emit_unchanged(context);
  if (context.opset() < 16) return context.unsupported(16);
  const auto& shape = context.input_type(0).shape;
  if (!shape || shape->size() != 4) return context.unsupported(20, "its input does not have rank 4");
  Attributes attributes = context.attributes();
  const std::string mode = attributes.string("mode");
  if (mode == "linear") attributes.set("mode", std::string("bilinear"));
  if (mode == "cubic") attributes.set("mode", std::string("bicubic"));
  return context.finish("GridSample", context.inputs(), attributes);
}

}  // namespace

constinit const OpDef kGridSample{
    .name = "GridSample",
    .infer = infer,
    .reference = reference,
    .upgrade = upgrade,
    .emit = emit,
    .tolerance = {Tolerance::Kind::kSum, 64},
};

}  // namespace tenon::ops
