#include "kernels/lines/lines.h"

#include <algorithm>
#include <cmath>

#include "kernels/lines/line_functions.h"

namespace tenon::kernels {

namespace {

/// Elements that a thread takes at least.
constexpr int64_t kGrainElements = 4096;

int64_t grain_for(int64_t length) {
  return std::max<int64_t>(1, kGrainElements / std::max<int64_t>(length, 1));
}

}  // namespace

void softmax_lines(const float* in, float* out, int64_t lines, int64_t length, Isa isa,
                   const Services& services) {
  if (length == 0) return;
  const LineFunctions& functions = line_functions(isa);
  services.parallel_for(lines, grain_for(length), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) functions.softmax(in + i * length, out + i * length, length);
  });
}

LineMoments line_moments(const float* line, int64_t length, double epsilon, Isa isa) {
  const LineFunctions& functions = line_functions(isa);
  const auto n = static_cast<double>(length);
  // The sums are of differences to a number near the mean, so that a large mean costs no accuracy.
  const auto near = static_cast<float>(functions.sum(line, length, 0) / n);
  const double off = functions.sum(line, length, near) / n;
  const double variance = functions.squares(line, length, near) / n - off * off;
  return {static_cast<float>(near + off),
          static_cast<float>(1 / std::sqrt(std::max(variance, 0.0) + epsilon))};
}

void layer_norm_lines(const LayerNormCall& call, Isa isa, const Services& services) {
  if (call.length == 0) return;
  const LineFunctions& functions = line_functions(isa);
  services.parallel_for(call.lines, grain_for(call.length), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* in = call.input + i * call.length;
      const LineMoments moments = line_moments(in, call.length, call.epsilon, isa);
      functions.normalise(in, call.output + i * call.length, call.length, moments.mean, moments.factor,
                          call.scale, call.bias);
    }
  });
}

}  // namespace tenon::kernels
