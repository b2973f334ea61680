// Safetensors files: a JSON header that names types, shapes and positions, then raw data.
//
// Follows the format's description at https://github.com/huggingface/safetensors ("Format").
#pragma once

#include "formats/torch/state_dict.h"

namespace tenon {

/// True when the bytes begin as a safetensors file does: the length of a header that fits, then "{".
bool recognises_safetensors(std::span<const std::byte> bytes);

/// The tensors in the order of the header, views of the file where they are aligned. kMalformed for a header
/// that is no JSON, repeats a key, has unknown fields, or whose positions leave the data, overlap or have
/// gaps; kUnsupported for types of less than a byte; kLimit for a header of more than 32 MiB. No file name in
/// errors.
Result<StateDict> read_safetensors(SharedBytes file);

}  // namespace tenon
