// Padding and upsampling.
#include <cmath>

#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

// PyTorch lists pads from the last dimension inwards, ONNX all beginnings and then all ends.
Status build_pad(LowerContext& context, const std::string& mode, ValueId value) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const auto rank = static_cast<size_t>(TENON_TRY(context.rank(x)));
  const bool plain = context.args().has("pad");
  const auto given = TENON_TRY(context.args().integers(plain ? "pad" : "padding"));
  std::vector<int64_t> pads(2 * rank, 0);
  for (size_t i = 0; i + 1 < given.size() && i / 2 < rank; i += 2) {
    pads[rank - 1 - i / 2] = given[i];
    pads[2 * rank - 1 - i / 2] = given[i + 1];
  }
  std::vector<ValueId> inputs{x, context.ints(pads)};
  if (value != kNoValue) inputs.push_back(value);
  return context.finish(Op::kPad, std::move(inputs), {{"mode", mode}});
}

// Joins what lies at the other end: unlike Pad's mode wrap, which is of opset 19, every opset has that.
Status build_circular_pad(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(x));
  const auto given = TENON_TRY(context.args().integers("pad"));
  for (size_t i = 0; i + 1 < given.size(); i += 2) {
    const int64_t axis = rank - 1 - static_cast<int64_t>(i / 2), before = given[i], after = given[i + 1];
    if (before < 0 || after < 0) return context.unsupported("circular padding by a negative number");
    std::vector<ValueId> parts{x};
    if (before > 0) parts.insert(parts.begin(), TENON_TRY(slice(context, x, axis, -before, kToEnd)));
    if (after > 0) parts.push_back(TENON_TRY(slice(context, x, axis, 0, after)));
    if (parts.size() > 1) x = TENON_TRY(context.add(Op::kConcat, parts, {{"axis", axis}}));
  }
  return context.finish(Op::kIdentity, {x});
}

Status lower_pad(LowerContext& context) {
  const std::string mode = TENON_TRY(context.args().string("mode"));
  if (mode == "reflect") return build_pad(context, "reflect", kNoValue);
  if (mode == "replicate") return build_pad(context, "edge", kNoValue);
  if (mode == "circular") return build_circular_pad(context);
  const ValueId x = TENON_TRY(context.tensor("self"));
  const double value = TENON_TRY(context.args().optional_number("value"))
  .value_or(0);
  return build_pad(context, "constant", context.number(context.element(x), value));
}

Status lower_constant_pad(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  return build_pad(context, "constant", TENON_TRY(context.scalar("value", context.element(x))));
}

Status lower_reflection_pad(LowerContext& context) {
  return build_pad(context, "reflect", kNoValue);
}
Status lower_replication_pad(LowerContext& context) {
  return build_pad(context, "edge", kNoValue);
}

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

/// floor(size * factor) for each spatial dimension, the output size that PyTorch computes.
Result<std::vector<Size>> scaled_sizes(LowerContext& context, const std::vector<Size>& sizes,
                                       const std::vector<double>& factors) {
  std::vector<Size> scaled;
  for (size_t i = 0; i < factors.size(); ++i) {
    const Size& size = sizes[i + 2];
    if (!size.is_number())
      return context.unsupported(
          "resizing with aligned corners by a factor, of a dynamic size: give a size instead");
    scaled.emplace_back(static_cast<int64_t>(std::floor(static_cast<double>(size.number) * factors[i])));
  }
  return scaled;
}

// An output size, or factors that also say how far apart the samples lie. With aligned corners the output
// size alone says that, and ONNX leaves open how a factor that gives a fraction is meant.
Status build_upsample(LowerContext& context, std::string_view input, const Upsampling& how) {
  const ValueId x = TENON_TRY(context.tensor(input));
  std::vector<Size> sizes = TENON_TRY(sizes_of(context, x));
  const auto factors =
      context.args().has("scale_factors") ? TENON_TRY(context.args().optional_numbers("scale_factors"))
                           : std::nullopt;
                           std::vector<Size> wanted;
                           if (factors && factors->size() + 2 == sizes.size() && how.align_corners) {
                             wanted = TENON_TRY(scaled_sizes(context, sizes, *factors));
                           } else if (factors) {
                             std::vector<float> scales{1, 1};
                             for (double factor : *factors) scales.push_back(static_cast<float>(factor));
                             const ValueId scales_value =
                                 context.builder().constant(Tensor::from_floats(scales));
                             return context.finish(Op::kResize, {x, kNoValue, scales_value},
                                                   resize_attributes(how));
                           } else {
                             wanted = TENON_TRY(
                                 size_list(context, TENON_TRY(context.args().sym_items("output_size"))));
                           }
                           if (wanted.size() + 2 != sizes.size())
                             return context.unsupported("an output size that does not fit the input");
                           for (size_t i = 0; i < wanted.size(); ++i) sizes[i + 2] = wanted[i];
                           const ValueId sizes_value = TENON_TRY(size_vector(context, sizes));
                           return context.finish(Op::kResize, {x, kNoValue, kNoValue, sizes_value},
                                                 resize_attributes(how));
}

template <Filter kFilter, bool kAntialias = false>
Status lower_upsample(LowerContext& context) {
  Upsampling how{kFilter, false, kAntialias};
  if (kFilter == Filter::kLinear || kFilter == Filter::kCubic)
    how.align_corners = TENON_TRY(context.args().boolean("align_corners"));
  if (how.antialias && how.align_corners)
    return context.unsupported("resizing with antialias and aligned corners");
  return build_upsample(context, "input", how);
}

// The overloads of the ATEN dialect: the output size is there, and where the user gave factors, these too.
template <Filter kFilter, bool kAntialias = false>
Status lower_upsample_to(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  for (std::string_view factor : {"scales", "scales_d", "scales_h", "scales_w"})
    if (args.has(factor))
      return context.unsupported(
          "a decomposed resize by a factor: export the program before run_decompositions()");
  Upsampling how{kFilter, false, kAntialias};
  if (kFilter == Filter::kLinear || kFilter == Filter::kCubic)
    how.align_corners = TENON_TRY(args.boolean("align_corners"));
  return build_upsample(context, "self", how);
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
  const int64_t align = TENON_TRY(context.args().boolean("align_corners"))
  ? 1 : 0;
  return context.finish(Op::kGridSample, {x, grid},
                        {{"mode", std::string(kModes[mode])},
                         {"padding_mode", std::string(kBorders[border])},
                         {"align_corners", align}});
}

constexpr Handler kHandlers[] = {
    {"aten.grid_sampler.default", lower_grid_sampler},
    {"aten.grid_sampler_2d.default", lower_grid_sampler},
    {"aten.grid_sampler_3d.default", lower_grid_sampler},
    {"aten.pad.default", lower_pad},
    {"aten.constant_pad_nd.default", lower_constant_pad},
    {"aten.reflection_pad1d.default", lower_reflection_pad},
    {"aten.reflection_pad2d.default", lower_reflection_pad},
    {"aten.reflection_pad3d.default", lower_reflection_pad},
    {"aten.replication_pad1d.default", lower_replication_pad},
    {"aten.replication_pad2d.default", lower_replication_pad},
    {"aten.replication_pad3d.default", lower_replication_pad},
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
