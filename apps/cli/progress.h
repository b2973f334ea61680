// Progress on a terminal: one line on standard error that is written over, from the second second on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "tenon/progress.h"

namespace tenon::cli {

/// Shows what show() was last told, when standard error is a terminal and a second has passed since the
/// object was made. A thread of its own writes, ten times a second at most, so that what is measured or
/// counted is not held up, and a single piece of work that takes long is shown as well. Elsewhere there is no
/// thread, and nothing is done.
class Progress {
 public:
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /// "WHAT: DONE of TOTAL", or "WHAT" for a total of 0.
  void show(std::string_view what, size_t done, size_t total);
  /// Takes the line away, until there is more to show. Call before anything else is printed.
  void clear();
  /// show() for the library to call while this object lives; empty where nothing is shown.
  ProgressFunction function();

 private:
  void run();

  std::mutex mutex_;  // guards what follows
  std::condition_variable ends_;
  bool is_over_ = false;
  bool is_told_ = false;  // show() was called since the line was last written
  std::string what_;
  size_t done_ = 0, total_ = 0;
  bool has_line_ = false;
  std::thread thread_;
};

}  // namespace tenon::cli
