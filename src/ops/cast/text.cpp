#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "ops/cast/cast.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\n'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

// The value that `type` would hold.
double rounded_to(DataType type, double value) {
  std::byte bytes[sizeof(double)];
  double result = 0;
  store_elements<double>(type, bytes, 0, 1, &value);
  load_elements<double>(type, bytes, 0, 1, &result);
  return result;
}

}  // namespace

Result<double> parse_number(std::string_view text) {
  std::string_view digits = trimmed(text);
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range && end == digits.data() + digits.size()) {
    // Too large for a double, or too small: the exponent's sign tells which.
    const bool tiny =
        digits.find("e-") != std::string_view::npos || digits.find("E-") != std::string_view::npos;
    const double magnitude = tiny ? 0.0 : HUGE_VAL;
    return digits[0] == '-' ? -magnitude : magnitude;
  }
  if (error != std::errc() || end != digits.data() + digits.size())
    return fail(ErrorCode::kMismatch, "\"{}\" is not a number", text.substr(0, 60));
  return value;
}

std::string format_number(DataType type, double value) {
  // Types of a byte and less are written as the numbers they hold: their shortest digits would say 1.8
  // for 1.75.
  if (element_bits(type) <= 8) type = DataType::kFloat32;
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  // The shortest run of digits that reads back as this value: "d.ddde+xx".
  std::string scientific;
  for (int digits = 0; digits <= 17; ++digits) {
    char buffer[40];
    const auto [end, error] =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific, digits);
    scientific.assign(buffer, end);
    double back = 0;
    std::from_chars(buffer, end, back);
    if (error == std::errc() && rounded_to(type, back) == value) break;
  }
  const bool negative = scientific[0] == '-';
  if (negative) scientific.erase(0, 1);
  const size_t mark = scientific.find('e');
  const char* power_text = scientific.c_str() + mark + (scientific[mark + 1] == '+' ? 2 : 1);
  int exponent = 0;
  std::from_chars(power_text, scientific.c_str() + scientific.size(), exponent);
  std::string digits = scientific.substr(0, mark);
  digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();

  std::string out = negative ? "-" : "";
  if (exponent < -4 || exponent >= 16) {
    out += digits[0];
    if (digits.size() > 1) out += "." + digits.substr(1);
    const std::string power = std::to_string(std::abs(exponent));
    return out + (exponent < 0 ? "e-" : "e+") + (power.size() < 2 ? "0" : "") + power;
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0') + ".0";
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace tenon::ops
