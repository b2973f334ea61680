// An LSTM whose hidden state is projected to fewer numbers (proj_size), which ONNX's LSTM does not have.
#pragma once

#include "lower/context.h"

namespace tenon::lower {

/// One direction of one layer. Weights as torch.nn.LSTM has them; the biases may be kNoValue.
struct ProjectedLstm {
  ValueId x = kNoValue;  ///< [steps, batch, input]
  ValueId w_ih = kNoValue, w_hh = kNoValue, b_ih = kNoValue, b_hh = kNoValue, w_hr = kNoValue;
  ValueId h = kNoValue, c = kNoValue;  ///< [batch, projected] and [batch, hidden]
  int64_t hidden = 0;
  bool backward = false;  ///< From the last step to the first.
};

/// What it gives: y [steps, batch, projected], and the states after the last step.
struct ProjectedLstmResult {
  ValueId y, h, c;
};

Result<ProjectedLstmResult> add_projected_lstm(LowerContext& context, const ProjectedLstm& lstm);

}  // namespace tenon::lower
