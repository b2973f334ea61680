// The nesting of a program's inputs and outputs: PyTorch flattens tuples, lists and dicts into a list of
// leaves, and this says how, so that each leaf can be named as the user would write it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tenon/error.h"

namespace tenon::aten {

struct PyTree {
  enum class Kind { kLeaf, kNone, kTuple, kList, kDict, kOther } kind = Kind::kLeaf;
  std::string type;  ///< The Python class: "builtins.dict", "collections.OrderedDict", a user's own.
  std::vector<std::string>
      keys;  ///< kDict: one a child; named tuples and data classes: the field names if known.
  std::vector<PyTree> children;
};

/// A path to each leaf in order, as Python would write it after the root: "[0]", "['logits']", ".hidden". The
/// single leaf of a tree that is a leaf itself has the path "".
std::vector<std::string> leaf_paths(const PyTree& tree);
/// Number of leaves.
size_t leaf_count(const PyTree& tree);

}  // namespace tenon::aten
