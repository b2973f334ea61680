#include <cmath>
#include <string>

#include "commands.h"

namespace tenon::cli {

namespace {

CLI::Validator number_check(bool zero_passes) {
  const auto check = [zero_passes](std::string& text) -> std::string {
    double number = 0;
    const bool is_number = CLI::detail::lexical_cast(text, number) && std::isfinite(number);
    if (is_number && (number > 0 || (zero_passes && number == 0))) return "";
    return "'" + text + "' is not a number " + (zero_passes ? "of at least 0" : "above 0");
  };
  return CLI::Validator(check, "");
}

}  // namespace

CLI::Validator one_of(std::vector<std::string> choices) {
  const auto check = [choices = std::move(choices)](std::string& text) -> std::string {
    std::string all;
    for (const std::string& choice : choices) {
      if (choice == text) return "";
      all += (all.empty() ? "" : ", ") + choice;
    }
    return "'" + text + "' is none of " + all;
  };
  return CLI::Validator(check, "");
}
CLI::Validator not_negative() {
  return number_check(true);
}
CLI::Validator positive() {
  return number_check(false);
}

}  // namespace tenon::cli
