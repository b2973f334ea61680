// Text for people: lines that fit, names that cannot garble them, and what may be shown while one waits.
#pragma once

#include <string>
#include <string_view>

namespace tenon::cli {

/// Of tables and of text that is wrapped.
inline constexpr size_t kColumns = 80;

/// What a line with one name may take: the terminal's width; in a file or a pipe no end, so that scripts get
/// names in full.
size_t line_columns();
/// Whether progress may be shown: standard error is a terminal that can take a line away again.
bool shows_progress();

/// Control characters escaped: they could end the line, or worse.
std::string printable(std::string_view text);
/// Printable text of at most `width` columns, "..." in place of its middle.
std::string fitted(std::string_view text, size_t width);
/// The same, filled up with spaces to `width` columns.
std::string padded(std::string_view text, size_t width);
/// A line with a name in it, which gives way where the line would not fit.
void print_named(std::string_view before, std::string_view name, std::string_view after);
/// Words in lines of at most 80 columns; lines after the first are indented.
void print_wrapped(std::string_view text, size_t indent);

}  // namespace tenon::cli
