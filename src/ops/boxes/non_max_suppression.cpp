// NonMaxSuppression (https://onnx.ai/onnx/operators/onnx__NonMaxSuppression.html): for each image and class
// takes boxes by falling score (ties: the lower index first) and drops those that overlap a taken one.
#include <algorithm>
#include <cmath>

#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  context.set_output(0, DataType::kInt64, SymShape{context.fresh_symbol(), 3});
  return {};
}

struct Box {
  float x_min, x_max, y_min, y_max;
};

Box read_box(const float* values, bool centre) {
  if (centre) {
    const float half_width = values[2] / 2, half_height = values[3] / 2;
    return {values[0] - half_width, values[0] + half_width, values[1] - half_height, values[1] + half_height};
  }
  return {std::min(values[1], values[3]), std::max(values[1], values[3]), std::min(values[0], values[2]),
          std::max(values[0], values[2])};
}

bool overlaps(const Box& a, const Box& b, float threshold) {
  const float width = std::min(a.x_max, b.x_max) - std::max(a.x_min, b.x_min);
  const float height = std::min(a.y_max, b.y_max) - std::max(a.y_min, b.y_min);
  if (!(width > 0) || !(height > 0)) return false;
  const float both = width * height;
  const float area_a = (a.x_max - a.x_min) * (a.y_max - a.y_min),
              area_b = (b.x_max - b.x_min) * (b.y_max - b.y_min);
  const float either = area_a + area_b - both;
  if (!(both > 0) || !(area_a > 0) || !(area_b > 0) || !(either > 0)) return false;
  return both / either > threshold;
}

Status reference(KernelContext& context) {
  const Tensor &boxes = context.input(0), &scores = context.input(1);
  if (boxes.rank() != 3 || scores.rank() != 3 || boxes.dim(2) != 4 || boxes.dim(0) != scores.dim(0) ||
      boxes.dim(1) != scores.dim(2))
    return fail(ErrorCode::kInvalidModel, "boxes {} and scores {} do not fit together",
                tenon::to_string(boxes.shape()), tenon::to_string(scores.shape()));
  auto given = [&](size_t i) { return context.has_input(i) && context.input(i).size() > 0; };
  const int64_t most = given(2) ? context.input(2).data<int64_t>()[0] : 0;
  const float iou = given(3) ? context.input(3).data<float>()[0] : 0;
  if (!(iou >= 0 && iou <= 1)) return fail(ErrorCode::kInvalidModel, "iou_threshold is {}", iou);
  const bool centre = context.attributes().integer("center_point_box") != 0;
  const int64_t count = boxes.dim(1), classes = scores.dim(1);
  std::vector<int64_t> selected;
  for (int64_t b = 0; b < boxes.dim(0); ++b)
    for (int64_t c = 0; c < classes; ++c) {
      const float* score = scores.data<float>() + (b * classes + c) * count;
      std::vector<int64_t> order;
      for (int64_t i = 0; i < count; ++i)
        if (!std::isnan(score[i]) && (!given(4) || score[i] > context.input(4).data<float>()[0]))
          order.push_back(i);
      std::sort(order.begin(), order.end(),
                [&](int64_t i, int64_t j) { return score[i] != score[j] ? score[i] > score[j] : i < j; });
      std::vector<Box> taken;
      for (int64_t i : order) {
        if (static_cast<int64_t>(taken.size()) >= most) break;
        const Box box = read_box(boxes.data<float>() + (b * count + i) * 4, centre);
        if (std::any_of(taken.begin(), taken.end(),
                        [&](const Box& other) { return overlaps(box, other, iou); }))
          continue;
        taken.push_back(box);
        selected.insert(selected.end(), {b, c, i});
      }
    }
  Tensor& output = context.output(0, DataType::kInt64, {static_cast<int64_t>(selected.size()) / 3, 3});
  std::copy(selected.begin(), selected.end(), output.mutable_data<int64_t>());
  return {};
}

}  // namespace

constinit const OpDef kNonMaxSuppression{
    .name = "NonMaxSuppression",
    .infer = infer,
    .reference = reference,
};

}  // namespace tenon::ops
