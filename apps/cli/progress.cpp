#include "progress.h"

#include <cstdio>

#include "terminal.h"

namespace tenon::cli {

namespace {

constexpr auto kQuietTime = std::chrono::seconds(1);
constexpr auto kPause = std::chrono::milliseconds(100);

}  // namespace

Progress::Progress() {
  if (shows_progress()) thread_ = std::thread([this] { run(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  ends_.notify_one();
  thread_.join();
  clear();
}

void Progress::run() {
  std::unique_lock lock(mutex_);
  auto pause = std::chrono::steady_clock::duration(kQuietTime);
  while (!ends_.wait_for(lock, pause, [this] { return is_over_; })) {
    pause = kPause;
    if (!is_told_) continue;
    is_told_ = false;
    std::string text = what_;
    if (total_ > 0) text += ": " + std::to_string(done_) + " of " + std::to_string(total_);
    std::fprintf(stderr, "\r\033[K%s", fitted(text, kColumns - 1).c_str());
    std::fflush(stderr);
    has_line_ = true;
  }
}

void Progress::show(std::string_view what, size_t done, size_t total) {
  if (!thread_.joinable()) return;
  std::lock_guard lock(mutex_);
  what_ = what;
  done_ = done;
  total_ = total;
  is_told_ = true;
}

void Progress::clear() {
  std::lock_guard lock(mutex_);
  is_told_ = false;
  if (!has_line_) return;
  std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
  has_line_ = false;
}

ProgressFunction Progress::function() {
  if (!thread_.joinable()) return {};
  return [this](std::string_view what, size_t done, size_t total) { show(what, done, total); };
}

}  // namespace tenon::cli
