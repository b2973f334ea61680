#include "formats/torch/pt2/weights.h"

#include <map>
#include <tuple>

#include "base/try.h"
#include "formats/torch/pt2/graph_reader.h"
#include "formats/torch/strided.h"
#include "formats/torch/torch_save.h"

namespace tenon::pt2 {

namespace {

Result<StridedLayout> constant_layout(const aten::TensorMeta& meta) {
  auto sizes = constant_shape(meta.sizes);
  auto strides = constant_shape(meta.strides);
  auto offset = meta.storage_offset.constant();
  if (!sizes || !strides || !offset) return fail(ErrorCode::kInvalidModel, "has a symbolic size");
  return StridedLayout{std::move(*sizes), std::move(*strides), *offset};
}

// Reads the records of one folder (weights or constants) as its configuration lists them.
class FolderReader {
 public:
  FolderReader(const TorchArchive& archive, std::string folder, size_t& budget_bytes, aten::Program& program)
      : archive_(archive), folder_(std::move(folder)), budget_bytes_(budget_bytes), program_(program) {}

  Status read(const std::string& config_record) {
    auto text = TENON_TRY(archive_.read(config_record));
    JsonDocument document = TENON_TRY(JsonDocument::parse(text.text()));
    JsonObject root = TENON_TRY(JsonObject::of(document.root(), "a configuration of weights"));
    JsonObject config = TENON_TRY(root.get_object("config"));
    for (const auto& [name, value] : config.fields()) {
      auto status = read_one(std::string(name), value);
      if (!status.ok()) return at_node(std::move(status.error()), name, "");
    }
    return {};
  }

 private:
  // The bytes of a record, which many weights may lie in: checked, and inflated, once.
  Result<SharedBytes> record(const std::string& path) {
    auto it = records_.find(path);
    if (it == records_.end()) it = records_.emplace(path, TENON_TRY(archive_.read(folder_ + path))).first;
    return it->second;
  }

  Status read_one(std::string name, JsonValue value) {
    JsonObject object = TENON_TRY(JsonObject::of(value, "a weight's description"));
    std::string path = TENON_TRY(object.get_string("path_name"));
    bool pickled = object.find("use_pickle") && TENON_TRY(object.get_bool("use_pickle"));
    if (!object.find("tensor_meta")) return {};  // a custom object: nothing that a graph of tensors can use
    if (pickled)
      return fail(ErrorCode::kUnsupported, "weight '{}' is stored as a Python object of a tensor subclass",
                  name);
    aten::TensorMeta meta = TENON_TRY(reader_.tensor_meta(TENON_TRY(object.get("tensor_meta"))));
    if (meta.layout != aten::Layout::kStrided)
      return fail(ErrorCode::kUnsupported, "weight '{}' is sparse", name);
    if (meta.type == DataType::kUndefined)
      return fail(ErrorCode::kUnsupported, "weight '{}' has an element type that tenon does not have", name);
    StridedLayout layout = TENON_TRY(constant_layout(meta));
    aten::Weight weight;
    weight.is_parameter = TENON_TRY(object.get_bool("is_param"));
    auto [first, fresh] = seen_.try_emplace(std::tuple(path, meta.type, layout), name);
    if (fresh) {
      auto storage = TENON_TRY(record(path));
      weight.tensor = TENON_TRY(load_strided(meta.type, layout, storage, budget_bytes_));
    } else {
      weight.tensor = program_.weights.at(first->second).tensor;
      weight.shared_with = first->second;
    }
    if (!program_.weights.emplace(std::move(name), std::move(weight)).second)
      return fail(ErrorCode::kInvalidModel, "a weight and a constant have the same name");
    return {};
  }

  const TorchArchive& archive_;
  std::string folder_;
  size_t& budget_bytes_;
  aten::Program& program_;
  GraphReader reader_;
  std::map<std::string, SharedBytes> records_;
  std::map<std::tuple<std::string, DataType, StridedLayout>, std::string> seen_;
};

// What torch 2.8 wrote instead: one torch.save file with a dictionary of tensors by name.
Status read_pickled(const TorchArchive& archive, const std::string& record, aten::Program& program) {
  TorchSave save = TENON_TRY(TorchSave::open(TENON_TRY(archive.read(record))));
  const auto* dict = save.root().as<pickle::Dict>();
  if (dict == nullptr) return fail(ErrorCode::kMalformed, "record '{}' is no dictionary of tensors", record);
  std::map<std::tuple<const std::byte*, DataType, Shape>, std::string> seen;
  for (const auto& [key, value] : dict->entries) {
    const auto* name = key->as<std::string_view>();
    const pickle::Tensor* tensor = value->tensor();
    if (name == nullptr || tensor == nullptr) continue;  // a custom object
    aten::Weight weight;
    weight.is_parameter = tensor->is_parameter;
    auto loaded = save.load(*tensor);
    if (!loaded.ok()) return at_node(std::move(loaded.error()), *name, "");
    weight.tensor = std::move(*loaded);
    auto [first, fresh] =
        seen.try_emplace(std::tuple(weight.tensor.raw(), weight.tensor.type(), weight.tensor.shape()), *name);
    if (!fresh && weight.tensor.size() != 0) weight.shared_with = first->second;
    if (!program.weights.emplace(std::string(*name), std::move(weight)).second)
      return fail(ErrorCode::kInvalidModel, "two weights are called '{}'", *name);
  }
  return {};
}

Status check_signature(const aten::Program& program) {
  using Kind = aten::InputSpec::Kind;
  for (size_t i = 0; i < program.input_specs.size(); ++i) {
    const aten::InputSpec& spec = program.input_specs[i];
    if (spec.kind != Kind::kParameter && spec.kind != Kind::kBuffer && spec.kind != Kind::kTensorConstant)
      continue;
    const aten::Weight* weight = program.find_weight(spec.target);
    if (weight == nullptr)
      return fail(ErrorCode::kInvalidModel, "the file has no data for '{}', which the program reads as '{}'",
                  spec.target, spec.name);
    const aten::TensorMeta* meta = program.graph.find_tensor(spec.name);
    if (meta == nullptr) return fail(ErrorCode::kInvalidModel, "input '{}' has no type", spec.name);
    if (meta->type != weight->tensor.type() || meta->sizes != to_sym(weight->tensor.shape()))
      return fail(ErrorCode::kInvalidModel, "'{}' is {}{} in the file, and {}{} in the program", spec.target,
                  data_type_name(weight->tensor.type()), to_string(weight->tensor.shape()),
                  data_type_name(meta->type), to_string(meta->sizes));
  }
  return {};
}

}  // namespace

Status read_weights(const TorchArchive& archive, const std::string& name, aten::Program& program) {
  size_t budget_bytes = expansion_limit_bytes(archive.size_bytes());
  for (std::string kind : {"weights", "constants"}) {
    std::string folder = "data/" + kind + "/";
    std::string config = folder + name + "_" + kind + "_config.json";
    std::string pickled = folder + name + ".pt";
    if (archive.has(config))
      TENON_TRY(FolderReader(archive, folder, budget_bytes, program).read(config));
    else if (archive.has(pickled))
      TENON_TRY(read_pickled(archive, pickled, program));
    else
      return fail(ErrorCode::kMalformed, "the archive has no record '{}'", config);
  }
  return check_signature(program);
}

}  // namespace tenon::pt2
