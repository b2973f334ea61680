// Two-dimensional convolution of float32 whose output is in the blocked layout (kernels/layout/blocked.h),
// and whose input is blocked too, or planar ([N, C, H, W]) for first layers of few channels.
#pragma once

#include <optional>
#include <vector>

#include "kernels/conv/blocked_tile.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/padded_input.h"
#include "kernels/gemm/blocking.h"
#include "kernels/rows_behind.h"

namespace tenon::kernels {

/// Every convolution: each output channel sums over the blocks of input channels of its group.
class BlockedConv final : public Convolution {
 public:
  /// As Conv2d. `planar` tells the layout of the input. A map is for 1x1 filters of one group over blocks.
  BlockedConv(const ConvFilter& filter, const ConvWeights& weights, bool planar, std::optional<InputMap> map,
              Epilogue epilogue, Isa isa, Packing& packing);

  /// The call's input (unless planar), output and operands are blocked.
  [[nodiscard]] bool run(const ConvCall& call, const Services& services) const override;
  /// The same with an operator behind it that reads the output of an epilogue without operands, and without a
  /// map. The call's own output is not written: some rows of it are in the caches at a time.
  [[nodiscard]] bool run_before(const ConvCall& call, const RowsBehind& behind,
                                const Services& services) const;

 private:
  /// One or two blocks of output channels that sum over the same blocks of input channels.
  struct Panel {
    int64_t first = 0, blocks = 1;        // of the output
    int64_t in_first = 0, in_planes = 0;  // of the input
    int64_t depth = 0;                    // terms of a sum
    int64_t weights = 0;                  // where its weights begin
    bool is_half = false;                 // the last block has channels in half of its lanes at most
  };
  /// Terms that are summed in one chain.
  struct Part {
    int64_t step = 0, steps = 0;  // positions of taps, by plane
    int64_t inner = 0;            // terms of each
    int64_t depth = 0;            // terms before
  };
  struct Running;
  struct BehindWork;
  struct BehindThread;

  std::optional<Running> make_running(const ConvCall& call, const Services& services) const;
  void make_rows(BehindThread& thread, const BlockedWork& panel, int64_t begin, int64_t end,
                 bool copied) const;
  BlockedWork tiles_of(Running& running, BlockedWork work, int64_t begin, int64_t end) const;
  bool copy_for_all(BehindThread& thread, const BehindWork& work) const;
  void run_behind(BehindThread& thread, const BehindWork& work) const;
  template <class Body>
  void for_blocks(int64_t rows, int64_t begin, int64_t end, const Body& body) const;
  bool has_parts() const;
  int64_t tile_sums() const;
  int64_t make_panels();
  void pack(const Panel& panel, const ConvWeights& weights, float* to) const;
  int64_t inner_of(int64_t plane) const;
  Part next_part(const Panel& panel, const Part& last) const;
  void compute(const Running& running, BlockedWork work, float* copies, float* partials) const;
  void copy_band(const Running& running, const BlockedWork& work, const Panel& panel, const Part& part,
                 float* to) const;
  ReadNext weights_of(const Part& part, int64_t panel) const;
  ReadNext weights_after(const Running& running, const BlockedWork& work, const Part& part,
                         int64_t panel) const;
  void multiply(const Running& running, const BlockedWork& work, const Part& part, const float* copies,
                float* partials) const;

  ConvFilter filter_;
  Isa isa_;
  bool planar_;
  std::optional<InputMap> map_;
  int64_t positions_;  // of a plane that have an offset of their own: its taps, or its rows of taps
  const BlockedTileSet* tiles_;
  Epilogue epilogue_;
  int64_t in_planes_, out_blocks_;
  std::vector<Panel> panels_;
  PackedFloats weights_;  // by panel: [plane][tap][inner][block][lane]
  PackedFloats bias_;     // [out block][lane]
};

}  // namespace tenon::kernels
