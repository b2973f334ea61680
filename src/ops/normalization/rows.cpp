// Reference of the normalisations of rows, after ONNX's Operators.md: mean and variance of each row, then
// scale and bias by position in the row or by channel.
#include <cmath>

#include "ops/elementwise/broadcast.h"
#include "ops/normalization/normalization.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// How the input falls into rows, and where a row's scale and bias come from.
struct Rows {
  int64_t count = 1, length = 1;
  int64_t channel_length = 1;  // elements of one channel, for scale and bias by channel
  int64_t channels = 1;
  bool by_channel = false;  // else scale and bias broadcast to the input
  bool centred = true;      // whether the mean is taken off
};

Result<Rows> rows_of(const KernelContext& context) {
  const Node& node = context.node();
  const Shape& shape = context.input(0).shape();
  const auto rank = static_cast<int64_t>(shape.size());
  Rows rows;
  if (node.op == Op::kLayerNormalization || node.op == Op::kRMSNormalization) {
    const int64_t axis = TENON_TRY(normalize_axis(node.attributes.integer("axis", -1), rank));
    for (int64_t i = 0; i < rank; ++i) (i < axis ? rows.count : rows.length) *= shape[static_cast<size_t>(i)];
    rows.centred = node.op == Op::kLayerNormalization;
    return rows;
  }
  if (rank < 2) return fail(ErrorCode::kMismatch, "input of rank {} has no channels", rank);
  rows.by_channel = true;
  rows.channels = shape[1];
  for (size_t i = 2; i < shape.size(); ++i) rows.channel_length *= shape[i];
  const int64_t groups =
      node.op == Op::kGroupNormalization ? node.attributes.integer("num_groups") : rows.channels;
  if (groups < 0 || (groups == 0 ? rows.channels != 0 : rows.channels % groups != 0))
    return fail(ErrorCode::kMismatch, "{} channels do not fall into {} groups", rows.channels, groups);
  rows.count = shape[0] * groups;
  rows.length = groups == 0 ? 0 : rows.channels / groups * rows.channel_length;
  for (size_t i = 1; i <= 2; ++i)
    if (context.input(i).shape() != Shape{rows.channels})
      return fail(ErrorCode::kMismatch, "scale or bias has shape {}, not [{}]",
                  to_string(context.input(i).shape()), rows.channels);
  return rows;
}

// Normalises a row in place; returns mean and the inverse of the standard deviation.
std::pair<double, double> normalize_row(double* row, int64_t length, bool centred, double epsilon) {
  const auto n = static_cast<double>(length);
  double mean = 0;
  if (centred) {
    for (int64_t i = 0; i < length; ++i) mean += row[i];
    mean /= n;
  }
  double squares = 0;
  for (int64_t i = 0; i < length; ++i) {
    row[i] -= mean;
    squares += row[i] * row[i];
  }
  const double inverse = 1 / std::sqrt(squares / n + epsilon);
  for (int64_t i = 0; i < length; ++i) row[i] *= inverse;
  return {mean, inverse};
}

}  // namespace

