// Maps of float32: one pass over a tensor that scales channels and applies micro-operations.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/gemm/epilogue.h"
#include "kernels/services.h"

namespace tenon::kernels {

struct MapCall {
  int64_t count = 0;  ///< Elements.
  const float* input = nullptr;
  float* output = nullptr;                 ///< May be the input.
  const float* const* operands = nullptr;  ///< Of the epilogue, as many elements each.
  // Planes of `plane` elements, each made of runs of `lanes` elements of as many channels; plane p takes the
  // channels from p % planes_of_an_image * lanes on.
  int64_t plane = 0;  ///< 0: no channels are scaled.
  int64_t lanes = 1;
  int64_t planes_of_an_image = 1;
  const float* scale =
      nullptr;  ///< By channel of an image or, with `scale_by_plane`, by plane of the tensor.
  const float* shift = nullptr;  ///< By channel; null: none.
  bool scale_by_plane = false;
};

/// output = epilogue(input * scale + shift), the product and sum rounded once.
void map(const MapCall& call, const Epilogue& epilogue, Isa isa, const Services& services);

}  // namespace tenon::kernels
