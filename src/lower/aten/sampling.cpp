// Upsampling, and sampling at the places of a grid.
#include <algorithm>
#include <cmath>
#include <limits>

#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

enum class Filter : uint8_t { kNearest, kNearestExact, kLinear, kCubic };

struct Upsampling {
  Filter filter = Filter::kNearest;
  bool align_corners = false;
  bool antialias = false;
};

// floor((i + 1/2) * in / out) is the nearest neighbour of the pixels' centres, ties to the higher one;
// floor(i * in / out) is what "nearest" means in PyTorch.
Attributes resize_attributes(const Upsampling& how) {
  Attributes attributes;
  attributes.set("mode", std::string(how.filter == Filter::kLinear  ? "linear"
                                     : how.filter == Filter::kCubic ? "cubic"
                                                                    : "nearest"));
  attributes.set("coordinate_transformation_mode", std::string(how.filter == Filter::kNearest ? "asymmetric"
                                                               : how.align_corners ? "align_corners"
                                                                                   : "half_pixel"));
  if (how.filter == Filter::kNearest) attributes.set("nearest_mode", std::string("floor"));
  if (how.filter == Filter::kNearestExact) attributes.set("nearest_mode", std::string("round_prefer_ceil"));
  if (how.filter == Filter::kCubic) attributes.set("cubic_coeff_a", how.antialias ? -0.5f : -0.75f);
  if (how.antialias) {
    attributes.set("antialias", int64_t{1});
    attributes.set("exclude_outside", int64_t{1});
  }
  return attributes;
}

/// floor(size * factor), as PyTorch computes an output size.
Result<Size> scaled_size(LowerContext& context, const Size& size, double factor) {
  if (size.is_number())
    return Size(static_cast<int64_t>(std::floor(static_cast<double>(size.number) * factor)));
  const ValueId real = TENON_TRY(context.cast(size.dynamic, DataType::kFloat64));
  const ValueId scaled = TENON_TRY(context.add(Op::kMul, {real, context.number(DataType::kFloat64, factor)}));
  return Size(TENON_TRY(context.cast(TENON_TRY(context.add(Op::kFloor, {scaled})), DataType::kInt64)));
}

/// The factor in ONNX's precision, such that an input of this size gets the output size that PyTorch gives
/// it, whether that is computed in float32 or exactly. `down`: rather below the factor than above, so that a
/// place meant to be a whole number (17 / 1.7) is not just below it.
float rounded_factor(const Size& size, double factor, bool down) {
  const auto rounded = static_cast<float>(factor);
  if (!size.is_number()) return rounded;
  const auto n = static_cast<double>(size.number);
  const float below = std::nextafter(rounded, 0.0f);
  const float above = std::nextafter(rounded, std::numeric_limits<float>::infinity());
  const bool lower_first = down && static_cast<double>(rounded) > factor;
  for (float candidate : {lower_first ? below : rounded, rounded, above, below}) {
    const double exact = std::floor(n * static_cast<double>(candidate));
    const float single = std::floor(static_cast<float>(size.number) * candidate);
    const double wanted = std::floor(n * factor);
    if (exact == wanted && static_cast<double>(single) == wanted) return candidate;
  }
  return rounded;
}

/// Resize to a size: the factors follow from it.
Status resize_to(LowerContext& context, ValueId x, std::vector<Size> sizes, const std::vector<Size>& wanted,
                 const Upsampling& how) {
  if (wanted.size() + 2 != sizes.size())
    return context.unsupported("an output size that does not fit the input");
  std::copy(wanted.begin(), wanted.end(), sizes.begin() + 2);
  const ValueId sizes_value = TENON_TRY(size_vector(context, sizes));
  return context.finish(Op::kResize, {x, kNoValue, kNoValue, sizes_value}, resize_attributes(how));
}

/// Resize by factors, that also say how far apart the samples lie. With aligned corners the output size alone
/// says that, and ONNX leaves open how a factor that gives a fraction is meant.
Status resize_by(LowerContext& context, ValueId x, const std::vector<Size>& sizes,
                 const std::vector<double>& factors, const Upsampling& how) {
  if (factors.size() + 2 != sizes.size())
    return context.unsupported("a number of factors that does not fit the input");
  if (how.align_corners) {
    std::vector<Size> wanted;
    for (size_t i = 0; i < factors.size(); ++i)
      wanted.push_back(TENON_TRY(scaled_size(context, sizes[i + 2], factors[i])));
    return resize_to(context, x, sizes, wanted, how);
  }
  const bool nearest = how.filter == Filter::kNearest || how.filter == Filter::kNearestExact;
  std::vector<float> scales{1, 1};
  for (size_t i = 0; i < factors.size(); ++i)
    scales.push_back(rounded_factor(sizes[i + 2], factors[i], nearest));
  const ValueId scales_value = context.builder().constant(Tensor::from_floats(scales));
  return context.finish(Op::kResize, {x, kNoValue, scales_value}, resize_attributes(how));
}

template <Filter kFilter, bool kAntialias>
Result<Upsampling> upsampling_of(LowerContext& context) {
  Upsampling how{kFilter, false, kAntialias};
  if (kFilter == Filter::kLinear || kFilter == Filter::kCubic)
    how.align_corners = TENON_TRY(context.args().boolean("align_corners"));
  if (how.antialias && how.align_corners)
    return context.unsupported("resizing with antialias and aligned corners");
  return how;
}

