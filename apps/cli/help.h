// How --help looks: two columns within 80 characters, long descriptions wrapped.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace tenon::cli {

class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  /// " N", " TEXT ..." and the default; CLI11 spells types and allowed values out at a length that no
  /// terminal has.
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace tenon::cli
