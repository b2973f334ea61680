// Progress on a terminal: one line on standard error that is written over, from the second second on.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace tenon::cli {

class Progress {
 public:
  /// `what` is counted: "pictures", "cases".
  explicit Progress(std::string what = "") : what_(std::move(what)) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// "WHAT: DONE of TOTAL", when standard error is a terminal and a second has passed since the object was
  /// made; ten times a second at most, so that what is measured or counted is not held up.
  void show(size_t done, size_t total) { show(what_, done, total); }
  void show(std::string_view what, size_t done, size_t total);
  /// Takes the line away. Call before anything else is printed.
  void clear();

 private:
  std::string what_;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  bool shown_ = false;
};

}  // namespace tenon::cli
