// Session::open: from a file of any format to a session.
#include "base/guard_memory.h"
#include "convert/load.h"
#include "engine/engine_store.h"
#include "formats/detect.h"
#include "runtime/session_state.h"

namespace tenon {

namespace {

Result<std::shared_ptr<Session>> open_built(const std::string& path, const SessionOptions& options) {
  if (options.references_only || !options.disabled_passes.empty() || !options.preferred_kernels.empty())
    return fail(ErrorCode::kUsage, "passes, kernels and references are chosen when an engine is built");
  TENON_TRY(check_threads(options));
  OpenEngineOptions open;
  open.any_cpu = options.any_cpu;
  open.progress = options.progress;
  const EngineFile file = TENON_TRY(EngineFile::open(path));
  return session_of(TENON_TRY(open_engine(file, open)), options);
}

Result<std::shared_ptr<Session>> open_session(const std::string& path, const SessionOptions& options) {
  if (TENON_TRY(detect_file(path)) == FileFormat::kEngine) return open_built(path, options);
  LoadOptions load;
  load.arch = options.arch;
  load.progress = options.progress;
  return make_session(TENON_TRY(load_model(path, load)), options);
}

}  // namespace

Result<std::shared_ptr<Session>> Session::open(const std::string& path, const SessionOptions& options) {
  auto session =
      guard_memory([&] { return open_session(path, options); }, "memory ran out while the model was opened");
  if (!session.ok()) return at_file(std::move(session.error()), path);
  return session;
}

}  // namespace tenon
