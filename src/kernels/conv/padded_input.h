// The input of a convolution as its register tiles read it: padded, and split by phase (position modulo the
// stride), so that each tap of the filter is a constant distance and neighbours in the output are neighbours
// here: [image][plane][row phase][column phase][row][column][element]. A plane is a channel, with elements of
// one number, or a block of channels, with elements of a vector register.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/conv/conv2d.h"

namespace tenon::kernels {

class PaddedInput {
 public:
  PaddedInput(const ConvFilter& filter, const ConvCall& call, int64_t element);

  /// Whether the input itself serves, as one row of all pixels.
  bool direct() const { return direct_; }
  /// Rows of the output, and pixels in each, as tiles go through them.
  int64_t out_rows() const { return direct_ ? 1 : out_h_; }
  int64_t out_width() const { return direct_ ? out_h_ * out_w_ : out_w_; }
  /// Floats from one row of the output to the next, in the input; and from one plane to the next.
  int64_t row() const { return width_ * element_; }
  int64_t plane() const { return plane_; }
  /// What copies of `planes` planes of all images take.
  int64_t floats(int64_t planes) const { return images_ * planes * plane_; }

  /// The distances of all taps of `planes` planes, ordered by plane, filter row and filter column. Empty when
  /// one of them does not fit.
  std::vector<int32_t> offsets(int64_t planes) const;

  void copy(const float* input, int64_t planes, const Services& services, float* to) const;

 private:
  void copy_plane(const float* from, float* to) const;

  ConvFilter filter_;
  int64_t images_, in_h_, in_w_, pad_top_, pad_left_, out_h_, out_w_;
  int64_t element_;
  bool direct_;
  int64_t phases_h_ = 1, phases_w_ = 1;
  int64_t rows_ = 1, width_ = 1;  // of a phase
  int64_t plane_ = 1;
};

}  // namespace tenon::kernels
