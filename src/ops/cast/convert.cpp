#include <cmath>
#include <limits>

#include "ops/cast/cast.h"
#include "ops/elementwise/map.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

bool is_small_float(DataType type) {
  switch (type) {
    case DataType::kFloat8E4M3FN:
    case DataType::kFloat8E4M3FNUZ:
    case DataType::kFloat8E5M2:
    case DataType::kFloat8E5M2FNUZ:
    case DataType::kFloat4E2M1:
    case DataType::kFloat6E2M3:
    case DataType::kFloat6E3M2:
    case DataType::kFloat8E8M0:
      return true;
    default:
      return false;
  }
}

void store_small(DataType type, uint8_t* out, const double* values, int64_t count,
                 const CastOptions& options) {
  const Overflow overflow = options.saturate ? Overflow::kSaturate : Overflow::kInfinity;
  for (int64_t i = 0; i < count; ++i)
    out[i] = type == DataType::kFloat8E8M0 ? double_to_float8e8m0(values[i], options)
                                           : double_to_small_float(type, values[i], overflow);
}

template <class T>
void convert(const Tensor& input, Tensor& output, int64_t begin, int64_t count) {
  T values[kMapChunk];
  for (int64_t i = 0; i < count; i += kMapChunk) {
    const int64_t n = std::min(kMapChunk, count - i);
    load_elements<T>(input.type(), input.raw(), begin + i, n, values);
    if (output.type() == DataType::kFloat32) {  // in one rounding also from 64-bit integers
      float* out = output.mutable_data<float>() + begin + i;
      for (int64_t k = 0; k < n; ++k) out[k] = static_cast<float>(values[k]);
    } else {
      store_elements<T>(output.type(), output.mutable_raw(), begin + i, n, values);
    }
  }
}

}  // namespace

Result<CastOptions> cast_options(const Attributes& attributes) {
  CastOptions options;
  options.saturate = attributes.integer("saturate", 1) != 0;
  const std::string mode = attributes.string("round_mode", "up");
  if (mode == "down")
    options.round = CastOptions::Round::kDown;
  else if (mode == "nearest")
    options.round = CastOptions::Round::kNearest;
  else if (mode != "up")
    return fail(ErrorCode::kInvalidModel, "round_mode is \"{}\", not up, down or nearest", mode);
  return options;
}

uint8_t double_to_float8e8m0(double value, const CastOptions& options) {
  constexpr uint8_t kNaN = 0xff;
  constexpr int kLargest = 0xfe;
  const double magnitude = std::fabs(value);
  if (std::isnan(value)) return kNaN;
  if (std::isinf(value)) return options.saturate ? kLargest : kNaN;
  if (magnitude < 0x1p-127)
    return options.saturate || options.round != CastOptions::Round::kNearest ? 0 : kNaN;
  int exponent = 0;
  const double mantissa = std::frexp(magnitude, &exponent);  // in [0.5, 1)
  int biased = exponent - 1 + 127;
  if (options.round == CastOptions::Round::kUp && mantissa > 0.5) ++biased;
  if (options.round == CastOptions::Round::kNearest && mantissa >= 0.75) ++biased;
  if (biased > kLargest) return options.saturate ? kLargest : kNaN;
  return static_cast<uint8_t>(biased);
}

void cast_elements(const Tensor& input, Tensor& output, int64_t begin, int64_t count,
                   const CastOptions& options) {
  if (is_small_float(output.type())) {
    double values[kMapChunk];
    for (int64_t i = 0; i < count; i += kMapChunk) {
      const int64_t n = std::min(kMapChunk, count - i);
      load_elements<double>(input.type(), input.raw(), begin + i, n, values);
      store_small(output.type(), output.mutable_data<uint8_t>() + begin + i, values, n, options);
    }
    return;
  }
  switch (compute_kind(input.type())) {
    case ComputeKind::kSigned:
      return convert<int64_t>(input, output, begin, count);
    case ComputeKind::kUnsigned:
      return convert<uint64_t>(input, output, begin, count);
    default:
      return convert<double>(input, output, begin, count);
  }
}

}  // namespace tenon::ops
