// RoiAlign (https://onnx.ai/onnx/operators/onnx__RoiAlign.html): pools each region of interest into a grid of
// bins, sampling bilinearly. Mode max takes the largest weighted neighbour of all samples, as the
// specification's implementation does.
#include <algorithm>
#include <cmath>

#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape *x = context.shape(0), *rois = context.shape(1);
  const Attributes& attributes = context.attributes();
  context.set_output(0, context.element(0),
                     SymShape{rois && rois->size() == 2 ? (*rois)[0] : context.fresh_symbol(),
                              x && x->size() == 4 ? (*x)[1] : context.fresh_symbol(),
                              attributes.integer("output_height", 1), attributes.integer("output_width", 1)});
  return {};
}

// The four pixels around a sample and their weights; none outside of the image.
struct Sample {
  int64_t position[4];
  double weight[4];
};

Sample make_sample(double y, double x, int64_t height, int64_t width) {
  Sample sample{};
  if (!(y >= -1 && y <= static_cast<double>(height) && x >= -1 && x <= static_cast<double>(width)))
    return sample;
  auto split = [](double at, int64_t size, int64_t& low, int64_t& high, double& fraction) {
    at = std::max(at, 0.0);
    low = static_cast<int64_t>(at);
    if (low >= size - 1) {
      high = low = size - 1;
      fraction = 0;
    } else {
      high = low + 1;
      fraction = at - static_cast<double>(low);
    }
  };
  int64_t y0, y1, x0, x1;
  double ly, lx;
  split(y, height, y0, y1, ly);
  split(x, width, x0, x1, lx);
  const double hy = 1 - ly, hx = 1 - lx;
  return {{y0 * width + x0, y0 * width + x1, y1 * width + x0, y1 * width + x1},
          {hy * hx, hy * lx, ly * hx, ly * lx}};
}

struct Options {
  int64_t height, width, ratio;
  double scale, offset;
  bool average, half_pixel;
};

// The samples of one region, bin after bin; `per_bin` of them in each.
Result<std::vector<Sample>> region_samples(const Options& options, const double* roi, int64_t height,
                                           int64_t width, int64_t& per_bin) {
  const double x0 = roi[0] * options.scale - options.offset, y0 = roi[1] * options.scale - options.offset;
  double roi_width = roi[2] * options.scale - options.offset - x0;
  double roi_height = roi[3] * options.scale - options.offset - y0;
  if (!options.half_pixel) {
    roi_width = std::max(roi_width, 1.0);
    roi_height = std::max(roi_height, 1.0);
  }
  const double bin_h = roi_height / static_cast<double>(options.height);
  const double bin_w = roi_width / static_cast<double>(options.width);
  auto grid = [&](double bin) {
    return options.ratio > 0 ? static_cast<double>(options.ratio) : std::ceil(bin);
  };
  const double rows = std::max(grid(bin_h), 0.0), columns = std::max(grid(bin_w), 0.0);
  if (!(rows * columns * static_cast<double>(options.height * options.width) < 1e8))
    return fail(ErrorCode::kLimit, "a region of {} by {} takes too many samples", roi_height, roi_width);
  per_bin = static_cast<int64_t>(rows * columns);
  std::vector<Sample> samples;
  for (int64_t ph = 0; ph < options.height; ++ph)
    for (int64_t pw = 0; pw < options.width; ++pw)
      for (double iy = 0; iy < rows; ++iy)
        for (double ix = 0; ix < columns; ++ix)
          samples.push_back(make_sample(y0 + static_cast<double>(ph) * bin_h + (iy + 0.5) * bin_h / rows,
                                        x0 + static_cast<double>(pw) * bin_w + (ix + 0.5) * bin_w / columns,
                                        height, width));
  return samples;
}

double pool(const Options& options, const std::vector<double>& plane, const Sample* samples, int64_t count) {
  double result = 0;
  for (int64_t i = 0; i < count; ++i) {
    double value[4];
    for (int t = 0; t < 4; ++t)
      value[t] = samples[i].weight[t] * plane[static_cast<size_t>(samples[i].position[t])];
    if (options.average) {
      result += value[0] + value[1] + value[2] + value[3];
    } else {
      const double largest = *std::max_element(value, value + 4);
      result = i == 0 ? largest : std::max(result, largest);
    }
  }
  return options.average ? result / static_cast<double>(std::max<int64_t>(count, 1)) : result;
}

