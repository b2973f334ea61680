#include <algorithm>
#include <cmath>

#include "ops/core/infer.h"
#include "ops/resize/resize.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Attributes asymmetric(const std::string& mode, std::string_view nearest_mode) {
  return {{"mode", mode},
          {"coordinate_transformation_mode", std::string("asymmetric")},
          {"nearest_mode", std::string(nearest_mode)}};
}

// Resize of version 10 and Upsample. Mode nearest rounds down along an axis that grows and up along one that
// shrinks (onnxruntime's ResizeNearestMode::SIMPLE; the standard says nothing).
// Scales that the model computes are taken for growing ones.
Status finish_asymmetric(UpgradeContext& context, std::string mode, ValueId scales) {
  if (mode == "bilinear" || mode == "trilinear") mode = "linear";
  const ValueId x = context.input(0);
  const Tensor* known = context.builder().graph().constant(scales);
  if (mode != "nearest" || known == nullptr)
    return context.finish(Op::kResize, {x, kNoValue, scales}, asymmetric(mode, "floor"));
  std::vector<float> grow, shrink;
  for (double scale : to_doubles(*known)) {
    grow.push_back(static_cast<float>(std::max(scale, 1.0)));
    shrink.push_back(static_cast<float>(std::min(scale, 1.0)));
  }
  const auto is_one = [](float scale) { return scale == 1; };
  if (std::ranges::all_of(shrink, is_one))
    return context.finish(Op::kResize, {x, kNoValue, scales}, asymmetric(mode, "floor"));
  if (std::ranges::all_of(grow, is_one))
    return context.finish(Op::kResize, {x, kNoValue, scales}, asymmetric(mode, "ceil"));
  const ValueId grown =
      TENON_TRY(context.add(Op::kResize, {x, kNoValue, context.builder().constant(Tensor::from_floats(grow))},
                            asymmetric(mode, "floor")));
  return context.finish(Op::kResize,
                        {grown, kNoValue, context.builder().constant(Tensor::from_floats(shrink))},
                        asymmetric(mode, "ceil"));
}

}  // namespace

Status upgrade_resize(UpgradeContext& context) {
  if (context.since_version() == 10)
    return finish_asymmetric(context, context.attributes().string("mode", "nearest"), context.input(1));
  // Versions 11 and 12 have empty tensors where later ones leave inputs out.
  std::vector<ValueId> inputs = context.inputs();
  for (size_t i = 1; i < inputs.size(); ++i)
    if (const Tensor* constant = context.constant(i); constant && constant->size() == 0) inputs[i] = kNoValue;
  return context.finish(Op::kResize, std::move(inputs), context.attributes());
}

Status upgrade_upsample(UpgradeContext& context) {
  const Attributes& attributes = context.attributes();
  const std::string mode = attributes.string("mode", "nearest");
  if (context.since_version() >= 9) return finish_asymmetric(context, mode, context.input(1));
  std::vector<float> scales = attributes.reals("scales");
  if (context.since_version() == 1)
    scales = {1, 1, attributes.real("height_scale"), attributes.real("width_scale")};
  return finish_asymmetric(context, mode, context.builder().constant(Tensor::from_floats(scales)));
}

