#include "formats/torch/pt2/sample_inputs.h"

#include "base/try.h"
#include "formats/torch/torch_save.h"

namespace tenon::pt2 {

namespace {

using aten::PyTree;

Error misfit() {
  return fail(ErrorCode::kMalformed, "the example inputs do not have the structure that the program says");
}

// The value of a dictionary's key as a PyTree names it: 'text' in quotes, anything else by its place.
const pickle::Value* entry(const pickle::Dict& dict, const PyTree& tree, size_t index) {
  if (index < tree.keys.size()) {
    const std::string& key = tree.keys[index];
    if (key.size() >= 2 && key.front() == '\'')
      return dict.find(std::string_view(key).substr(1, key.size() - 2));
  }
  return index < dict.entries.size() ? dict.entries[index].second : nullptr;
}

// As deep as the tree, whose depth its parser bounds.
Status collect(const PyTree& tree, const pickle::Value& value, TorchSave& save, std::vector<Value>& leaves) {
  if (tree.kind == PyTree::Kind::kLeaf) {
    const pickle::Tensor* tensor = value.tensor();
    leaves.emplace_back(tensor == nullptr ? Tensor() : TENON_TRY(save.load(*tensor)));
    return {};
  }
  if (tree.kind == PyTree::Kind::kNone) return {};
  const auto* sequence = value.as<pickle::Sequence>();
  const auto* dict = value.as<pickle::Dict>();
  for (size_t i = 0; i < tree.children.size(); ++i) {
    const pickle::Value* child = nullptr;
    if (sequence != nullptr && sequence->items.size() == tree.children.size()) child = sequence->items[i];
    if (dict != nullptr) child = entry(*dict, tree, i);
    if (child == nullptr) return misfit();
    TENON_TRY(collect(tree.children[i], *child, save, leaves));
  }
  return {};
}

}  // namespace

Result<std::vector<Value>> read_sample_inputs(const TorchArchive& archive, const std::string& record,
                                              const aten::PyTree& tree) {
  TorchSave save = TENON_TRY(TorchSave::open(TENON_TRY(archive.read(record))));
  std::vector<Value> leaves;
  TENON_TRY(collect(tree, save.root(), save, leaves));
  return leaves;
}

}  // namespace tenon::pt2
