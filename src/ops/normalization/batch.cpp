// BatchNormalization (ONNX Operators.md): by channel, with given statistics, or in training with those of the
// batch, which then also update the running ones.
#include "ops/core/op_def.h"
#include "ops/elementwise/kernels.h"
#include "ops/elementwise/map.h"
#include "ops/normalization/channel_norm.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// The input as batch x channels x inner elements. A vector has one channel.
struct Channels {
  int64_t batch = 1, channels = 1, inner = 1;
};

Channels channels_of(const Shape& shape) {
  Channels c;
  if (!shape.empty()) c.batch = shape[0];
  if (shape.size() > 1) c.channels = shape[1];
  for (size_t i = 2; i < shape.size(); ++i) c.inner *= shape[i];
  return c;
}

// Mean and population variance of each channel of the batch.
void batch_statistics(KernelContext& context, const Channels& c, std::vector<double>& mean,
                      std::vector<double>& variance) {
  const Tensor& input = context.input(0);
  context.parallel_for(c.channels, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> row(static_cast<size_t>(c.inner));
    const auto count = static_cast<double>(c.batch * c.inner);
    for (int64_t channel = begin; channel < end; ++channel) {
      auto accumulate = [&](auto&& term) {
        double sum = 0;
        for (int64_t n = 0; n < c.batch; ++n) {
          load_elements<double>(input.type(), input.raw(), (n * c.channels + channel) * c.inner, c.inner,
                                row.data());
          for (double value : row) sum += term(value);
        }
        return sum / count;
      };
      const auto at = static_cast<size_t>(channel);
      mean[at] = accumulate([](double value) { return value; });
      variance[at] = accumulate([m = mean[at]](double value) { return (value - m) * (value - m); });
    }
  });
}

void store_running(KernelContext& context, size_t output, const std::vector<double>& running,
                   const std::vector<double>& current) {
  if (!context.wants_output(output)) return;
  const double momentum = context.attributes().real("momentum", 0.9F);
  const Tensor& old = context.input(output + 2);
  Tensor& out = context.output(output, old.type(), old.shape());
  for (size_t i = 0; i < running.size(); ++i)
    store_element(out, static_cast<int64_t>(i), running[i] * momentum + current[i] * (1 - momentum));
}

Status reference_batch_normalization(KernelContext& context) {
  const Tensor& input = context.input(0);
  const Channels c = channels_of(input.shape());
  for (size_t i = 1; i < 5; ++i)
    if (context.input(i).size() != c.channels)
      return fail(ErrorCode::kMismatch, "input {} has shape {}, not [{}]", i,
                  to_string(context.input(i).shape()), c.channels);
  const std::vector<double> scale = to_doubles(context.input(1));
  const std::vector<double> bias = to_doubles(context.input(2));
  std::vector<double> mean = to_doubles(context.input(3));
  std::vector<double> variance = to_doubles(context.input(4));
  if (context.attributes().integer("training_mode", 0) != 0) {
    const std::vector<double> running_mean = mean;
    const std::vector<double> running_variance = variance;
    batch_statistics(context, c, mean, variance);
    store_running(context, 1, running_mean, mean);
    store_running(context, 2, running_variance, variance);
  } else if (context.wants_output(1) || context.wants_output(2)) {
    return fail(ErrorCode::kInvalidModel, "running statistics are outputs in training only");
  }

  const ChannelNorm norm(scale, bias, std::move(mean), variance, context.attributes());
  Tensor& output = context.output(0, input.type(), input.shape());
  context.parallel_for(input.size(), kMapGrain, [&](int64_t begin, int64_t end) {
    double values[kMapChunk];
    for (int64_t at = begin; at < end; at += kMapChunk) {
      const int64_t count = std::min(kMapChunk, end - at);
      load_elements<double>(input.type(), input.raw(), at, count, values);
      for (int64_t i = 0; i < count;) {
        const int64_t row = (at + i) / c.inner;
        const auto channel = static_cast<size_t>(row % c.channels);
        const int64_t stop = std::min(count, (row + 1) * c.inner - at);
        for (; i < stop; ++i) values[i] = norm.apply(channel, values[i]);
      }
      store_elements<double>(output.type(), output.mutable_raw(), at, count, values);
    }
  });
  return {};
}

Status infer_batch_normalization(InferContext& context) {
  TENON_TRY(infer_same_as_first(context));
  const SymShape* shape = context.shape(0);
  for (size_t i = 1; i < context.output_count(); ++i) {
    if (!context.has_output(i)) continue;
    if (i > 2) return fail(ErrorCode::kInvalidModel, "BatchNormalization has at most three outputs");
    std::optional<SymShape> channels;
    if (shape != nullptr) channels = SymShape{shape->size() > 1 ? (*shape)[1] : SymInt(1)};
    context.set_output(i, context.element(3), std::move(channels));
  }
  return {};
}

// Opset 14 made training a mode. Before 7 it was the lack of is_test, from 7 on the presence of more outputs.
Status upgrade_batch_normalization(UpgradeContext& context) {
  if (context.since_version() >= 14) return upgrade_unchanged(context);
  const Attributes& old = context.attributes();
  if (old.integer("spatial", 1) == 0)
    return fail(ErrorCode::kUnsupported, "BatchNormalization with spatial=0 is not supported");
  const bool training = context.since_version() < 7 ? old.integer("is_test", 0) == 0
                                                    : context.has_output(1) || context.has_output(2);
  if (context.has_output(3) || context.has_output(4))
    return fail(ErrorCode::kUnsupported, "the saved statistics of BatchNormalization are not supported");
  std::vector<ValueId> outputs = context.outputs();
  outputs.resize(std::min<size_t>(outputs.size(), training ? 3 : 1));
  return context.finish(Op::kBatchNormalization, context.inputs(),
                        {{"epsilon", old.real("epsilon", 1e-5F)},
                         {"momentum", old.real("momentum", 0.9F)},
                         {"training_mode", int64_t{training}}},
                        std::move(outputs));
}

Status emit_batch_normalization(EmitContext& context) {
  const DataType type = context.input_type(0).element;
  bool one_type = true;
  for (size_t i = 1; i < 5; ++i) one_type = one_type && context.input_type(i).element == type;
  if (context.opset() >= 15 || (context.opset() == 14 && one_type)) return emit_unchanged(context);
  if (!one_type) return context.unsupported(15, "statistics of another type than the input");
  if (context.attributes().integer("training_mode", 0) != 0) return context.unsupported(14, "training_mode");
  if (type == DataType::kBFloat16) return context.unsupported(14, "bfloat16");
  Attributes attributes{{"epsilon", context.attributes().real("epsilon", 1e-5F)},
                        {"momentum", context.attributes().real("momentum", 0.9F)}};
  if (context.opset() < 7) attributes.set("is_test", int64_t{1});
  return context.finish("BatchNormalization", context.inputs(), attributes, {context.output(0)});
}

}  // namespace

constinit const OpDef kBatchNormalization{.name = "BatchNormalization",
                                          .infer = infer_batch_normalization,
                                          .reference = reference_batch_normalization,
                                          .upgrade = upgrade_batch_normalization,
                                          .emit = emit_batch_normalization,
                                          .rows = kMapRows,
                                          .tolerance = {Tolerance::Kind::kSum, 4}};

}  // namespace tenon::ops
