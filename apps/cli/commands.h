// The subcommands of the tool `tenon`, one file each, and what they share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tenon/error.h"

namespace tenon::cli {

/// Each adds its subcommand; when the command line names it, its callback sets `status` to the exit status.
void add_export_command(CLI::App& app, int& status);
void add_align_command(CLI::App& app, int& status);
void add_inspect_command(CLI::App& app, int& status);
void add_ops_command(CLI::App& app, int& status);
void add_classify_command(CLI::App& app, int& status);
void add_build_command(CLI::App& app, int& status);
void add_bench_command(CLI::App& app, int& status);
void add_run_command(CLI::App& app, int& status);
void add_test_command(CLI::App& app, int& status);

/// Something that makes no sense on the command line, and what to write instead.
Error usage_error(std::string message, std::string hint = "");
/// Prints the error as one line to standard error and, with `json`, as an object to standard output. Returns
/// the exit status that goes with it.
int report(const Error& error, bool json);

/// Check of options that take one of a few words.
CLI::Validator one_of(std::vector<std::string> choices);
/// Checks of options that take a finite number, which must be at least 0 or above it.
CLI::Validator not_negative();
CLI::Validator positive();

}  // namespace tenon::cli