namespace {

struct ScaledInputs {
  std::string roi, scales, sizes;  // "" when not given
};

// Scales or sizes for all axes, where the opset has no axes attribute.
Result<ScaledInputs> inputs_of_all_axes(EmitContext& context, const std::vector<int64_t>& given_axes,
                                        bool scaled) {
  const auto& shape = context.input_type(0).shape;
  if (!shape) return context.unsupported(18, "axes of a tensor of unknown rank");
  const auto rank = static_cast<int64_t>(shape->size());
  std::vector<int64_t> axes;
  for (int64_t axis : given_axes) axes.push_back(TENON_TRY(normalize_axis(axis, rank)));
  const std::string where = context.constant(Tensor::from_ints(axes), "axes");
  ScaledInputs inputs;
  if (scaled) {
    std::vector<float> ones(shape->size(), 1.0f);
    if (const Tensor* scales = context.constant(2);
        scales && scales->size() == static_cast<int64_t>(axes.size())) {
      for (size_t i = 0; i < axes.size(); ++i) ones[static_cast<size_t>(axes[i])] = scales->data<float>()[i];
      inputs.scales = context.constant(Tensor::from_floats(ones), "scales");
    } else {
      inputs.scales = TENON_TRY(context.add(
          "ScatterElements", {context.constant(Tensor::from_floats(ones), "scales"), where, context.input(2)},
          {}, DataType::kFloat32));
    }
    return inputs;
  }
  const Tensor* sizes = context.constant(3);
  if (const auto known = constant_shape(*shape); known && sizes) {
    std::vector<int64_t> all = *known;
    const std::vector<int64_t> some = to_ints(*sizes);
    for (size_t i = 0; i < axes.size() && i < some.size(); ++i) all[static_cast<size_t>(axes[i])] = some[i];
    inputs.sizes = context.constant(Tensor::from_ints(all), "sizes");
    return inputs;
  }
  const std::string all = TENON_TRY(context.add("Shape", {context.input(0)}, {}, DataType::kInt64));
  inputs.sizes =
      TENON_TRY(context.add("ScatterElements", {all, where, context.input(3)}, {}, DataType::kInt64));
  return inputs;
}

// Scales that give the sizes asked for under floor(input * scale), when the shapes are known.
Result<std::vector<float>> scales_of(EmitContext& context, int needs_opset) {
  if (const Tensor* scales = context.constant(2); scales && context.attributes().integers("axes").empty()) {
    const auto values = scales->span<float>();
    return std::vector<float>(values.begin(), values.end());
  }
  const auto &x = context.input_type(0).shape, &y = context.output_type(0).shape;
  if (!x || !y || x->size() != y->size()) return context.unsupported(needs_opset, "its scales are not known");
  std::vector<float> scales;
  for (size_t i = 0; i < x->size(); ++i) {
    if ((*x)[i] == (*y)[i]) {
      scales.push_back(1);
      continue;
    }
    const auto from = (*x)[i].constant(), to = (*y)[i].constant();
    if (!from || !to || *from == 0) return context.unsupported(needs_opset, "its scales are not known");
    scales.push_back(static_cast<float>(*to) / static_cast<float>(*from));
    if (std::floor(static_cast<float>(*from) * scales.back()) != static_cast<float>(*to))
      return context.unsupported(needs_opset, "no scale gives the size asked for");
  }
  return scales;
}

// Resize of version 10, and Upsample before: asymmetric coordinates, and mode nearest as in
// finish_asymmetric.
Status emit_asymmetric(EmitContext& context, const ResizeOptions& options) {
  const bool nearest = options.mode == ResizeMode::kNearest;
  if (options.mode == ResizeMode::kCubic) return context.unsupported(11, "mode cubic");
  if (options.coordinates != Coordinates::kAsymmetric ||
      (nearest && options.nearest != NearestMode::kFloor && options.nearest != NearestMode::kCeil) ||
      options.exclude_outside)
    return context.unsupported(11, "older versions know asymmetric coordinates rounded down only");
  if (nearest) {
    const bool grows = options.nearest == NearestMode::kFloor;
    for (float scale : TENON_TRY(scales_of(context, 11)))
      if (grows ? scale < 1 : scale > 1)
        return context.unsupported(11, "older versions round down what grows and up what shrinks");
  }
  const Attributes mode = {{"mode", std::string(nearest ? "nearest" : "linear")}};
  if (context.opset() >= 9 && context.has_input(2) && options.axes.empty())
    return context.finish(context.opset() >= 10 ? "Resize" : "Upsample", {context.input(0), context.input(2)},
                          mode);
  const std::vector<float> scales = TENON_TRY(scales_of(context, 11));
  if (context.opset() < 10)
    for (float scale : scales)
      if (scale < 1) return context.unsupported(10, "it makes an axis smaller");
  if (context.opset() >= 9)
    return context.finish(context.opset() >= 10 ? "Resize" : "Upsample",
                          {context.input(0), context.constant(Tensor::from_floats(scales), "scales")}, mode);
  Attributes attributes = mode;
  attributes.set("scales", scales);
  return context.finish("Upsample", {context.input(0)}, attributes);
}

}  // namespace

Status emit_resize(EmitContext& context) {
  const ResizeOptions options = TENON_TRY(read_resize_options(context.attributes()));
  const int opset = context.opset();
  if (options.coordinates == Coordinates::kTfHalfPixelForNn && opset != 11 && opset != 12)
    return fail(ErrorCode::kUnsupported, "tf_half_pixel_for_nn exists in opsets 11 and 12 only");
  if (options.coordinates == Coordinates::kHalfPixelSymmetric && opset < 19)
    return context.unsupported(19, "half_pixel_symmetric");
  if (opset >= 18) return emit_unchanged(context);
  if (options.antialias) return context.unsupported(18, "antialias");
  if (options.policy != AspectPolicy::kStretch) return context.unsupported(18, "keep_aspect_ratio_policy");
  if (opset < 11) return emit_asymmetric(context, options);

  Attributes attributes = context.attributes();
  for (const char* name : {"antialias", "axes", "keep_aspect_ratio_policy"}) attributes.erase(name);
  const bool scaled = context.has_input(2) && !(context.constant(2) && context.constant(2)->size() == 0);
  ScaledInputs inputs;
  if (options.axes.empty()) {
    if (scaled)
      inputs.scales = context.input(2);
    else
      inputs.sizes = context.input(3);
    if (context.has_input(1)) inputs.roi = context.input(1);
  } else {
    if (options.coordinates == Coordinates::kTfCropAndResize)
      return context.unsupported(18, "axes with a region of interest");
    inputs = TENON_TRY(inputs_of_all_axes(context, options.axes, scaled));
  }
  if (opset < 13) {  // roi and scales are required
    const std::string empty = context.constant(Tensor::from_floats({}), "empty");
    if (inputs.roi.empty()) inputs.roi = empty;
    if (inputs.scales.empty()) inputs.scales = empty;
  }
  std::vector<std::string> list = {context.input(0), inputs.roi, inputs.scales};
  if (!inputs.sizes.empty()) list.push_back(inputs.sizes);
  return context.finish("Resize", std::move(list), attributes);
}

}  // namespace tenon::ops