Status reference_row_normalization(KernelContext& context) {
  const Tensor& input = context.input(0);
  const Rows rows = TENON_TRY(rows_of(context));
  const double epsilon = context.attributes().real("epsilon", 1e-5F);
  const bool has_bias = context.has_input(2);

  std::vector<Shape> shapes{input.shape()};
  for (size_t i = 1; i <= 2; ++i)
    if (!rows.by_channel && context.has_input(i)) shapes.push_back(context.input(i).shape());
  const BroadcastPlan plan = TENON_TRY(BroadcastPlan::make(shapes));
  if (plan.shape() != input.shape())
    return fail(ErrorCode::kMismatch, "scale or bias does not broadcast to {}", to_string(input.shape()));

  const bool rms = context.node().op == Op::kRMSNormalization;
  Tensor& output = context.output(0, rms ? context.input(1).type() : input.type(), input.shape());
  Tensor* saved[2] = {nullptr, nullptr};  // mean and inverse standard deviation
  if (context.node().op == Op::kLayerNormalization) {
    Shape shape = input.shape();
    const int64_t axis = context.attributes().integer("axis", -1);
    for (auto i = static_cast<size_t>(axis < 0 ? axis + input.rank() : axis); i < shape.size(); ++i)
      shape[i] = 1;
    const auto stash = static_cast<DataType>(context.attributes().integer("stash_type", 1));
    for (size_t i = 0; i < 2; ++i)
      if (context.wants_output(i + 1)) saved[i] = &context.output(i + 1, stash, shape);
  }
  std::vector<double> scale, bias;
  if (rows.by_channel) {
    scale = to_doubles(context.input(1));
    bias = to_doubles(context.input(2));
  }

  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(rows.length, 1));
  context.parallel_for(rows.count, grain, [&](int64_t begin, int64_t end) {
    const auto length = static_cast<size_t>(rows.length);
    std::vector<double> row(length);
    std::vector<double> factor(rows.by_channel ? 0 : length);
    std::vector<std::byte> normalized(output.type() == input.type() ? 0 : length * sizeof(double));
    for (int64_t r = begin; r < end; ++r) {
      const int64_t offset = r * rows.length;
      load_elements<double>(input.type(), input.raw(), offset, rows.length, row.data());
      const auto [mean, inverse] = normalize_row(row.data(), rows.length, rows.centred, epsilon);
      // RMSNormalization: “cast `Normalized` back to the original type of `X`”, which may be coarser than
      // Y's.
      if (output.type() != input.type()) {
        store_elements<double>(input.type(), normalized.data(), 0, rows.length, row.data());
        load_elements<double>(input.type(), normalized.data(), 0, rows.length, row.data());
      }
      if (saved[0] != nullptr) store_element(*saved[0], r, mean);
      if (saved[1] != nullptr) store_element(*saved[1], r, inverse);
      if (rows.by_channel) {
        for (int64_t i = 0; i < rows.length; i += rows.channel_length) {
          const auto channel = static_cast<size_t>((offset + i) / rows.channel_length % rows.channels);
          for (int64_t k = i; k < i + rows.channel_length; ++k)
            row[static_cast<size_t>(k)] = row[static_cast<size_t>(k)] * scale[channel] + bias[channel];
        }
      } else {
        plan.load<double>(1, context.input(1), offset, rows.length, factor.data());
        for (size_t i = 0; i < length; ++i) row[i] *= factor[i];
        if (has_bias) {
          plan.load<double>(2, context.input(2), offset, rows.length, factor.data());
          for (size_t i = 0; i < length; ++i) row[i] += factor[i];
        }
      }
      store_elements<double>(output.type(), output.mutable_raw(), offset, rows.length, row.data());
    }
  });
  return {};
}

Status infer_layer_normalization(InferContext& context) {
  TENON_TRY(infer_same_as_first(context));
  const int64_t stash = context.attributes().integer("stash_type", 1);
  if (stash <= 0 || stash >= kDataTypeCount || !is_float(static_cast<DataType>(stash)))
    return fail(ErrorCode::kInvalidModel, "stash_type {} is not a floating point type", stash);
  std::optional<SymShape> shape;
  if (context.shape(0) != nullptr) {
    shape = *context.shape(0);
    const int64_t axis = TENON_TRY(
        normalize_axis(context.attributes().integer("axis", -1), static_cast<int64_t>(shape->size())));
    for (auto i = static_cast<size_t>(axis); i < shape->size(); ++i) (*shape)[i] = 1;
  }
  for (size_t i = 1; i < 3; ++i)
    if (context.has_output(i)) context.set_output(i, static_cast<DataType>(stash), shape);
  return {};
}

Status infer_group_normalization(InferContext& context) {
  const int64_t groups = context.attributes().integer("num_groups");
  const SymShape* shape = context.shape(0);
  if (shape != nullptr && shape->size() >= 2) {
    const auto channels = (*shape)[1].constant();
    if (groups <= 0 || (channels && *channels % groups != 0))
      return fail(ErrorCode::kInvalidModel, "{} channels do not fall into {} groups", (*shape)[1].to_string(),
                  groups);
  }
  return infer_same_as_first(context);
}

Status infer_rms_normalization(InferContext& context) {
  std::optional<SymShape> shape;
  if (context.shape(0) != nullptr) shape = *context.shape(0);
  const DataType scale = context.element(1);
  context.set_output(0, scale == DataType::kUndefined ? context.element(0) : scale, std::move(shape));
  return {};
}

}  // namespace tenon::ops
