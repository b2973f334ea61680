// Convolutions, of one to three dimensions. Weights keep their names and bits.
#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

struct ConvParameters {
  std::vector<int64_t> strides, dilations, padding, output_padding;
  int64_t groups = 1;
  bool transposed = false;
};

Status build_conv(LowerContext& context, ConvParameters parameters, const std::string& auto_padding = "") {
  ValueId x = TENON_TRY(context.tensor("input"));
  const ValueId weight = TENON_TRY(context.tensor("weight"));
  const ValueId bias = TENON_TRY(context.optional_tensor("bias"));
  const SymShape weight_shape = TENON_TRY(context.known_shape(weight));
  const size_t spatial = weight_shape.size() - 2;
  const bool batched = TENON_TRY(context.rank(x)) == static_cast<int64_t>(weight_shape.size());
  if (!batched) x = TENON_TRY(unsqueeze(context, x, {0}));
  parameters.strides = spread(parameters.strides, spatial);
  parameters.dilations = spread(parameters.dilations, spatial);
  parameters.padding = spread(parameters.padding, spatial);
  parameters.output_padding = spread(parameters.output_padding, spatial);

  std::vector<int64_t> kernel, pads(2 * spatial, 0);
  for (size_t i = 0; i < spatial; ++i) {
    const auto size = weight_shape[i + 2].constant();
    if (!size) return context.unsupported("the size of the convolution's kernel is not fixed");
    kernel.push_back(*size);
    int64_t total = auto_padding == "same" ? parameters.dilations[i] * (*size - 1) : 0;
    pads[i] = auto_padding.empty() ? parameters.padding[i] : total / 2;
    pads[i + spatial] = auto_padding.empty() ? parameters.padding[i] : total - total / 2;
  }
  Attributes attributes{{"kernel_shape", kernel},
                        {"strides", parameters.strides},
                        {"dilations", parameters.dilations},
                        {"pads", pads},
                        {"group", parameters.groups}};
  if (parameters.transposed) attributes.set("output_padding", parameters.output_padding);
  std::vector<ValueId> inputs{x, weight};
  if (bias != kNoValue) inputs.push_back(bias);
  ValueId y = TENON_TRY(
      context.add(parameters.transposed ? Op::kConvTranspose : Op::kConv, std::move(inputs), attributes));
  if (!batched) y = TENON_TRY(squeeze(context, y, {0}));
  return context.finish(y);
}

// The arguments that every overload has.
Result<ConvParameters> common_parameters(const aten::ArgumentReader& args) {
  ConvParameters parameters;
  parameters.strides = TENON_TRY(args.integers("stride"));
  parameters.dilations = TENON_TRY(args.integers("dilation"));
  parameters.groups = TENON_TRY(args.integer("groups"));
  return parameters;
}

Status lower_conv(LowerContext& context) {
  ConvParameters parameters = TENON_TRY(common_parameters(context.args()));
  parameters.padding = TENON_TRY(context.args().integers("padding"));
  return build_conv(context, std::move(parameters));
}

// Padding by name: "same" or "valid".
Status lower_conv_padding(LowerContext& context) {
  ConvParameters parameters = TENON_TRY(common_parameters(context.args()));
  parameters.padding = {0};
  return build_conv(context, std::move(parameters), TENON_TRY(context.args().string("padding")));
}

Status lower_conv_transpose(LowerContext& context) {
  ConvParameters parameters = TENON_TRY(common_parameters(context.args()));
  parameters.padding = TENON_TRY(context.args().integers("padding"));
  parameters.output_padding = TENON_TRY(context.args().integers("output_padding"));
  parameters.transposed = true;
  return build_conv(context, std::move(parameters));
}

Status lower_convolution(LowerContext& context) {
  ConvParameters parameters = TENON_TRY(common_parameters(context.args()));
  parameters.padding = TENON_TRY(context.args().integers("padding"));
  parameters.output_padding = TENON_TRY(context.args().integers("output_padding"));
  parameters.transposed = TENON_TRY(context.args().boolean("transposed"));
  return build_conv(context, std::move(parameters));
}

constexpr Handler kHandlers[] = {
    {"aten.conv1d.default", lower_conv},
    {"aten.conv2d.default", lower_conv},
    {"aten.conv3d.default", lower_conv},
    {"aten.conv1d.padding", lower_conv_padding},
    {"aten.conv2d.padding", lower_conv_padding},
    {"aten.conv3d.padding", lower_conv_padding},
    {"aten.conv_transpose1d.default", lower_conv_transpose},
    {"aten.conv_transpose2d.input", lower_conv_transpose},
    {"aten.conv_transpose3d.input", lower_conv_transpose},
    {"aten.convolution.default", lower_convolution},
};

}  // namespace

std::span<const Handler> convolution_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
