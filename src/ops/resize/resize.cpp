// Resize (https://onnx.ai/onnx/operators/onnx__Resize.html): the definition, its shape rule and its
// reference. Interpolation is separable: one axis after the other, in double precision, rounded once at the
// end.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops/core/op_def.h"
#include "ops/resize/kernels.h"
#include "ops/resize/resize.h"
#include "ops/spatial/saturate.h"
#include "ops/spatial/window.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// floor(dim * scale) for a dimension that is not known: exact when the scale is a small fraction.
std::optional<SymInt> scaled(const SymInt& dim, double scale) {
  for (int64_t divisor : {1, 2, 3, 4, 5, 6, 8, 16, 32}) {
    const double numerator = scale * static_cast<double>(divisor);
    if (numerator >= 1 && numerator < 1e6 && numerator == std::floor(numerator))
      return floor_div(dim * static_cast<int64_t>(numerator), divisor);
  }
  return std::nullopt;
}

// An input that counts as given: an empty tensor stands for none (versions 11 and 12).
const Tensor* given(const Tensor* tensor) {
  return tensor && tensor->size() > 0 ? tensor : nullptr;
}

Status infer(InferContext& context) {
  const SymShape* x = context.shape(0);
  const DataType element = context.element(0);
  if (!x) {
    context.set_output(0, element);
    return {};
  }
  const ResizeOptions options = TENON_TRY(read_resize_options(context.attributes()));
  const Tensor *roi = given(context.constant(1)), *scales = given(context.constant(2));
  const auto known_sizes = context.has_input(3) ? context.known_ints(3) : std::nullopt;
  const bool has_sizes = known_sizes && !known_sizes->empty();
  const bool crop = options.coordinates == Coordinates::kTfCropAndResize;
  const auto shape = constant_shape(*x);
  if (shape && (scales || has_sizes) && (!crop || roi)) {
    auto doubles = [](const Tensor* t) { return t ? std::optional(to_doubles(*t)) : std::nullopt; };
    const auto axes =
        TENON_TRY(resolve_resize(options, *shape, doubles(roi), doubles(scales),
                                 has_sizes ? known_sizes : std::optional<std::vector<int64_t>>()));
    SymShape out;
    for (const ResizeAxis& axis : axes) out.emplace_back(axis.output);
    context.set_output(0, element, std::move(out));
    return {};
  }
  SymShape out = *x;
  std::vector<size_t> axes;
  for (int64_t axis : options.axes)
    axes.push_back(static_cast<size_t>(TENON_TRY(normalize_axis(axis, static_cast<int64_t>(x->size())))));
  if (axes.empty())
    for (size_t i = 0; i < x->size(); ++i) axes.push_back(i);
  const auto sizes = context.has_input(3) ? context.elements(3) : std::nullopt;
  for (size_t i = 0; i < axes.size(); ++i) {
    SymInt& size = out[axes[i]];
    std::optional<SymInt> known;
    if (scales && scales->size() == static_cast<int64_t>(axes.size()) && !crop)
      known = scaled(size, load_element<double>(*scales, static_cast<int64_t>(i)));
    else if (!scales && sizes && sizes->size() == axes.size() && options.policy == AspectPolicy::kStretch)
      known = (*sizes)[i];
    size = known ? *known : context.fresh_symbol();
  }
  context.set_output(0, element, std::move(out));
  return {};
}

template <class T>
void gather_nearest(KernelContext& context, const std::vector<std::vector<int64_t>>& tables, const Tensor& x,
                    const T& extrapolation, Tensor& y) {
  const size_t rank = tables.size();
  if (y.size() == 0) return;
  const std::vector<int64_t> strides = row_major_strides(x.shape());
  const int64_t width = y.shape().back();
  context.parallel_for(y.size() / width, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      int64_t base = 0, rest = row;
      for (size_t axis = rank - 1; axis-- > 0 && base >= 0;) {
        const int64_t at = tables[axis][static_cast<size_t>(rest % y.dim(axis))];
        rest /= y.dim(axis);
        base = at < 0 ? -1 : base + at * strides[axis];
      }
      T* to = y.mutable_data<T>() + row * width;
      for (int64_t i = 0; i < width; ++i) {
        const int64_t at = tables[rank - 1][static_cast<size_t>(i)];
        to[i] = base < 0 || at < 0 ? extrapolation : x.data<T>()[base + at];
      }
    }
  });
}

template <class T>
void resize_nearest(KernelContext& context, const std::vector<std::vector<int64_t>>& tables, const Tensor& x,
                    double extrapolation, Tensor& y) {
  T fill{};
  if constexpr (!std::is_same_v<T, std::string>)
    store_elements<double>(x.type(), reinterpret_cast<std::byte*>(&fill), 0, 1, &extrapolation);
  gather_nearest<T>(context, tables, x, fill, y);
}

