// The input of a convolution as its tiles read it: with zeros around it, so that each tap of the filter is a
// constant distance from every output: [image][plane][row][column][element]. A plane is a channel, with
// elements of one number, or a block of channels, with elements of a vector register.
#pragma once

#include <cstdint>

#include "kernels/conv/conv2d.h"

namespace tenon::kernels {

class PaddedInput {
 public:
  PaddedInput(const ConvFilter& filter, const ConvCall& call, int64_t element);

  /// Whether the input itself serves, since all taps lie inside it.
  bool direct() const { return direct_; }
  /// Rows of the output, and pixels in each, as tiles go through them: one row of all pixels where input and
  /// output lie alike.
  int64_t out_rows() const { return flat_ ? 1 : out_h_; }
  int64_t out_width() const { return flat_ ? out_h_ * out_w_ : out_w_; }
  /// Floats in the input from one output to the next one in its row, from one row of the output to the next,
  /// and from one plane to the next.
  int64_t distance() const { return filter_.stride_w * element_; }
  int64_t row() const { return filter_.stride_h * width_ * element_; }
  int64_t plane() const { return plane_; }
  /// What copies of `planes` planes of all images take.
  int64_t floats(int64_t planes) const { return images_ * planes * plane_; }

  /// The distances of the taps in the first `columns` columns of `planes` planes, ordered by plane, filter
  /// row and filter column. Null when one of them does not fit.
  const int32_t* offsets(int64_t planes, int64_t columns, const Services& services) const;

  void copy(const float* input, int64_t planes, const Services& services, float* to) const;

 private:
  ConvFilter filter_;
  int64_t images_, in_h_, in_w_, pad_top_, pad_left_, out_h_, out_w_;
  int64_t element_;
  bool direct_, flat_;
  int64_t rows_, width_;  // of a plane
  int64_t plane_;
};

}  // namespace tenon::kernels
