// Two-dimensional convolution of float32 in NCHW layout by register tiles, with nothing materialised in
// between: the input is copied once into a padded form in which every tap of the filter is a constant
// distance, and tiles read it through a table of these distances. It serves strides, dilations and groups
// alike, depthwise included; a 1x1 convolution without padding and stride reads the input as it is.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "kernels/gemm/epilogue.h"
#include "kernels/gemm/tile.h"
#include "kernels/packing.h"
#include "kernels/services.h"

namespace tenon::kernels {

/// Filter and attributes: what is known before the input.
struct ConvFilter {
  int64_t groups = 1;
  int64_t in_channels = 1;   ///< Of one group.
  int64_t out_channels = 1;  ///< Of one group.
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;

  int64_t depth() const { return in_channels * kernel_h * kernel_w; }
};

/// What a convolution packs.
struct ConvWeights {
  const float* values = nullptr;   ///< [groups * out_channels][in_channels][kernel_h][kernel_w]
  std::span<const double> scales;  ///< What the weights of each output channel are multiplied by; empty: 1.
  std::span<const float> bias;     ///< One for each output channel, not scaled; empty: 0.

  /// Element `i` of `values`, which belongs to an output channel, scaled and rounded once.
  float at(int64_t out_channel, int64_t i) const {
    if (scales.empty()) return values[i];
    return static_cast<float>(values[i] * scales[static_cast<size_t>(out_channel)]);
  }
  /// The bias with zeros up to `channels`, 64-byte aligned.
  PackedFloats padded_bias(int64_t channels) const;
};

/// Outputs that lie apart: (y, x) is at row y * step_h, column x * step_w of a plane.
struct OutputGrid {
  int64_t step_h = 1, step_w = 1;
  int64_t plane_h = 1, plane_w = 1;  ///< Of the planes that they lie in.

  int64_t at(int64_t y, int64_t x) const { return y * step_h * plane_w + x * step_w; }
};

/// Input and output of one call.
struct ConvCall {
  int64_t images = 1;
  int64_t in_h = 1, in_w = 1;
  int64_t pad_top = 0, pad_left = 0;
  int64_t out_h = 1, out_w = 1;  ///< Positions whose taps lie outside the input read zeros there.
  const float* input = nullptr;  ///< [images][groups * in_channels][in_h][in_w]
  float* output = nullptr;       ///< [images][groups * out_channels][out_h][out_w]
  Operands operands = {};        ///< Of the epilogue, laid out as the output.
  /// For a convolution with an InputMap: its planes, [images][planes], in place of `input`; and its scales.
  const float* const* planes = nullptr;
  const float* scale = nullptr;
  /// Where outputs lie in planes of another size; `output` and operands begin with the first of them.
  std::optional<OutputGrid> grid = {};

  /// Pixels of an output plane, and from one output to the next one of its row.
  int64_t out_plane() const { return grid ? grid->plane_h * grid->plane_w : out_h * out_w; }
  int64_t out_step() const { return grid ? grid->step_w : 1; }
};

/// What a 1x1 convolution without padding does to each pixel when it reads it: clamp(x * scale + shift), the
/// product and sum rounded once.
struct InputMap {
  std::vector<float> scale, shift;  ///< By channel, padded to whole blocks; empty: none.
  bool scales_by_image = false;  ///< ConvCall::scale has a scale for each channel of each image, in blocks.
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

/// The product of sizes from a file, or INT64_MAX when it is not smaller.
int64_t saturated_product(std::initializer_list<int64_t> sizes);

/// A convolution with its weights made ready.
class Convolution {
 public:
  virtual ~Convolution() = default;
  /// False when the padded input would be too large to address; then nothing was done. The output does not
  /// overlap the input, and may be one of the operands.
  [[nodiscard]] virtual bool run(const ConvCall& call, const Services& services) const = 0;
};

class Conv2d final : public Convolution {
 public:
  /// Nothing of `weights` is needed afterwards.
  Conv2d(const ConvFilter& filter, const ConvWeights& weights, Epilogue epilogue, Isa isa, Packing& packing);

  [[nodiscard]] bool run(const ConvCall& call, const Services& services) const override;

 private:
  struct Layout;
  void copy_padded(const ConvCall& call, const Layout& layout, const Services& services, float* to) const;
  void run_panel(const ConvCall& call, const Layout& layout, const float* input, int64_t image, int64_t group,
                 int64_t panel, int64_t first_tile, int64_t last_tile) const;

  ConvFilter filter_;
  const TileSet* tiles_;
  Epilogue epilogue_;
  RowTiles rows_;         // of a group
  PackedFloats weights_;  // [group][tile of rows], packed as TileArgs::a
  std::vector<float> bias_;
};

}  // namespace tenon::kernels
