// References after ONNX's Operators.md. The quotient is rounded to the precision it is asked for (that of the
// scale, or the attribute `precision`) before it is rounded to an integer.
#include <algorithm>
#include <cmath>

#include "ops/elementwise/map.h"
#include "ops/quantize/quantize.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

double rounded_to(DataType type, double value) {
  if (type == DataType::kFloat32) return static_cast<float>(value);
  if (type == DataType::kFloat16) return float16_to_float(double_to_float16(value));
  if (type == DataType::kBFloat16) return bfloat16_to_float(double_to_bfloat16(value));
  return value;
}

struct Range {
  double low, high;
};
Range integer_range(DataType type) {
  const int bits = element_bits(type);
  if (compute_kind(type) == ComputeKind::kUnsigned) return {0, std::ldexp(1.0, bits) - 1};
  return {-std::ldexp(1.0, bits - 1), std::ldexp(1.0, bits - 1) - 1};
}

Result<std::vector<double>> zero_points(const KernelContext& context) {
  if (!context.has_input(2)) return std::vector<double>{};
  if (context.input(2).size() != context.input(1).size())
    return fail(ErrorCode::kMismatch, "zero point {} and scale {} differ in shape",
                to_string(context.input(2).shape()), to_string(context.input(1).shape()));
  return to_doubles(context.input(2));
}

}  // namespace

Result<ScaleMap> ScaleMap::make(const Shape& input, const Shape& scale, int64_t axis, int64_t block_size) {
  ScaleMap map;
  if (scale.empty() || (scale.size() == 1 && scale[0] == 1 && block_size == 0)) return map;
  const auto rank = static_cast<int64_t>(input.size());
  const int64_t at = TENON_TRY(normalize_axis(rank == 1 ? 0 : axis, rank));
  const auto a = static_cast<size_t>(at);
  map.whole_ = false;
  map.length_ = input[a];
  for (size_t i = a + 1; i < input.size(); ++i) map.inner_ *= input[i];
  if (scale.size() == 1 && (block_size == 0 || rank != 1)) {
    if (scale[0] != input[a])
      return fail(ErrorCode::kMismatch, "{} scales for an axis of length {}", scale[0], input[a]);
    return map;
  }
  Shape expected = input;
  expected[a] = scale.size() == input.size() ? scale[a] : 0;
  map.blocked_ = true;
  map.block_ = block_size;
  map.scales_ = expected[a];
  const bool fits = scale == expected && block_size > 0 && input[a] <= scale[a] * block_size &&
                    (scale[a] - 1) * block_size < std::max<int64_t>(input[a], 1);
  if (!fits)
    return fail(ErrorCode::kMismatch, "scales of shape {} with blocks of {} do not suit an input of shape {}",
                to_string(scale), block_size, to_string(input));
  return map;
}