Status reference(KernelContext& context) {
  const Tensor &x = context.input(0), &rois = context.input(1), &batches = context.input(2);
  const Attributes& attributes = context.attributes();
  const bool half_pixel = attributes.string("coordinate_transformation_mode", "half_pixel") == "half_pixel";
  const Options options{attributes.integer("output_height", 1),
                        attributes.integer("output_width", 1),
                        attributes.integer("sampling_ratio"),
                        static_cast<double>(attributes.real("spatial_scale", 1)),
                        half_pixel ? 0.5 : 0.0,
                        attributes.string("mode", "avg") == "avg",
                        half_pixel};
  if (x.rank() != 4 || rois.rank() != 2 || rois.dim(1) != 4 || batches.shape() != Shape{rois.dim(0)})
    return fail(ErrorCode::kInvalidModel, "the shapes of X {}, rois {} and batch_indices {} do not fit",
                tenon::to_string(x.shape()), tenon::to_string(rois.shape()),
                tenon::to_string(batches.shape()));
  if (options.height < 1 || options.width < 1 || options.height > 1 << 20 || options.width > 1 << 20)
    return fail(ErrorCode::kInvalidModel, "the output would be {} by {}", options.height, options.width);
  const int64_t channels = x.dim(1), height = x.dim(2), width = x.dim(3),
                bins = options.height * options.width;
  Tensor& y = context.output(0, x.type(), {rois.dim(0), channels, options.height, options.width});
  if (y.size() == 0) return {};
  if (height == 0 || width == 0)
    return fail(ErrorCode::kInvalidModel, "X is empty: there is nothing to sample");
  const std::vector<double> regions = to_doubles(rois);
  std::vector<double> plane(static_cast<size_t>(height * width)), result(static_cast<size_t>(bins));
  for (int64_t n = 0; n < rois.dim(0); ++n) {
    const int64_t batch = batches.data<int64_t>()[n];
    if (batch < 0 || batch >= x.dim(0))
      return fail(ErrorCode::kInvalidModel, "batch_indices holds {}, X has {} images", batch, x.dim(0));
    int64_t per_bin = 0;
    const std::vector<Sample> samples =
        TENON_TRY(region_samples(options, regions.data() + n * 4, height, width, per_bin));
    for (int64_t c = 0; c < channels; ++c) {
      load_elements<double>(x.type(), x.raw(), (batch * channels + c) * height * width, height * width,
                            plane.data());
      for (int64_t bin = 0; bin < bins; ++bin)
        result[static_cast<size_t>(bin)] = pool(options, plane, samples.data() + bin * per_bin, per_bin);
      store_elements<double>(y.type(), y.mutable_raw(), (n * channels + c) * bins, bins, result.data());
    }
  }
  return {};
}

// Version 10 had no half pixels.
Status upgrade(UpgradeContext& context) {
  Attributes attributes = context.attributes();
  if (context.since_version() < 16)
    attributes.set("coordinate_transformation_mode", std::string("output_half_pixel"));
  return context.finish(Op::kRoiAlign, context.inputs(), std::move(attributes));
}

Status emit(EmitContext& context) {
  if (context.opset() >= 16) return emit_unchanged(context);
  if (context.opset() < 10) return context.unsupported(10);
  Attributes attributes = context.attributes();
  if (attributes.string("coordinate_transformation_mode") == "half_pixel")
    return context.unsupported(16, "half pixels");
  attributes.erase("coordinate_transformation_mode");
  return context.finish("RoiAlign", context.inputs(), attributes);
}

}  // namespace

constinit const OpDef kRoiAlign{
    .name = "RoiAlign",
    .infer = infer,
    .reference = reference,
    .upgrade = upgrade,
    .emit = emit,
    .tolerance = {Tolerance::Kind::kSum, 64},
};

}  // namespace tenon::ops