Status nearest(KernelContext& context, const ResizeOptions& options, const std::vector<ResizeAxis>& axes,
               const Tensor& x, Tensor& y) {
  std::vector<std::vector<int64_t>> tables;
  for (const ResizeAxis& axis : axes) {
    tables.emplace_back();
    if (axis.output == axis.input && axis.scale == 1 && axis.start == 0 && axis.end == 1)
      for (int64_t i = 0; i < axis.output; ++i) tables.back().push_back(i);
    else
      tables.back() = nearest_indices(options, axis);
  }
  if (x.is_string()) {
    resize_nearest<std::string>(context, tables, x, 0, y);
    return {};
  }
  switch (element_size(x.type())) {
    case 1:
      resize_nearest<uint8_t>(context, tables, x, options.extrapolation, y);
      break;
    case 2:
      resize_nearest<uint16_t>(context, tables, x, options.extrapolation, y);
      break;
    case 4:
      resize_nearest<uint32_t>(context, tables, x, options.extrapolation, y);
      break;
    case 8:
      resize_nearest<uint64_t>(context, tables, x, options.extrapolation, y);
      break;
    default:
      resize_nearest<std::array<uint64_t, 2>>(context, tables, x, options.extrapolation, y);
  }
  return {};
}

// Resizes one axis of an array seen as outer x input x inner.
template <class T>
std::vector<T> resize_axis(KernelContext& context, const ResizeOptions& options, const ResizeAxis& axis,
                           const std::vector<T>& from, int64_t outer, int64_t inner) {
  const ResizeTaps taps = interpolation_taps(options, axis);
  std::vector<T> to(static_cast<size_t>(outer * axis.output * inner));
  context.parallel_for(outer * axis.output, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto i = static_cast<size_t>(row % axis.output);
      T* target = to.data() + row * inner;
      std::fill(target, target + inner, taps.outside[i] ? T(options.extrapolation) : T(0));
      for (size_t tap = taps.offsets[i]; tap < taps.offsets[i + 1]; ++tap) {
        const T* source = from.data() + (row / axis.output * axis.input + taps.indices[tap]) * inner;
        const double weight = taps.weights[tap];
        for (int64_t j = 0; j < inner; ++j) target[j] += weight * source[j];
      }
    }
  });
  return to;
}

template <class T>
Status interpolate(KernelContext& context, const ResizeOptions& options, const std::vector<ResizeAxis>& axes,
                   const Tensor& x, Tensor& y) {
  std::vector<T> data(static_cast<size_t>(x.size()));
  load_elements<T>(x.type(), x.raw(), 0, x.size(), data.data());
  int64_t outer = 1, inner = x.size();
  for (const ResizeAxis& axis : axes) {
    if (axis.input == 0) return {};  // empty in, empty out
    inner /= axis.input;
    const bool same = axis.output == axis.input && axis.scale == 1 && axis.start == 0 && axis.end == 1;
    if (!same) data = resize_axis(context, options, axis, data, outer, inner);
    outer *= axis.output;
  }
  if constexpr (std::is_same_v<T, double>)
    if (is_integer(y.type()))
      for (double& value : data) value = saturate(y.type(), std::nearbyint(value));
  store_elements<T>(y.type(), y.mutable_raw(), 0, y.size(), data.data());
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  const ResizeOptions options = TENON_TRY(read_resize_options(context.attributes()));
  auto input = [&](size_t i) { return given(context.has_input(i) ? &context.input(i) : nullptr); };
  auto doubles = [](const Tensor* t) { return t ? std::optional(to_doubles(*t)) : std::nullopt; };
  const Tensor* sizes = input(3);
  const std::vector<ResizeAxis> axes =
      TENON_TRY(resolve_resize(options, x.shape(), doubles(input(1)), doubles(input(2)),
                               sizes ? std::optional(to_ints(*sizes)) : std::nullopt));
  Shape shape;
  for (const ResizeAxis& axis : axes) shape.push_back(axis.output);
  TENON_TRY(element_count(shape));
  if (shape.empty()) {
    context.set_output(0, x);
    return {};
  }
  Tensor& y = context.output(0, x.type(), shape);
  if (y.size() == 0) return {};
  if (options.mode == ResizeMode::kNearest) return nearest(context, options, axes, x, y);
  if (x.is_string()) return fail(ErrorCode::kInvalidModel, "strings can only be resized with mode nearest");
  if (compute_kind(x.type()) == ComputeKind::kComplex)
    return interpolate<std::complex<double>>(context, options, axes, x, y);
  return interpolate<double>(context, options, axes, x, y);
}

}  // namespace

constinit const OpDef kResize{
    .name = "Resize",
    .infer = infer,
    .reference = reference,
    .upgrade = upgrade_resize,
    .emit = emit_resize,
    .rows = kResizeRows,
    .tolerance = {Tolerance::Kind::kSum, 16},
};

constinit const LegacyOp kUpsampleLegacy{.name = "Upsample", .upgrade = upgrade_upsample};

}  // namespace tenon::ops
