#include "terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace tenon::cli {

namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// Characters of UTF-8; each is taken for one column.
size_t columns_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

/// The offset of a character, or the end.
size_t offset_of(std::string_view text, size_t character) {
  size_t at = 0;
  for (; at < text.size(); ++at)
    if (!is_continuation(text[at]) && character-- == 0) break;
  return at;
}

}  // namespace

size_t line_columns() {
  if (isatty(STDOUT_FILENO) != 1) return std::numeric_limits<size_t>::max();
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::max<size_t>(size.ws_col, kColumns / 2) : kColumns;
}

bool shows_progress() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string printable(std::string_view text) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out;
}

std::string fitted(std::string_view text, size_t width) {
  std::string shown = printable(text);
  const size_t columns = columns_of(shown);
  if (columns <= width) return shown;
  const size_t kept = width > 3 ? width - 3 : 0, tail = kept / 2;
  return shown.substr(0, offset_of(shown, kept - tail)) + "..." +
         shown.substr(offset_of(shown, columns - tail));
}

std::string padded(std::string_view text, size_t width) {
  std::string shown = fitted(text, width);
  return shown.append(width - std::min(columns_of(shown), width), ' ');
}

void print_named(std::string_view before, std::string_view name, std::string_view after) {
  const std::string head = printable(before), tail = printable(after);
  const size_t taken = columns_of(head) + columns_of(tail), columns = line_columns();
  constexpr size_t kLeast = 16;  // of the name, whatever else the line holds
  const size_t left = columns > taken + kLeast ? columns - taken : kLeast;
  std::printf("%s%s%s\n", head.c_str(), fitted(name, left).c_str(), tail.c_str());
}

void print_wrapped(std::string_view text, size_t indent) {
  std::string line;
  while (!text.empty()) {
    // A word with the spaces before it.
    const size_t begin = std::min(text.find_first_not_of(' '), text.size());
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    const bool has_words = line.find_first_not_of(' ') != std::string::npos;
    if (has_words && columns_of(line) + begin + columns_of(word) > kColumns) {
      std::printf("%s\n", line.c_str());
      line.assign(indent, ' ').append(word);
    } else {
      line.append(text.substr(0, end));
    }
    text.remove_prefix(end);
  }
  if (!line.empty()) std::printf("%s\n", line.c_str());
}

}  // namespace tenon::cli
