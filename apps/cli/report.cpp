#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands.h"

namespace tenon::cli {

Error usage_error(std::string message, std::string hint) {
  Error error;
  error.code = ErrorCode::kUsage;
  error.message = std::move(message);
  error.hint = std::move(hint);
  return error;
}

int report(const Error& error, bool json) {
  std::fprintf(stderr, "tenon: %s\n", error.to_string().c_str());
  if (json) {
    const nlohmann::ordered_json object = {{"error",
                                            {{"code", error_code_name(error.code)},
                                             {"message", error.message},
                                             {"file", error.file},
                                             {"node", error.node},
                                             {"op", error.op},
                                             {"hint", error.hint}}}};
    std::printf("%s\n",
                object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
  }
  return exit_status(error.code);
}

}  // namespace tenon::cli
