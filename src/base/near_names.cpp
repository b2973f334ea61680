#include "base/near_names.h"

#include <algorithm>

#include "base/try.h"

namespace tenon {

namespace {

constexpr size_t kMaxShown = 3;
constexpr size_t kMaxLength = 256;  // longer names are compared by this much of them

/// As far as names are compared, in lower case.
std::string folded(std::string_view name) {
  std::string text(name.substr(0, kMaxLength));
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// Levenshtein distance, or `limit` + 1 when it is larger.
size_t distance(std::string_view a, std::string_view b, size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    size_t least = row[0];
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
      least = std::min(least, row[j]);
    }
    if (least > limit) return limit + 1;
  }
  return row[b.size()];
}

}  // namespace

std::string near_names_hint(std::string_view wanted, const std::vector<std::string>& names) {
  const std::string wish = folded(wanted);
  size_t limit = std::max<size_t>(2, wish.size() / 3);
  std::vector<std::pair<size_t, std::string_view>> near;
  for (const std::string& name : names) {
    const std::string candidate = folded(name);
    size_t d = distance(wish, candidate, limit);
    bool contains = wish.size() >= 3 && candidate.find(wish) != std::string::npos;
    if (d <= limit || contains) near.emplace_back(contains ? std::min(d, limit) : d, name);
  }
  std::sort(near.begin(), near.end());
  std::string text;
  if (!near.empty()) {
    for (size_t i = 0; i < std::min(near.size(), kMaxShown); ++i)
      text += fmt::format("{}'{}'", i == 0 ? "" : " or ", near[i].second);
    return "did you mean " + text + "?";
  }
  if (names.empty() || names.size() > 8) return "";
  for (const std::string& name : names) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", name);
  return (names.size() == 1 ? "there is only " : "there are ") + text;
}

}  // namespace tenon
