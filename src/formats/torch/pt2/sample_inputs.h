// The example inputs that a .pt2 archive holds: a self-check that needs no PyTorch.
#pragma once

#include "formats/torch/archive.h"
#include "ir/aten/program.h"

namespace tenon::pt2 {

/// The leaves of the object that `record` holds (torch.save of (args, kwargs)), in the order of `tree`:
/// tensors, and undefined tensors for leaves of other kinds. kMalformed when the object is damaged or does
/// not have the shape of `tree`, or when it is more than plain data, which custom input classes are.
Result<std::vector<Value>> read_sample_inputs(const TorchArchive& archive, const std::string& record,
                                              const aten::PyTree& tree);

}  // namespace tenon::pt2
