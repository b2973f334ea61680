// Whether a value is as it should be, by the rules of ONNX's backend suite: same kind, element type and
// shape, elements within a tolerance.
#pragma once

#include "tenon/error.h"
#include "tenon/tensor.h"

namespace tenon {

struct SimilarityTolerance {
  double rtol = 0;
  double atol = 0;
};

/// Success when |actual - desired| <= atol + rtol * |desired| for all elements (NaN equals NaN, infinities
/// must match, strings must be equal, bfloat16 has an rtol of at least two units in the last place, 2^-6);
/// else an error of kMismatch that names the first difference.
Status check_similar(const Value& actual, const Value& desired, const SimilarityTolerance& tolerance);

}  // namespace tenon
