// Which tensors of a program share memory, and which functional value each stands for at the moment: the
// alias tracking of functionalisation.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ir/aten/program.h"

namespace tenon::aten {

/// Follows one graph while its nodes are rewritten in order. Names of the original program go in; names of
/// values that never change come out. A block of memory has versions: each write makes a new one. A window
/// shows a block, whole or through a chain of view nodes, and is brought up to date when it is read. Appends
/// the nodes that this takes to `graph.nodes`, and their types to `graph.tensors`.
class Memory {
 public:
  explicit Memory(Graph& graph);

  /// A tensor with memory of its own, that holds the functional value `value` (usually of the same name).
  void define(const std::string& name, const std::string& value);
  bool is_known(const std::string& name) const { return objects_.count(name) != 0; }
  /// `name` is another tensor with the same memory and shape as `source` (detach).
  void alias(const std::string& name, const std::string& source);
  /// `name` is the same Python object as `source` (what an in-place operator returns).
  void same_object(const std::string& name, const std::string& source);
  /// The outputs of `view`, whose inputs are functional values already, show the memory of `source`;
  /// `is_certain` is false when they may be a copy. Appends the node, unless the same view of `source` is
  /// there already.
  void view(const Node& view, const std::string& source, bool is_certain);
  /// From now on the object `name` shows what the object `shown` shows (unsqueeze_).
  void reshape_object(const std::string& name, const std::string& shown);

  /// The functional value that `name` stands for now. kUnsupported when it may or may not have been written
  /// through another tensor.
  Result<std::string> read(const std::string& name);
  /// Replaces every known name in `argument` by its functional value.
  Status read_names(Argument& argument);
  /// The elements of `name` become `value`, and those of all tensors that share them. `writer` is named in
  /// errors. kUnsupported when the window has no functional form.
  Status write(const std::string& name, const std::string& value, const Node& writer);

  /// True when the memory that `name` shows was written.
  bool is_written(const std::string& name) const;
  /// A name that no value of the graph has, `name` itself when possible.
  std::string fresh(const std::string& name);

 private:
  struct Block {
    size_t version = 0;
    std::string last_writer;  // for messages
    bool is_lost = false;     // a write went through a window that may be a copy
  };
  struct Window {
    size_t block = 0;
    Window* parent = nullptr;    // null: the whole block
    std::shared_ptr<Node> view;  // makes this window of its parent's value
    size_t index = 0;            // which of the view's results
    bool is_certain = true;      // false when the result may be a copy
    std::string value;           // the functional value that was last seen through the window
    size_t version = 0;          // of the block when `value` was seen
  };
  struct Object {  // several names may stand for one, and operators may give it another window
    Window* window;
  };

  Window* add_window(Window window);
  Window* find(const std::string& name) const;
  Result<std::string> read(Window& window);
  void rename_outputs(Node& node, Window& window);
  Result<std::string> scatter(const Window& window, const std::string& parent, const std::string& value,
                              const Node& writer);
  void detach_block(Window& window, const std::vector<std::pair<Window*, std::string>>& changed);

  Graph& graph_;
  std::unordered_set<std::string> used_;
  std::deque<Window> windows_;
  std::deque<Block> blocks_;
  std::unordered_map<std::string, std::shared_ptr<Object>> objects_;
  std::map<std::pair<Window*, std::string>, Window*> views_;  // by source, operator and arguments
};

}  // namespace tenon::aten
