#include "formats/torch/pt2/reader.h"

#include "base/try.h"
#include "formats/torch/pt2/graph_reader.h"
#include "formats/torch/pt2/sample_inputs.h"
#include "formats/torch/pt2/signature.h"
#include "formats/torch/pt2/weights.h"
#include "ir/aten/verify.h"

namespace tenon {

namespace {

using namespace pt2;

constexpr std::string_view kFormatRecord = "archive_format";
constexpr std::string_view kOldProgramRecord = "serialized_exported_program.json";
constexpr int64_t kSchemaMajor = 8;

// The NAME of the one program in models/NAME.json.
Result<std::string> model_name(const TorchArchive& archive) {
  constexpr std::string_view kFolder = "models/", kEnding = ".json";
  std::vector<std::string> names;
  for (const std::string& record : archive.list(kFolder)) {
    if (record.size() <= kFolder.size() + kEnding.size() || !record.ends_with(kEnding)) continue;
    names.push_back(record.substr(kFolder.size(), record.size() - kFolder.size() - kEnding.size()));
  }
  if (names.size() == 1) return names[0];
  if (names.empty())
    return with_hint(
        fail(ErrorCode::kUnsupported, "the archive holds no exported program, only compiled code"),
        "save the program itself with torch.export.save(program, \"model.pt2\")");
  return with_hint(fail(ErrorCode::kUnsupported, "the archive holds {} programs: {}", names.size(),
                        fmt::join(names, ", ")),
                   "save each program to a file of its own with torch.export.save");
}

Status read_program(JsonValue root, aten::Program& program) {
  JsonObject object = TENON_TRY(JsonObject::of(root, "the program"));
  if (auto version = object.find("torch_version"))
    program.torch_version = TENON_TRY(json_string(*version, "torch_version"));
  int64_t major = TENON_TRY(TENON_TRY(object.get_object("schema_version")).get_int("major"));
  if (major != kSchemaMajor)
    return fail(ErrorCode::kUnsupported,
                "the program has schema version {}, written by torch {}; known is version {}", major,
                program.torch_version, kSchemaMajor);
  JsonObject module = TENON_TRY(object.get_object("graph_module"));
  program.graph = TENON_TRY(GraphReader().graph(TENON_TRY(module.get("graph"))));
  TENON_TRY(read_signature(TENON_TRY(module.get("signature")), program));
  TENON_TRY(read_trees(TENON_TRY(module.get("module_call_graph")), program));
  if (auto ranges = object.find("range_constraints")) TENON_TRY(read_ranges(*ranges, program));
  if (object.find("verifiers"))
    for (JsonValue item : TENON_TRY(object.get_array("verifiers")))
      if (TENON_TRY(json_string(item, "a verifier")) == "ATEN") program.dialect = aten::Dialect::kAten;
  if (object.find("guards_code"))
    for (JsonValue item : TENON_TRY(object.get_array("guards_code")))
      program.guards.emplace_back(TENON_TRY(json_string(item, "a guard")));
  return aten::verify(program);
}

}  // namespace

bool is_pt2(const TorchArchive& archive) {
  if (archive.has(kOldProgramRecord)) return true;
  auto format =
      archive.size(kFormatRecord) < 16 ? archive.read(kFormatRecord) : Result<SharedBytes>(SharedBytes());
  return format.ok() && format->text() == "pt2";
}

Result<aten::Program> read_pt2_json(std::string_view json) {
  JsonDocument document = TENON_TRY(JsonDocument::parse(json));
  aten::Program program;
  TENON_TRY(read_program(document.root(), program));
  return program;
}

Result<aten::Program> read_pt2(const TorchArchive& archive) {
  if (archive.has(kOldProgramRecord))
    return with_hint(fail(ErrorCode::kUnsupported, "the file has the layout of torch 2.7 and older"),
                     "export the model again with torch 2.8 or newer: "
                     "torch.export.save(torch.export.export(model, (x,)), \"model.pt2\")");
  if (!is_pt2(archive))
    return fail(ErrorCode::kMalformed, "the archive is not one that torch.export has written");
  std::string name = TENON_TRY(model_name(archive));
  SharedBytes text = TENON_TRY(archive.read("models/" + name + ".json"));
  aten::Program program = TENON_TRY(read_pt2_json(text.text()));
  TENON_TRY(read_weights(archive, name, program));
  std::string samples = "data/sample_inputs/" + name + ".pt";
  if (archive.size(samples) != 0) {
    auto values = read_sample_inputs(archive, samples, program.input_tree);
    if (values.ok()) program.sample_inputs = std::move(*values);
  }
  return program;
}

Result<aten::Program> read_pt2_file(const std::string& path) {
  auto archive = TENON_TRY(TorchArchive::open_file(path));
  auto program = read_pt2(archive);
  if (!program.ok()) return at_file(std::move(program.error()), path);
  return program;
}

}  // namespace tenon
