// Other programs: found on $PATH, started without a shell, given a bounded time; and folders for the files
// that go to and fro.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tenon/error.h"

namespace tenon {

/// A folder of its own below the system's temporary one, for this user's eyes only. Removed with all it
/// holds.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> create();
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept;
  ~TemporaryFolder();

  /// The full path of a file in it.
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

struct ProcessResult {
  int status = 0;          ///< The exit status; 128 + n when signal n ended it.
  bool timed_out = false;  ///< It was ended because its time was over.
  std::string output;      ///< The last kilobytes that it wrote to standard output and standard error.
};

/// The full path of a program: `name` itself when it holds a '/', else what $PATH finds; empty when none is
/// there.
std::string find_program(const std::string& name);

/// Runs `arguments[0]`, a path, and waits. Standard input is empty, the environment is this process's. When
/// the time is over the program and those that it started are killed. kUnavailable when it cannot be started.
Result<ProcessResult> run_process(const std::vector<std::string>& arguments,
                                  std::chrono::milliseconds time_max);

}  // namespace tenon
