#include "formats/torch/pt2/treespec.h"

#include "base/try.h"
#include "formats/torch/pt2/json.h"

namespace tenon::pt2 {

namespace {

using aten::PyTree;

constexpr int kMaxDepth = 32;
constexpr size_t kMaxPathBytes = size_t{16} << 20;

PyTree::Kind kind_of(std::string_view type) {
  if (type == "builtins.tuple" || type == "collections.namedtuple") return PyTree::Kind::kTuple;
  if (type == "builtins.list" || type == "collections.deque") return PyTree::Kind::kList;
  if (type == "builtins.dict" || type == "collections.OrderedDict" || type == "collections.defaultdict")
    return PyTree::Kind::kDict;
  if (type == "builtins.NoneType") return PyTree::Kind::kNone;
  return PyTree::Kind::kOther;
}

// A dictionary key is a string, or an object that says how to make another kind of key; numbers stay numbers.
std::string key_text(JsonValue key) {
  std::string_view text;
  if (key.get_string().get(text) == simdjson::SUCCESS) return "'" + std::string(text) + "'";
  return simdjson::minify(key);
}

// The keys are JSON inside the JSON string "context": a list, for a defaultdict {"default_factory_..",
// "dict_context"}. What is not understood gives no keys: children are then named by their position.
Status read_keys(std::string_view context, PyTree& tree) {
  auto document = JsonDocument::parse(context);
  if (!document.ok()) return {};
  JsonValue value = document->root();
  simdjson::dom::object object;
  if (value.get_object().get(object) == simdjson::SUCCESS) {
    if (object["dict_context"].get(value) != simdjson::SUCCESS &&
        object["field_names"].get(value) != simdjson::SUCCESS)
      return {};
  }
  simdjson::dom::array keys;
  if (value.get_array().get(keys) != simdjson::SUCCESS) return {};
  if (keys.size() != tree.children.size() && tree.kind == PyTree::Kind::kDict)
    return fail(ErrorCode::kMalformed, "a dictionary of inputs or outputs has {} keys and {} values",
                keys.size(), tree.children.size());
  for (JsonValue key : keys) tree.keys.push_back(key_text(key));
  if (tree.keys.size() != tree.children.size()) tree.keys.clear();
  return {};
}

// Takes what the paths of all leaves have in characters from `budget_bytes`; each path repeats the keys on
// its way, which are `prefix_bytes` so far. False when there is not enough.
bool charge_paths(const PyTree& tree, size_t prefix_bytes, size_t& budget_bytes) {
  constexpr size_t kIndexBytes = 8;  // "[1234]"
  if (tree.kind == PyTree::Kind::kLeaf) {
    if (prefix_bytes > budget_bytes) return false;
    budget_bytes -= prefix_bytes;
    return true;
  }
  for (size_t i = 0; i < tree.children.size(); ++i) {
    const size_t step_bytes = kIndexBytes + (i < tree.keys.size() ? tree.keys[i].size() : 0);
    if (!charge_paths(tree.children[i], prefix_bytes + step_bytes, budget_bytes)) return false;
  }
  return true;
}

Result<PyTree> read(JsonValue value, int depth) {
  if (depth > kMaxDepth) return fail(ErrorCode::kLimit, "inputs or outputs are nested too deeply");
  JsonObject object = TENON_TRY(JsonObject::of(value, "a tree of inputs or outputs"));
  PyTree tree;
  auto type = object.find("type");
  if (!type) return tree;  // a leaf
  tree.type = TENON_TRY(json_string(*type, "the type of a tree"));
  tree.kind = kind_of(tree.type);
  for (JsonValue child : TENON_TRY(object.get_array("children_spec")))
    tree.children.push_back(TENON_TRY(read(child, depth + 1)));
  if (auto context = object.find("context"); context && context->is_string())
    TENON_TRY(read_keys(TENON_TRY(json_string(*context, "context")), tree));
  return tree;
}

}  // namespace

Result<PyTree> parse_treespec(std::string_view json) {
  JsonDocument document = TENON_TRY(JsonDocument::parse(json));
  simdjson::dom::array parts = TENON_TRY(json_array(document.root(), "a tree of inputs or outputs"));
  if (parts.size() != 2)
    return fail(ErrorCode::kMalformed, "a tree of inputs or outputs has {} parts", parts.size());
  int64_t protocol = TENON_TRY(json_int(parts.at(0).value_unsafe(), "the protocol of a tree"));
  if (protocol != 1)
    return fail(ErrorCode::kUnsupported, "a tree of inputs or outputs has protocol {}", protocol);
  PyTree tree = TENON_TRY(read(parts.at(1).value_unsafe(), 0));
  size_t budget_bytes = kMaxPathBytes;
  if (!charge_paths(tree, 0, budget_bytes))
    return fail(ErrorCode::kLimit, "the names of nested inputs or outputs take more than {} bytes",
                kMaxPathBytes);
  return tree;
}

}  // namespace tenon::pt2
