// tenon test DIR...: runs folders in ONNX's test layout.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "commands.h"
#include "progress.h"
#include "tenon/suite.h"
#include "terminal.h"
#include "text.h"

namespace tenon::cli {

namespace {

struct TestArguments {
  std::vector<std::string> folders;
  SuiteOptions options;
  bool json = false;
  bool verbose = false;
};

void print_json(const SuiteReport& report) {
  nlohmann::ordered_json cases = nlohmann::ordered_json::array();
  for (const SuiteCase& item : report.cases) {
    cases.push_back(
        {{"name", item.name}, {"status", suite_status_name(item.status)}, {"message", item.message}});
  }
  const nlohmann::ordered_json object = {{"passed", report.count(SuiteCase::Status::kPassed)},
                                         {"failed", report.count(SuiteCase::Status::kFailed)},
                                         {"unsupported", report.count(SuiteCase::Status::kUnsupported)},
                                         {"cases", std::move(cases)}};
  print(object);
}

void print_text(const SuiteReport& report, bool verbose) {
  for (const SuiteCase& item : report.cases) {
    if (item.status == SuiteCase::Status::kPassed && !verbose) continue;
    const std::string_view status = suite_status_name(item.status);
    const std::string text = item.message.empty() ? item.name : item.name + ": " + item.message;
    std::printf("%-11.*s  %s\n", static_cast<int>(status.size()), status.data(), printable(text).c_str());
  }
  std::printf("%lld passed, %lld failed, %lld unsupported, of %zu\n",
              static_cast<long long>(report.count(SuiteCase::Status::kPassed)),
              static_cast<long long>(report.count(SuiteCase::Status::kFailed)),
              static_cast<long long>(report.count(SuiteCase::Status::kUnsupported)), report.cases.size());
}

int run_test(TestArguments& arguments) {
  Progress progress;
  arguments.options.progress = [&](const SuiteCase&, size_t done, size_t total) {
    progress.show("cases", done, total);
  };
  const Result<SuiteReport> report_or_error = run_suite(arguments.folders, arguments.options);
  progress.clear();
  if (!report_or_error.ok()) return report(report_or_error.error(), arguments.json);
  if (arguments.json)
    print_json(*report_or_error);
  else
    print_text(*report_or_error, arguments.verbose);
  const bool all_passed = report_or_error->count(SuiteCase::Status::kPassed) ==
                          static_cast<int64_t>(report_or_error->cases.size());
  return all_passed ? 0 : 1;
}

}  // namespace

void add_test_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<TestArguments>();
  CLI::App* command =
      app.add_subcommand("test", "Run folders in ONNX's test layout and compare their outputs");
  command->footer("Example:\n  tenon test build/onnx-suite --json");
  command->add_option("folders", arguments->folders, "Folders with model.onnx, or folders of such folders")
      ->required();
  command->add_option("--rtol", arguments->options.rtol, "Relative tolerance where a case gives none")
      ->capture_default_str();
  command->add_option("--atol", arguments->options.atol, "Absolute tolerance where a case gives none")
      ->capture_default_str();
  command
      ->add_option("--threads", arguments->options.threads, "Cases at the same time (0: one per processor)")
      ->check(not_negative())
      ->capture_default_str();
  command->add_flag("--reference", arguments->options.references_only, "Run by the plain references");
  command->add_option("--disable-pass", arguments->options.disabled_passes, "Leave out a pass, or 'all'")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--engine-dir", arguments->options.engine_folder,
                      "Write each model to an engine file there, and run that");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  command->add_flag("--verbose", arguments->verbose, "List the cases that pass, too");
  command->callback([arguments, &status] { status = run_test(*arguments); });
}

}  // namespace tenon::cli
