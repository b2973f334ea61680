// Samples: the inputs of runs by name, and how the names of one side's values meet those of the other.
#pragma once

#include <string>
#include <vector>

#include "base/try.h"
#include "tenon/align.h"
#include "tenon/session.h"

namespace tenon::alignment {

/// The value of that name, or null.
const Value* find(const Sample& sample, std::string_view name);

/// For each of `wanted` the index in `given` of what stands for it: the same name, and what is left over in
/// order. -1 when nothing is left for it.
std::vector<int> match_names(const std::vector<std::string>& wanted, const std::vector<std::string>& given);

/// `given` under the names `wanted`, matched by name, else by position. kNotComparable when the numbers
/// differ.
Result<Sample> renamed(const Sample& given, const std::vector<std::string>& wanted);

/// A recorded sample cut in two: its arrays that are inputs, under the names `inputs`, and the rest. Inputs
/// are recognised by name, or else are the first arrays that are not named like one of `outputs`.
struct Recorded {
  Sample inputs, outputs;
};
Result<Recorded> split_recorded(const Sample& sample, const std::vector<std::string>& inputs,
                                const std::vector<std::string>& outputs);

/// Inputs for all samples: given ones as they are, the rest drawn at random. `descriptions` says what there
/// is to draw.
Result<std::vector<Sample>> make_samples(const std::vector<ValueDescription>& descriptions,
                                         const AlignOptions& options);

}  // namespace tenon::alignment
