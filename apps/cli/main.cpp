#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "commands.h"
#include "help.h"

namespace tenon::cli {

namespace {

/// What is wrong with a command line, in words that name what was written.
Error describe(const CLI::ParseError& error, const CLI::App& app, int argc, char** argv) {
  if (app.get_subcommands().empty()) {
    std::string names;
    for (const CLI::App* command : app.get_subcommands({}))
      names += (names.empty() ? "" : ", ") + command->get_name();
    const std::string_view first = argc > 1 ? argv[1] : "";
    if (first.empty()) return usage_error("a command is missing", "the commands are " + names);
    return usage_error("there is no command '" + std::string(first) + "'", "the commands are " + names);
  }
  std::string message = error.what();
  // "Could not convert: --opset = x"
  constexpr std::string_view kConvert = "Could not convert: ", kIs = " = ";
  const size_t is = message.find(kIs);
  if (message.starts_with(kConvert) && is != std::string::npos)
    message = message.substr(kConvert.size(), is - kConvert.size()) + ": '" +
              message.substr(is + kIs.size()) + "' is not a number that it takes";
  return usage_error(message, "tenon --help lists the commands, tenon COMMAND --help their options");
}

}  // namespace

}  // namespace tenon::cli

int main(int argc, char** argv) {
  CLI::App app("tenon: from a PyTorch model to a proven, tuned engine", "tenon");
  app.formatter(std::make_shared<tenon::cli::HelpFormatter>());
  app.require_subcommand(1);
  app.set_version_flag("--version", "0.1.0");
  int status = 0;
  tenon::cli::add_export_command(app, status);
  tenon::cli::add_inspect_command(app, status);
  tenon::cli::add_ops_command(app, status);
  tenon::cli::add_build_command(app, status);
  tenon::cli::add_run_command(app, status);
  tenon::cli::add_classify_command(app, status);
  tenon::cli::add_align_command(app, status);
  tenon::cli::add_bench_command(app, status);
  tenon::cli::add_test_command(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    return tenon::cli::report(tenon::cli::describe(error, app, argc, argv),
                              std::find(argv, argv + argc, std::string_view("--json")) != argv + argc);
  }
  return status;
}
