// Session::open: from a file of any format to a session.
#include "convert/load.h"
#include "runtime/session_state.h"

namespace tenon {

Result<std::shared_ptr<Session>> Session::open(const std::string& path, const SessionOptions& options) {
  LoadOptions load;
  load.arch = options.arch;
  load.progress = options.progress;
  auto session = make_session(TENON_TRY(load_model(path, load)), options);
  if (!session.ok()) return at_file(std::move(session.error()), path);
  return session;
}

}  // namespace tenon
