// Pair: both sides of an alignment, opened, and the samples that they run on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "align/side.h"

namespace tenon::alignment {

struct Pair {
  std::unique_ptr<Side> reference, candidate;
  std::vector<Sample> samples;  ///< Under the names of the side that describes the inputs.
  std::string inputs;           ///< "random", "given" or "recorded".
};

/// Opens both sides, and draws or reads the samples. Errors carry the name of the side at fault as their
/// file.
Result<Pair> open_pair(const std::string& reference, const std::string& candidate,
                       const AlignOptions& options);

/// The samples under the names that a side has for its inputs.
Result<std::vector<Sample>> samples_for(const Side& side, const std::vector<Sample>& samples);

}  // namespace tenon::alignment
