// State dicts: the weights of a model by name, out of any file that PyTorch users keep them in. With a known
// architecture (src/arch) they become a model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/shared_bytes.h"
#include "tenon/error.h"
#include "tenon/tensor.h"

namespace tenon {

struct StateDict {
  struct Entry {
    std::string name;
    Tensor tensor;  ///< Row-major. Tied weights share their bytes.
  };
  std::vector<Entry> entries;      ///< In the order of the file; no name twice.
  std::vector<std::string> notes;  ///< What was done beyond reading, each one sentence.

  /// Null when there is none of that name.
  const Tensor* find(std::string_view name) const;
};

/// Reads the weights in `path`: torch.save (zip or legacy) and safetensors, told apart by content. A
/// checkpoint that holds its weights under "state_dict", "model" or the like is looked into, the prefixes of
/// DataParallel
/// ("module.") and torch.compile ("_orig_mod.") are removed, entries that are no tensors are left out:
/// `notes` says so. kUnsupported for files that hold a whole model or tensors without counterpart (the error
/// names them), kMalformed for damaged and hostile ones. Errors name the file.
Result<StateDict> read_state_dict(const std::string& path);
/// The same for bytes in memory; errors name no file.
Result<StateDict> read_state_dict(SharedBytes file);

}  // namespace tenon
