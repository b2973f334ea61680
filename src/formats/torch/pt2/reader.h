// .pt2 files, as torch.export.save writes them since torch 2.8: a ZIP archive with the program as JSON, and
// weights, constants and sample inputs beside it. Gives an aten::Program; the next stage is
// lower/functionalise.h.
#pragma once

#include <string>
#include <string_view>

#include "formats/torch/archive.h"
#include "ir/aten/program.h"

namespace tenon {

/// True when the archive is one that torch.export has written, of any version.
bool is_pt2(const TorchArchive& archive);

/// Reads a whole file. Weights are views of `archive` where their layout allows. Errors name no file:
/// kMalformed and kInvalidModel for files that break their format's rules, kUnsupported for layouts before
/// torch 2.8, for archives that hold no exported program or several, and for weights that are Python objects.
Result<aten::Program> read_pt2(const TorchArchive& archive);
/// The same for a file, which errors name.
Result<aten::Program> read_pt2_file(const std::string& path);

/// Only the program: models/NAME.json. It has no weights and no sample inputs.
Result<aten::Program> read_pt2_json(std::string_view json);

}  // namespace tenon
