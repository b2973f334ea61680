#include "progress.h"

#include <cstdio>

#include "commands.h"

namespace tenon::cli {

void Progress::show(std::string_view what, size_t done, size_t total) {
  if (!is_terminal() || std::chrono::steady_clock::now() - begin_ < std::chrono::seconds(1)) return;
  std::fprintf(stderr, "\r\033[K%.*s: %zu of %zu", static_cast<int>(what.size()), what.data(), done, total);
  std::fflush(stderr);
  shown_ = true;
}

void Progress::clear() {
  if (!shown_) return;
  std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace tenon::cli
