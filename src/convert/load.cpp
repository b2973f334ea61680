#include "convert/load.h"

#include "arch/architecture.h"
#include "base/guard_memory.h"
#include "base/progress.h"
#include "formats/detect.h"
#include "formats/onnx/reader.h"
#include "formats/torch/pt2/reader.h"
#include "formats/torch/state_dict.h"
#include "ir/verify_model.h"
#include "lower/lower.h"
#include "ops/core/inline_functions.h"
#include "ops/core/upgrade.h"
#include "passes/pass.h"

namespace tenon {

namespace {

Result<TypedModel> load_program(const std::string& path, const LoadOptions& options) {
  tell(options.progress, "reading the program");
  aten::Program program = TENON_TRY(read_pt2_file(path));
  tell(options.progress, "making the program functional");
  auto functional = TENON_TRY(aten::functionalise(std::move(program)));
  TypedModel model = TENON_TRY(lower::lower(functional, options.progress));
  // A program asks for sizes that no result needs once they are known to be the input's own.
  GraphPatch patch = TENON_TRY(passes::remove_dead_code(model.graph, {}));
  TENON_TRY(apply(model.graph, std::move(patch)));
  return model;
}

Result<TypedModel> load_weights(const std::string& path, const LoadOptions& options) {
  if (options.arch.empty())
    return with_hint(fail(ErrorCode::kUsage, "the file holds weights without a program"),
                     "name their architecture with --arch, e.g. --arch resnet18, or save a program with "
                     "torch.export.save");
  tell(options.progress, "reading the weights");
  StateDict weights = TENON_TRY(read_state_dict(path));
  tell(options.progress, "building the model");
  return build_architecture(options.arch, weights);
}

Result<TypedModel> load(const std::string& path, const LoadOptions& options) {
  const FileFormat format = TENON_TRY(detect_file(path));
  switch (format) {
    case FileFormat::kOnnx:
      tell(options.progress, "reading the model");
      return load_onnx(TENON_TRY(onnx::read_model(path)), options.progress);
    case FileFormat::kEngine:
      tell(options.progress, "reading the engine");
      return load_original(TENON_TRY(EngineFile::open(path)));
    case FileFormat::kTorchExport:
      return load_program(path, options);
    case FileFormat::kTorchSave:
    case FileFormat::kTorchLegacy:
    case FileFormat::kSafetensors:
      return load_weights(path, options);
    case FileFormat::kEmpty:
      return fail(ErrorCode::kMalformed, "the file is empty");
    case FileFormat::kTorchScript:
      return with_hint(fail(ErrorCode::kUnsupported, "the file is a TorchScript archive"),
                       "export it with torch.export.save(torch.export.export(model, args), 'model.pt2')");
    case FileFormat::kDamagedZip:
      return load_program(path, options);
    default:
      return fail(ErrorCode::kMalformed, "the file is {}, not a model", format_name(format));
  }
}

}  // namespace

Result<TypedModel> load_onnx(onnx::Model model, const ProgressFunction& progress) {
  tell(progress, "checking the model");
  TENON_TRY(onnx::verify(model));
  return ops::upgrade(TENON_TRY(ops::inline_functions(std::move(model))), progress);
}

Result<TypedModel> load_original(const EngineFile& file) {
  TypedModel model = TENON_TRY(load_onnx(TENON_TRY(file.original())));
  model.origin = file.record().origin;
  model.warnings = file.record().warnings;
  return model;
}

Result<TypedModel> load_model(const std::string& path, const LoadOptions& options) {
  auto result = guard_memory([&] { return load(path, options); }, "memory ran out while the model was read");
  if (!result.ok()) return at_file(std::move(result.error()), path);
  return result;
}

}  // namespace tenon
