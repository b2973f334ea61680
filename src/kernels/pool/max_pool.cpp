#include "kernels/pool/max_pool.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/pool/row_max.h"

namespace tenon::kernels {

namespace {

/// Columns of the padded row that one output row reads, split by their position modulo the stride, so that
/// neighbours in the output are neighbours in a phase.
struct Columns {
  int64_t phases, width;  // width: of each phase

  explicit Columns(const MaxPoolCall& call)
      : phases(call.stride_w), width(call.out_w + (call.kernel_w - 1) * call.dilation_w / call.stride_w) {}
  int64_t size() const { return phases * width; }
};

class Pool {
 public:
  Pool(const MaxPoolCall& call, Isa isa) : call_(call), columns_(call), row_max_(row_max_function(isa)) {}

  /// Floats of working memory for one thread.
  int64_t floats() const { return call_.in_w + columns_.size(); }
  int64_t pointers() const { return std::max(call_.kernel_h, call_.kernel_w); }

  /// One row of the output. `memory` holds floats(), `rows` pointers().
  void row(const float* plane, int64_t y, float* out, float* memory, const float** rows) const {
    int64_t count = 0;
    for (int64_t k = 0; k < call_.kernel_h; ++k) {
      const int64_t line = y * call_.stride_h - call_.pad_top + k * call_.dilation_h;
      if (line >= 0 && line < call_.in_h) rows[count++] = plane + line * call_.in_w;
    }
    if (count == 0) {
      std::fill_n(out, call_.out_w, -std::numeric_limits<float>::infinity());
      return;
    }
    float* tallest = memory;
    float* phases = memory + call_.in_w;
    row_max_(rows, count, tallest, call_.in_w);
    split(tallest, phases);
    for (int64_t k = 0; k < call_.kernel_w; ++k) {
      const int64_t at = k * call_.dilation_w;
      rows[k] = phases + at % columns_.phases * columns_.width + at / columns_.phases;
    }
    row_max_(rows, call_.kernel_w, out, call_.out_w);
  }

 private:
  void split(const float* from, float* phases) const {
    std::fill_n(phases, columns_.size(), -std::numeric_limits<float>::infinity());
    for (int64_t p = 0; p < columns_.phases; ++p) {
      float* phase = phases + p * columns_.width;
      for (int64_t i = 0; i < columns_.width; ++i) {
        const int64_t column = i * columns_.phases + p - call_.pad_left;
        if (column >= call_.in_w) break;
        if (column >= 0) phase[i] = from[column];
      }
    }
  }

  const MaxPoolCall& call_;
  Columns columns_;
  RowMaxFunction row_max_;
};

}  // namespace

void max_pool_2d(const MaxPoolCall& call, Isa isa, const Services& services) {
  const Pool pool(call, isa);
  services.parallel_for(call.planes, 1, [&](int64_t begin, int64_t end) {
    float* memory = services.scratch_floats(pool.floats());
    auto* rows = reinterpret_cast<const float**>(
        services.scratch(static_cast<size_t>(pool.pointers()) * sizeof(const float*)));
    for (int64_t p = begin; p < end; ++p)
      for (int64_t y = 0; y < call.out_h; ++y)
        pool.row(call.input + p * call.in_h * call.in_w, y, call.output + (p * call.out_h + y) * call.out_w,
                 memory, rows);
  });
}

}  // namespace tenon::kernels
