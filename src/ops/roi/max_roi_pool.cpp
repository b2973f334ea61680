// MaxRoiPool (https://onnx.ai/onnx/operators/onnx__MaxRoiPool.html): the largest element of each bin of a
// region (batch, x1, y1, x2, y2), as in Fast R-CNN (Girshick, 2015). An empty bin gives 0.
#include <algorithm>
#include <cmath>

#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape *x = context.shape(0), *rois = context.shape(1);
  const std::vector<int64_t> pooled = context.attributes().integers("pooled_shape");
  if (pooled.size() != 2)
    return fail(ErrorCode::kInvalidModel, "pooled_shape has {} values, expected 2", pooled.size());
  context.set_output(0, context.element(0),
                     SymShape{rois && rois->size() == 2 ? (*rois)[0] : context.fresh_symbol(),
                              x && x->size() == 4 ? (*x)[1] : context.fresh_symbol(), pooled[0], pooled[1]});
  return {};
}

struct Range {
  int64_t begin, end;
};

// The elements of an axis that bin `i` of `count` covers.
Range bin_range(int64_t start, int64_t length, int64_t i, int64_t count, int64_t size) {
  const double step = static_cast<double>(length) / static_cast<double>(count);
  const auto low = static_cast<int64_t>(std::floor(static_cast<double>(i) * step));
  const auto high = static_cast<int64_t>(std::ceil(static_cast<double>(i + 1) * step));
  return {std::clamp<int64_t>(low + start, 0, size), std::clamp<int64_t>(high + start, 0, size)};
}

Status reference(KernelContext& context) {
  const Tensor &x = context.input(0), &rois = context.input(1);
  const std::vector<int64_t> pooled = context.attributes().integers("pooled_shape");
  const auto scale = static_cast<double>(context.attributes().real("spatial_scale", 1));
  if (x.rank() != 4 || rois.rank() != 2 || rois.dim(1) != 5 || pooled.size() != 2 || pooled[0] < 1 ||
      pooled[1] < 1)
    return fail(ErrorCode::kInvalidModel, "the shapes of X {} and rois {} do not fit",
                tenon::to_string(x.shape()), tenon::to_string(rois.shape()));
  const int64_t channels = x.dim(1), height = x.dim(2), width = x.dim(3);
  const Shape shape = {rois.dim(0), channels, pooled[0], pooled[1]};
  TENON_TRY(element_count(shape));
  Tensor& y = context.output(0, x.type(), shape);
  const std::vector<double> regions = to_doubles(rois);
  std::vector<double> plane(static_cast<size_t>(height * width));
  int64_t out = 0;
  for (int64_t n = 0; n < rois.dim(0); ++n) {
    const double* roi = regions.data() + n * 5;
    if (!(roi[0] >= 0 && roi[0] < static_cast<double>(x.dim(0))))
      return fail(ErrorCode::kInvalidModel, "rois names image {}, X has {}", roi[0], x.dim(0));
    int64_t corner[4];
    for (int i = 0; i < 4; ++i) {
      const double at = std::round(roi[i + 1] * scale);
      if (!(std::fabs(at) < 1e12)) return fail(ErrorCode::kInvalidModel, "rois holds {}", roi[i + 1]);
      corner[i] = static_cast<int64_t>(at);
    }
    const int64_t roi_width = std::max<int64_t>(corner[2] - corner[0] + 1, 1);
    const int64_t roi_height = std::max<int64_t>(corner[3] - corner[1] + 1, 1);
    for (int64_t c = 0; c < channels; ++c) {
      load_elements<double>(x.type(), x.raw(), (static_cast<int64_t>(roi[0]) * channels + c) * height * width,
                            height * width, plane.data());
      for (int64_t ph = 0; ph < pooled[0]; ++ph)
        for (int64_t pw = 0; pw < pooled[1]; ++pw) {
          const Range rows = bin_range(corner[1], roi_height, ph, pooled[0], height);
          const Range columns = bin_range(corner[0], roi_width, pw, pooled[1], width);
          const bool empty = rows.begin >= rows.end || columns.begin >= columns.end;
          double best = empty ? 0 : -HUGE_VAL;
          for (int64_t i = rows.begin; i < rows.end; ++i)
            for (int64_t j = columns.begin; j < columns.end; ++j)
              best = std::max(best, plane[static_cast<size_t>(i * width + j)]);
          store_elements<double>(y.type(), y.mutable_raw(), out++, 1, &best);
        }
    }
  }
  return {};
}

}  // namespace

constinit const OpDef kMaxRoiPool{
    .name = "MaxRoiPool",
    .infer = infer,
    .reference = reference,
};

}  // namespace tenon::ops
