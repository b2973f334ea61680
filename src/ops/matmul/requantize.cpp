#include "ops/matmul/requantize.h"

#include <algorithm>
#include <cmath>

#include "tensor/element.h"

namespace tenon::ops {

void requantize(Tensor& y, int64_t first, std::span<double> values, double zero) {
  if (is_integer(y.type())) {
    const double low = y.type() == DataType::kInt8 ? -128 : 0;
    const double high = y.type() == DataType::kInt8 ? 127 : 255;
    for (double& value : values) {
      const double rounded = std::nearbyint(value) + zero;
      value = std::isnan(rounded) ? zero : std::clamp(rounded, low, high);
    }
  } else {
    for (double& value : values) value += zero;
  }
  store_elements<double>(y.type(), y.mutable_raw(), first, static_cast<int64_t>(values.size()),
                         values.data());
}

}  // namespace tenon::ops
