#include "tenon/suite.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

#include "align/suite_case.h"
#include "base/try.h"

namespace tenon {

namespace {

namespace fs = std::filesystem;

/// Folders at or below `root` that hold model.onnx, sorted.
Result<std::vector<std::string>> find_cases(const std::string& root) {
  std::error_code error;
  if (!fs::is_directory(root, error))
    return at_file(fail(ErrorCode::kNotFound, "there is no such folder"), root);
  std::vector<std::string> found;
  if (fs::is_regular_file(fs::path(root) / "model.onnx", error)) found.push_back(root);
  auto entry = fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && fs::is_regular_file(entry->path() / "model.onnx", ignored))
      found.push_back(entry->path().string());
  }
  if (error) return at_file(fail(ErrorCode::kIo, "cannot list the folder: {}", error.message()), root);
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::string_view suite_status_name(SuiteCase::Status status) {
  switch (status) {
    case SuiteCase::Status::kPassed:
      return "passed";
    case SuiteCase::Status::kFailed:
      return "failed";
    case SuiteCase::Status::kUnsupported:
      return "unsupported";
  }
  return "failed";
}

int64_t SuiteReport::count(SuiteCase::Status status) const {
  return std::ranges::count(cases, status, &SuiteCase::status);
}

Result<SuiteReport> run_suite(const std::vector<std::string>& folders, const SuiteOptions& options) {
  std::vector<std::string> paths;
  for (const std::string& folder : folders) {
    std::vector<std::string> found = TENON_TRY(find_cases(folder));
    if (found.empty())
      return at_file(fail(ErrorCode::kNotFound, "holds no folder with a model.onnx"), folder);
    paths.insert(paths.end(), found.begin(), found.end());
  }

  SuiteReport report;
  report.cases.resize(paths.size());
  std::atomic<size_t> next{0};
  std::mutex mutex;
  size_t done = 0;
  const auto work = [&] {
    for (size_t i = next++; i < paths.size(); i = next++) {
      SuiteCase result = run_suite_case(paths[i], options);
      const std::lock_guard lock(mutex);
      report.cases[i] = std::move(result);
      ++done;
      if (options.progress) options.progress(report.cases[i], done, paths.size());
    }
  };
  const size_t wanted = options.threads > 0 ? static_cast<size_t>(options.threads)
                                            : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> helpers;
  for (size_t i = 1; i < std::min(wanted, paths.size()); ++i) helpers.emplace_back(work);
  work();
  helpers.clear();
  return report;
}

}  // namespace tenon
