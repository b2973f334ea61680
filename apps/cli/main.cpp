#include <algorithm>
#include <memory>
#include <string_view>

#include "commands.h"
#include "help.h"

int main(int argc, char** argv) {
  CLI::App app("tenon: from a PyTorch model to a proven, tuned engine", "tenon");
  app.formatter(std::make_shared<tenon::cli::HelpFormatter>());
  app.require_subcommand(1);
  app.set_version_flag("--version", "0.1.0");
  int status = 0;
  tenon::cli::add_export_command(app, status);
  tenon::cli::add_inspect_command(app, status);
  tenon::cli::add_ops_command(app, status);
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
    return tenon::cli::report(
        tenon::cli::usage_error(error.what(),
                                "tenon --help lists the commands, tenon COMMAND --help their options"),
        std::find(argv, argv + argc, std::string_view("--json")) != argv + argc);
  }
  return status;
}