/// The overloads of the training dialect: either an output size or factors.
template <Filter kFilter, bool kAntialias = false>
Status lower_upsample(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  const Upsampling how = TENON_TRY((upsampling_of<kFilter, kAntialias>(context)));
  const ValueId x = TENON_TRY(context.tensor("input"));
  const std::vector<Size> sizes = TENON_TRY(sizes_of(context, x));
  if (args.has("scale_factors"))
    if (const auto factors = TENON_TRY(args.optional_numbers("scale_factors")))
      return resize_by(context, x, sizes, *factors, how);
  const std::vector<Size> wanted = TENON_TRY(size_list(context, TENON_TRY(args.sym_items("output_size"))));
  return resize_to(context, x, sizes, wanted, how);
}

/// The overloads of the ATEN dialect: the output size is there, and where the user gave factors, these too.
template <Filter kFilter, bool kAntialias = false>
Status lower_upsample_to(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  const Upsampling how = TENON_TRY((upsampling_of<kFilter, kAntialias>(context)));
  const ValueId x = TENON_TRY(context.tensor("self"));
  const std::vector<Size> sizes = TENON_TRY(sizes_of(context, x));
  std::vector<double> factors;
  for (const char* name : {"scales", "scales_d", "scales_h", "scales_w"})
    if (args.has(name)) factors.push_back(TENON_TRY(args.number(name)));
  if (!factors.empty() && !how.align_corners) return resize_by(context, x, sizes, factors, how);
  const std::vector<Size> wanted = TENON_TRY(size_list(context, TENON_TRY(args.sym_items("output_size"))));
  return resize_to(context, x, sizes, wanted, how);
}

// Samples at the normalised places of a grid, which PyTorch and ONNX order alike.
Status lower_grid_sampler(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("input"));
  const ValueId grid = TENON_TRY(context.cast(TENON_TRY(context.tensor("grid")), context.element(x)));
  const int64_t mode = TENON_TRY(context.args().integer("interpolation_mode"));
  const int64_t border = TENON_TRY(context.args().integer("padding_mode"));
  if (mode < 0 || mode > 2 || border < 0 || border > 2) return context.unsupported("this mode of sampling");
  constexpr const char* kModes[] = {"linear", "nearest", "cubic"};
  constexpr const char* kBorders[] = {"zeros", "border", "reflection"};
  const int64_t align = TENON_TRY(context.args().boolean("align_corners")) ? 1 : 0;
  return context.finish(Op::kGridSample, {x, grid},
                        {{"mode", std::string(kModes[mode])},
                         {"padding_mode", std::string(kBorders[border])},
                         {"align_corners", align}});
}

constexpr Handler kHandlers[] = {
    {"aten.grid_sampler.default", lower_grid_sampler},
    {"aten.grid_sampler_2d.default", lower_grid_sampler},
    {"aten.grid_sampler_3d.default", lower_grid_sampler},
    {"aten.upsample_nearest1d.vec", lower_upsample<Filter::kNearest>},
    {"aten.upsample_nearest1d.default", lower_upsample_to<Filter::kNearest>},
    {"aten._upsample_nearest_exact1d.vec", lower_upsample<Filter::kNearestExact>},
    {"aten._upsample_nearest_exact1d.default", lower_upsample_to<Filter::kNearestExact>},
    {"aten.upsample_nearest2d.vec", lower_upsample<Filter::kNearest>},
    {"aten.upsample_nearest2d.default", lower_upsample_to<Filter::kNearest>},
    {"aten._upsample_nearest_exact2d.vec", lower_upsample<Filter::kNearestExact>},
    {"aten._upsample_nearest_exact2d.default", lower_upsample_to<Filter::kNearestExact>},
    {"aten.upsample_nearest3d.vec", lower_upsample<Filter::kNearest>},
    {"aten.upsample_nearest3d.default", lower_upsample_to<Filter::kNearest>},
    {"aten._upsample_nearest_exact3d.vec", lower_upsample<Filter::kNearestExact>},
    {"aten._upsample_nearest_exact3d.default", lower_upsample_to<Filter::kNearestExact>},
    {"aten.upsample_linear1d.vec", lower_upsample<Filter::kLinear>},
    {"aten.upsample_linear1d.default", lower_upsample_to<Filter::kLinear>},
    {"aten.upsample_bilinear2d.vec", lower_upsample<Filter::kLinear>},
    {"aten.upsample_bilinear2d.default", lower_upsample_to<Filter::kLinear>},
    {"aten.upsample_trilinear3d.vec", lower_upsample<Filter::kLinear>},
    {"aten.upsample_trilinear3d.default", lower_upsample_to<Filter::kLinear>},
    {"aten.upsample_bicubic2d.vec", lower_upsample<Filter::kCubic>},
    {"aten.upsample_bicubic2d.default", lower_upsample_to<Filter::kCubic>},
    {"aten._upsample_bilinear2d_aa.vec", lower_upsample<Filter::kLinear, true>},
    {"aten._upsample_bilinear2d_aa.default", lower_upsample_to<Filter::kLinear, true>},
    {"aten._upsample_bicubic2d_aa.vec", lower_upsample<Filter::kCubic, true>},
    {"aten._upsample_bicubic2d_aa.default", lower_upsample_to<Filter::kCubic, true>},
};

}  // namespace

std::span<const Handler> sampling_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
