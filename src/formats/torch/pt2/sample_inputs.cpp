#include "formats/torch/pt2/sample_inputs.h"

#include <string_view>
#include <unordered_map>

#include "base/try.h"
#include "formats/torch/torch_save.h"

namespace tenon::pt2 {

namespace {

using aten::PyTree;

Error misfit() {
  return fail(ErrorCode::kMalformed, "the example inputs do not have the structure that the program says");
}

class Collector {
 public:
  explicit Collector(TorchSave& save) : save_(save) {}

  // As deep as the tree, whose depth its parser bounds.
  Status collect(const PyTree& tree, const pickle::Value& value) {
    if (tree.kind == PyTree::Kind::kLeaf) {
      const pickle::Tensor* tensor = value.tensor();
      leaves_.emplace_back(tensor == nullptr ? Tensor() : TENON_TRY(save_.load(*tensor)));
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
      TENON_TRY(collect(tree.children[i], *child));
    }
    return {};
  }

  std::vector<Value> take() { return std::move(leaves_); }

 private:
  using Index = std::unordered_map<std::string_view, const pickle::Value*>;

  // The value of a dictionary's key as a PyTree names it: 'text' in quotes, anything else by its place.
  const pickle::Value* entry(const pickle::Dict& dict, const PyTree& tree, size_t place) {
    if (place < tree.keys.size()) {
      const std::string& key = tree.keys[place];
      if (key.size() >= 2 && key.front() == '\'') {
        const Index& index = index_of(dict);
        const auto found = index.find(std::string_view(key).substr(1, key.size() - 2));
        return found == index.end() ? nullptr : found->second;
      }
    }
    return place < dict.entries.size() ? dict.entries[place].second : nullptr;
  }

  // By text key; of a key that was assigned twice the last value counts.
  const Index& index_of(const pickle::Dict& dict) {
    auto [known, fresh] = indices_.try_emplace(&dict);
    if (fresh)
      for (const auto& [key, value] : dict.entries)
        if (const auto* text = key->as<std::string_view>()) known->second.insert_or_assign(*text, value);
    return known->second;
  }

  TorchSave& save_;
  std::vector<Value> leaves_;
  std::unordered_map<const pickle::Dict*, Index> indices_;
};

}  // namespace

Result<std::vector<Value>> read_sample_inputs(const TorchArchive& archive, const std::string& record,
                                              const aten::PyTree& tree) {
  TorchSave save = TENON_TRY(TorchSave::open(TENON_TRY(archive.read(record))));
  Collector collector(save);
  TENON_TRY(collector.collect(tree, save.root()));
  return collector.take();
}

}  // namespace tenon::pt2
