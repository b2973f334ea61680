#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/file_descriptor.h"
#include "base/try.h"

namespace tenon {

namespace {

constexpr size_t kOutputKept = 16 << 10;
constexpr auto kPoll = std::chrono::milliseconds(20);

/// Reads what is there now, and keeps the end of all that was read. False once the other end is closed.
bool drain(int descriptor, std::string& kept) {
  char buffer[4096];
  for (;;) {
    const ssize_t count = read(descriptor, buffer, sizeof(buffer));
    if (count == 0) return false;
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    kept.append(buffer, static_cast<size_t>(count));
    if (kept.size() > 2 * kOutputKept) kept.erase(0, kept.size() - kOutputKept);
  }
}

/// Starts the program with its output in `write_end`, as the leader of a process group.
int start(const std::vector<std::string>& arguments, int write_end, pid_t& child) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, write_end, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  const int error = posix_spawn(&child, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

Result<TemporaryFolder> TemporaryFolder::create() {
  std::error_code failure;
  std::string pattern = (std::filesystem::temp_directory_path(failure) / "tenon-XXXXXX").string();
  if (failure || mkdtemp(pattern.data()) == nullptr)
    return fail(ErrorCode::kIo, "no temporary folder could be made: {}", system_message(errno));
  return TemporaryFolder(std::move(pattern));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TemporaryFolder& TemporaryFolder::operator=(TemporaryFolder&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string find_program(const std::string& name) {
  auto runs = [](const std::string& path) {
    std::error_code failure;
    return std::filesystem::is_regular_file(path, failure) && access(path.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) return runs(name) ? name : "";
  const char* variable = std::getenv("PATH");
  std::string_view folders = variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin";
  while (!folders.empty()) {
    const size_t end = std::min(folders.find(':'), folders.size());
    const std::string path = std::string(folders.substr(0, end)) + "/" + name;
    // Relative entries depend on where the caller stands: never run what lies there.
    if (path.front() == '/' && end > 0 && runs(path)) return path;
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return "";
}

Result<ProcessResult> run_process(const std::vector<std::string>& arguments,
                                  std::chrono::milliseconds time_max) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::kIo, "no pipe: {}", system_message(errno));
  FileDescriptor read_end(ends[0]), write_end(ends[1]);
  fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  pid_t child = 0;
  if (const int error = start(arguments, write_end.get(), child); error != 0)
    return at_file(fail(ErrorCode::kUnavailable, "the program cannot be started: {}", system_message(error)),
                   arguments[0]);
  write_end.close();

  ProcessResult result;
  const auto deadline = std::chrono::steady_clock::now() + time_max;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      result.timed_out = true;
      kill(-child, SIGKILL);
      waitpid(child, &status, 0);
      break;
    }
    pollfd event{read_end.get(), POLLIN, 0};
    poll(&event, 1, static_cast<int>(kPoll.count()));
    if (!drain(read_end.get(), result.output)) poll(nullptr, 0, static_cast<int>(kPoll.count()));
  }
  drain(read_end.get(), result.output);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace tenon
