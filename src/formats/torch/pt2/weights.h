// The tensors of a .pt2 archive.
#pragma once

#include <string>

#include "formats/torch/archive.h"
#include "ir/aten/program.h"

namespace tenon::pt2 {

/// Fills program.weights from data/weights and data/constants of the model `name`, and checks that every
/// parameter, buffer and constant of the signature is there. kMalformed, kInvalidModel, kUnsupported (weights
/// stored as Python objects), kLimit.
Status read_weights(const TorchArchive& archive, const std::string& name, aten::Program& program);

}  // namespace tenon::pt2
