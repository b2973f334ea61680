#include "progress.h"

#include <cstdio>

#include "terminal.h"

namespace tenon::cli {

void Progress::show(std::string_view what, size_t done, size_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_ || !shows_progress()) return;
  next_ = now + std::chrono::milliseconds(100);
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
