// The pickle machine: runs the opcodes that torch.save writes over a list of names that it allows, and builds
// plain data. It never imports and never calls; whatever is not on its lists is an error. The way into
// torch.save files, for state dicts and for the example inputs of .pt2 files.
//
// Follows CPython's Lib/pickletools.py (protocols 2 to 5) and PyTorch's torch/_weights_only_unpickler.py.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "base/shared_bytes.h"
#include "formats/torch/pickle_value.h"
#include "tenon/error.h"

namespace tenon::pickle {

/// Owns every value of one pickle. Values may refer to each other in any way, cycles included: whoever walks
/// them bounds depth and number of steps.
struct Arena {
  SharedBytes stream;  ///< What texts and bytes are views of.
  std::deque<Value> values;
  std::deque<Storage> storages;
  std::deque<Tensor> tensors;
  std::deque<std::string> texts;  ///< Of bytes that the stream holds in another form.
};

struct Pickle {
  std::shared_ptr<const Arena> arena;
  const Value* root = nullptr;
  size_t size_bytes = 0;  ///< Of the pickle in the stream; more may follow it.
};

/// The most opcodes of one pickle that are run: a state dict takes some 40 for each tensor. It bounds memory
/// too, at some 60 bytes an opcode.
inline constexpr size_t kMaxOpcodes = size_t{8} << 20;

/// Runs the pickle at the start of `stream` up to its STOP. kMalformed, with the position, for anything
/// damaged, and for opcodes and globals outside the lists; kLimit when it is too large.
Result<Pickle> load_pickle(SharedBytes stream);

}  // namespace tenon::pickle
