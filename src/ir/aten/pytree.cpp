#include "ir/aten/pytree.h"

namespace tenon::aten {

namespace {

void collect(const PyTree& tree, const std::string& path, std::vector<std::string>& paths) {
  if (tree.kind == PyTree::Kind::kLeaf) {
    paths.push_back(path);
    return;
  }
  for (size_t i = 0; i < tree.children.size(); ++i) {
    std::string step = "[" + std::to_string(i) + "]";
    if (i < tree.keys.size()) {
      const std::string& key = tree.keys[i];
      bool attribute = tree.kind != PyTree::Kind::kDict && key.size() > 2 && key.front() == '\'';
      step = attribute ? "." + key.substr(1, key.size() - 2) : "[" + key + "]";
    }
    collect(tree.children[i], path + step, paths);
  }
}

}  // namespace

std::vector<std::string> leaf_paths(const PyTree& tree) {
  std::vector<std::string> paths;
  collect(tree, "", paths);
  return paths;
}

size_t leaf_count(const PyTree& tree) {
  if (tree.kind == PyTree::Kind::kLeaf) return 1;
  size_t count = 0;
  for (const PyTree& child : tree.children) count += leaf_count(child);
  return count;
}

}  // namespace tenon::aten
