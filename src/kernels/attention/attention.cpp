#include "kernels/attention/attention.h"

#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "kernels/lines/line_functions.h"

namespace tenon::kernels {

namespace {

/// Scores of a block of queries, should the keys allow it; and the queries of a block: with fewer, packing
/// the keys and values would count.
constexpr int64_t kBlockScores = 64 << 10;
constexpr int64_t kBlockRowsMin = 64, kBlockRowsMax = 256;

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

/// Scratch memory of a thread for one product after the other.
class Arena {
 public:
  explicit Arena(const Services& from) : from_(from) {}

  /// Services that run on this thread alone; all memory that was taken from them before is free again.
  Services fresh() {
    used_ = 0;
    return {[](int64_t count, int64_t, FunctionRef<void(int64_t, int64_t)> body) { body(0, count); },
            [this](size_t bytes) { return take((bytes + 63) / 64 * 64); }};
  }

 private:
  std::byte* take(size_t bytes) {
    if (used_ + bytes > size_) {
      size_ = std::max(2 * size_, bytes);
      memory_ = from_.scratch(size_);
      used_ = 0;
    }
    used_ += bytes;
    return memory_ + used_ - bytes;
  }

  const Services& from_;
  std::byte* memory_ = nullptr;
  size_t used_ = 0, size_ = 0;
};

/// Adds the mask to the scores of query `i`, and forbids the keys outside [first, last). Returns whether a
/// key is left.
bool mask_scores(const AttentionCall& call, int64_t b, int64_t h, int64_t i, int64_t first, int64_t last,
                 float* scores) {
  const AttentionMask& mask = call.mask;
  if (mask.width != 1) last = std::max(first, std::min(last, mask.width));
  std::fill_n(scores, first, kForbidden);
  std::fill(scores + last, scores + call.kv_length, kForbidden);
  const int64_t step = mask.width == 1 ? 0 : 1;
  if (mask.floats.data != nullptr) {
    const float* row = mask.floats.at(b, h, i);
    bool any = false;
    for (int64_t j = first; j < last; ++j) {
      scores[j] += row[j * step];
      any = any || row[j * step] != kForbidden;
    }
    return any;
  }
  if (mask.allowed.data != nullptr) {
    const uint8_t* row = mask.allowed.at(b, h, i);
    bool any = false;
    for (int64_t j = first; j < last; ++j) {
      if (row[j * step] == 0) scores[j] = kForbidden;
      any = any || row[j * step] != 0;
    }
    return any;
  }
  return first < last;
}

/// `rows` queries of a head from `first` on.
class Block {
 public:
  Block(const AttentionCall& call, Isa isa)
      : call_(call), plain_({}, isa), isa_(isa), softmax_(line_functions(isa).softmax) {}

  void run(int64_t b, int64_t h, int64_t first, int64_t rows, Arena& arena, float* scores,
           float* sums) const {
    const int64_t kv_head = h / (call_.q_heads / call_.kv_heads), keys = call_.kv_length;
    const MatrixRef q{call_.q.at(b, h, first), call_.q.row, 1};
    const MatrixRef k{call_.k.at(b, kv_head, 0), 1, call_.k.row};
    const MatrixRef v{call_.v.at(b, kv_head, 0), call_.v.row, 1};
    GemmCall product;
    product.rows = rows;
    product.columns = keys;
    product.depth = call_.head_size;
    product.a = {&q, 1};
    product.b = {&k, 1};
    product.a_scale = call_.scale;
    product.out = scores;
    gemm(product, plain_, isa_, arena.fresh());
    for (int64_t i = 0; i < rows; ++i) {
      float* row = scores + i * keys;
      const int64_t begin = std::clamp<int64_t>(first + i - call_.left, 0, keys);
      const int64_t end = std::clamp<int64_t>(first + i + call_.right + 1, begin, keys);
      if (mask_scores(call_, b, h, first + i, begin, end, row))
        softmax_(row, row, keys);
      else
        std::fill_n(row, keys, 0.0f);
    }
    const MatrixRef weights{scores, keys, 1};
    product.a_scale = {};
    product.columns = call_.v_head_size;
    product.depth = keys;
    product.a = {&weights, 1};
    product.b = {&v, 1};
    const bool lies_together = call_.out.row == call_.v_head_size;
    product.out = lies_together ? call_.out.at(b, h, first) : sums;
    gemm(product, plain_, isa_, arena.fresh());
    for (int64_t i = 0; i < rows && !lies_together; ++i)
      std::copy_n(sums + i * call_.v_head_size, call_.v_head_size, call_.out.at(b, h, first + i));
  }

 private:
  const AttentionCall& call_;
  Epilogue plain_;
  Isa isa_;
  decltype(LineFunctions::softmax) softmax_;
};

}  // namespace

void attention(const AttentionCall& call, Isa isa, const Services& services) {
  if (call.batch * call.q_heads * call.q_length * call.v_head_size == 0) return;
  const Block block(call, isa);
  const int64_t fitting = kBlockScores / std::max<int64_t>(call.kv_length, 1);
  const int64_t most = std::clamp(fitting, kBlockRowsMin, kBlockRowsMax);
  const int64_t blocks = (call.q_length - 1) / most + 1;
  services.parallel_for(call.batch * call.q_heads * blocks, 1, [&](int64_t begin, int64_t end) {
    Arena arena(services);
    const int64_t rows_max = (call.q_length - 1) / blocks + 1;
    float* scores = services.scratch_floats(rows_max * call.kv_length + 1);
    float* sums = services.scratch_floats(rows_max * call.v_head_size);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t part = i % blocks, head = i / blocks;
      const int64_t first = part * call.q_length / blocks, last = (part + 1) * call.q_length / blocks;
      block.run(head / call.q_heads, head % call.q_heads, first, last - first, arena, scores, sums);
    }
  });
}

}  // namespace tenon::kernels
