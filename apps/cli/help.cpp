#include "help.h"

#include <algorithm>
#include <string_view>

#include "terminal.h"

namespace tenon::cli {

namespace {

constexpr size_t kColumn = 26;  ///< Where descriptions begin.

/// `text` in lines of at most `width` characters, cut at spaces.
std::string wrapped(std::string_view text, size_t width, size_t indent) {
  std::string out;
  while (text.size() > width) {
    size_t at = text.rfind(' ', width);
    if (at == std::string::npos || at == 0) at = width;
    out.append(text.substr(0, at)).append("\n").append(indent, ' ');
    text.remove_prefix(at);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return out.append(text);
}

std::string in_columns(std::string name, std::string_view description) {
  if (description.empty()) return name + "\n";
  if (name.size() + 2 > kColumn)
    name += "\n" + std::string(kColumn, ' ');
  else
    name.resize(kColumn, ' ');
  return name + wrapped(description, kColumns - kColumn, kColumn) + "\n";
}

}  // namespace

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = "  " + make_option_name(option, is_positional) + make_option_opts(option);
  std::string description = make_option_desc(option);
  if (option->get_required() && !is_positional) description += " (required)";
  if (!option->get_default_str().empty()) description += " [" + option->get_default_str() + "]";
  return in_columns(std::move(name), description);
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return in_columns("  " + command->get_display_name(true), command->get_description());
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_expected_max() == 0 || option->get_positional()) return "";
  const std::string type = option->get_type_name();
  const bool is_number = type.find("INT") != std::string::npos || type.find("UINT") != std::string::npos ||
                         type.find("FLOAT") != std::string::npos;
  return is_number ? " N" : " TEXT";
}

}  // namespace tenon::cli
