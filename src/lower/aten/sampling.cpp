// Padding and upsampling.
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

Status lower_pad(LowerContext& context) {
  const std::string mode = TENON_TRY(context.args().string("mode"));
  if (mode == "reflect") return build_pad(context, "reflect", kNoValue);
  if (mode == "replicate") return build_pad(context, "edge", kNoValue);
  if (mode == "circular") return build_pad(context, "wrap", kNoValue);
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

// The .vec overloads: an output size, or factors that also say how far apart the samples lie.
Status build_upsample(LowerContext& context, const std::string& mode, bool align_corners) {
  const ValueId x = TENON_TRY(context.tensor("input"));
  Attributes attributes{{"mode", mode}};
  attributes.set("coordinate_transformation_mode", mode == "nearest" ? std::string("asymmetric")
                                                   : align_corners   ? std::string("align_corners")
                                                                     : std::string("half_pixel"));
  if (mode == "nearest") attributes.set("nearest_mode", std::string("floor"));
  if (mode == "cubic") attributes.set("cubic_coeff_a", -0.75f);
  if (const auto factors = TENON_TRY(context.args().optional_numbers("scale_factors"))) {
    std::vector<float> scales{1, 1};
    for (double factor : *factors) scales.push_back(static_cast<float>(factor));
    const ValueId scales_value = context.builder().constant(Tensor::from_floats(scales));
    return context.finish(Op::kResize, {x, kNoValue, scales_value}, attributes);
  }
  std::vector<Size> sizes = TENON_TRY(sizes_of(context, x));
  const auto wanted = TENON_TRY(size_list(context, TENON_TRY(context.args().sym_items("output_size"))));
  if (wanted.size() + 2 != sizes.size())
    return context.unsupported("an output size that does not fit the input");
  for (size_t i = 0; i < wanted.size(); ++i) sizes[i + 2] = wanted[i];
  return context.finish(
      Op::kResize, { x, kNoValue, kNoValue, TENON_TRY(size_vector(context, sizes)) }, attributes);
}

Status lower_upsample_nearest(LowerContext& context) {
  return build_upsample(context, "nearest", false);
}
Status lower_upsample_linear(LowerContext& context) {
  return build_upsample(context, "linear", TENON_TRY(context.args().boolean("align_corners")));
}
Status lower_upsample_cubic(LowerContext& context) {
  return build_upsample(context, "cubic", TENON_TRY(context.args().boolean("align_corners")));
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
    {"aten.upsample_nearest1d.vec", lower_upsample_nearest},
    {"aten.upsample_nearest2d.vec", lower_upsample_nearest},
    {"aten.upsample_nearest3d.vec", lower_upsample_nearest},
    {"aten.upsample_linear1d.vec", lower_upsample_linear},
    {"aten.upsample_bilinear2d.vec", lower_upsample_linear},
    {"aten.upsample_trilinear3d.vec", lower_upsample_linear},
    {"aten.upsample_bicubic2d.vec", lower_upsample_cubic},
};

}  // namespace

std::span<const Handler> sampling_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