Status reference_quantize(KernelContext& context) {
  const Tensor& input = context.input(0);
  const Tensor& scale = context.input(1);
  const Attributes& attributes = context.attributes();
  const ScaleMap map = TENON_TRY(ScaleMap::make(input.shape(), scale.shape(), attributes.integer("axis", 1),
                                                attributes.integer("block_size", 0)));
  DataType type = DataType::kUInt8;
  if (context.has_input(2))
    type = context.input(2).type();
  else if (const int64_t asked = attributes.integer("output_dtype", 0); asked != 0)
    type = static_cast<DataType>(asked);
  if (element_size(type) == 0 || type == DataType::kString)
    return fail(ErrorCode::kInvalidModel, "no quantization to {}", data_type_name(type));
  const int64_t precision = attributes.integer("precision", 0);
  DataType quotient = precision != 0 ? static_cast<DataType>(precision) : scale.type();
  if (quotient == DataType::kInt32 || quotient == DataType::kFloat8E8M0) quotient = DataType::kFloat32;
  const std::vector<double> scales = to_doubles(scale);
  const std::vector<double> zeros = TENON_TRY(zero_points(context));
  const bool integer = is_integer(type);
  const Range range = integer_range(type);
  const Overflow overflow =
      attributes.integer("saturate", 1) != 0 ? Overflow::kSaturate : Overflow::kInfinity;

  Tensor& output = context.output(0, type, input.shape());
  context.parallel_for(input.size(), kMapGrain, [&](int64_t begin, int64_t end) {
    double values[kMapChunk];
    for (int64_t at = begin; at < end; at += kMapChunk) {
      const int64_t count = std::min(kMapChunk, end - at);
      load_elements<double>(input.type(), input.raw(), at, count, values);
      map.for_runs(at, at + count, [&](int64_t first, int64_t last, int64_t index) {
        const double divisor = scales[static_cast<size_t>(index)];
        const double zero = zeros.empty() ? 0 : zeros[static_cast<size_t>(index)];
        for (int64_t i = first; i < last; ++i) {
          double& value = values[i - at];
          value = rounded_to(quotient, value / divisor);
          if (integer) {
            const double shifted = std::nearbyint(value) + zero;
            value = std::isnan(shifted) ? range.low : std::clamp(shifted, range.low, range.high);
          } else {
            value += zero;
          }
        }
      });
      if (integer)
        store_elements<double>(type, output.mutable_raw(), at, count, values);
      else
        for (int64_t i = 0; i < count; ++i)
          output.mutable_data<uint8_t>()[at + i] = double_to_small_float(type, values[i], overflow);
    }
  });
  return {};
}

Status reference_dequantize(KernelContext& context) {
  const Tensor& input = context.input(0);
  const Tensor& scale = context.input(1);
  const Attributes& attributes = context.attributes();
  const ScaleMap map = TENON_TRY(ScaleMap::make(input.shape(), scale.shape(), attributes.integer("axis", 1),
                                                attributes.integer("block_size", 0)));
  const int64_t asked = attributes.integer("output_dtype", 0);
  const DataType type = asked != 0 ? static_cast<DataType>(asked) : scale.type();
  if (!is_float(type)) return fail(ErrorCode::kInvalidModel, "no dequantization to {}", data_type_name(type));
  const std::vector<double> scales = to_doubles(scale);
  const std::vector<double> zeros = TENON_TRY(zero_points(context));
  Tensor& output = context.output(0, type, input.shape());
  context.parallel_for(input.size(), kMapGrain, [&](int64_t begin, int64_t end) {
    double values[kMapChunk];
    for (int64_t at = begin; at < end; at += kMapChunk) {
      const int64_t count = std::min(kMapChunk, end - at);
      load_elements<double>(input.type(), input.raw(), at, count, values);
      map.for_runs(at, at + count, [&](int64_t first, int64_t last, int64_t index) {
        const double factor = scales[static_cast<size_t>(index)];
        const double zero = zeros.empty() ? 0 : zeros[static_cast<size_t>(index)];
        for (int64_t i = first; i < last; ++i) values[i - at] = (values[i - at] - zero) * factor;
      });
      store_elements<double>(type, output.mutable_raw(), at, count, values);
    }
  });
  return {};
}

// All in float32, step by step as the function body has it.
Status reference_dynamic_quantize(KernelContext& context) {
  const Tensor& input = context.input(0);
  float low = 0;
  float high = 0;
  for (float value : input.span<float>()) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const float scale = (high - low) / 255.0F;
  const float zero = scale == 0 ? 0 : std::nearbyint(std::clamp(0.0F - low / scale, 0.0F, 255.0F));
  Tensor& output = context.output(0, DataType::kUInt8, input.shape());
  *context.output(1, DataType::kFloat32, {}).mutable_data<float>() = scale;
  *context.output(2, DataType::kUInt8, {}).mutable_data<uint8_t>() = static_cast<uint8_t>(zero);
  const float* values = input.data<float>();
  context.parallel_for(input.size(), kMapGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float quotient = scale == 0 ? 0 : std::nearbyint(values[i] / scale);
      const float shifted = quotient + zero;
      output.mutable_data<uint8_t>()[i] =
          shifted >= 0 ? static_cast<uint8_t>(std::min(shifted, 255.0F)) : uint8_t{0};
    }
  });
  return {};
}

}  // namespace tenon::ops
