#include "runtime/load_model.h"

#include <new>

#include "base/mapped_file.h"
#include "base/try.h"
#include "formats/detect.h"
#include "formats/onnx/reader.h"
#include "ir/verify_model.h"
#include "ops/core/upgrade.h"
#include "runtime/session_state.h"

namespace tenon {

namespace {

Result<TypedModel> load_onnx(const std::string& path) {
  onnx::Model model = TENON_TRY(onnx::read_model(path));
  TENON_TRY(onnx::verify(model));
  return ops::upgrade(model);
}

Result<TypedModel> load(const std::string& path) {
  FileFormat format = FileFormat::kUnknown;
  {
    auto file = TENON_TRY(MappedFile::open(path));
    format = detect_format(file->bytes());
  }
  switch (format) {
    case FileFormat::kOnnx:
      return load_onnx(path);
    case FileFormat::kTorchExport:
    case FileFormat::kTorchScript:
    case FileFormat::kTorchSave:
    case FileFormat::kTorchLegacy:
    case FileFormat::kSafetensors:
      return with_hint(fail(ErrorCode::kUnsupported, "{} cannot be run as it is", format_name(format)),
                       "make an ONNX model of it with tenon export");
    default:
      return fail(ErrorCode::kMalformed, "this is {}, not a model", format_name(format));
  }
}

}  // namespace

Result<TypedModel> load_model(const std::string& path) {
  try {
    auto model = load(path);
    if (!model.ok()) return at_file(std::move(model.error()), path);
    return model;
  } catch (const std::bad_alloc&) {
    return at_file(fail(ErrorCode::kOutOfMemory, "memory ran out while the model was read"), path);
  }
}

Result<std::shared_ptr<Session>> Session::open(const std::string& path, const SessionOptions& options) {
  auto session = make_session(TENON_TRY(load_model(path)), options);
  if (!session.ok()) return at_file(std::move(session.error()), path);
  return session;
}

}  // namespace tenon
