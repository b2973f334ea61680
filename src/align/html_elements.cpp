// Pictures of one output's elements: reference against candidate, and where the budget is used.
#include <algorithm>
#include <array>
#include <cmath>

#include "align/html.h"
#include "base/try.h"

namespace tenon::alignment {

namespace {

constexpr double kSide = 1000;  // of the plot in its own units

/// What both axes of a plot cover.
struct Range {
  double low = 0, high = 0;
  double place(double value) const { return std::round(kSide * (value - low) / (high - low)); }
};

bool is_shown(const OutputComparison::Point& point) {
  return std::isfinite(point.actual) && std::isfinite(point.desired);
}

Range range_of(const std::vector<OutputComparison::Point>& points) {
  Range range{HUGE_VAL, -HUGE_VAL};
  for (const OutputComparison::Point& point : points) {
    if (!is_shown(point)) continue;
    range.low = std::min({range.low, point.actual, point.desired});
    range.high = std::max({range.high, point.actual, point.desired});
  }
  const double margin = 0.03 * (range.high - range.low);
  // One value alone, or a range of which float64 cannot tell the ends apart.
  const double least = 1e-9 * std::max(std::fabs(range.low), std::fabs(range.high)) + 1e-300;
  range.low -= std::max(margin, least);
  range.high += std::max(margin, least);
  return range;
}

/// One path with a dot for each point on one side of the tolerance.
std::string dots(const std::vector<OutputComparison::Point>& points, const Range& range, bool within) {
  std::string path;
  for (const OutputComparison::Point& point : points)
    if (is_shown(point) && (point.use <= 1) == within)
      path += fmt::format("M{},{}h0", range.place(point.desired), kSide - range.place(point.actual));
  if (path.empty()) return "";
  return fmt::format("<path class=\"{}\" d=\"{}\"/>", within ? "within" : "beyond", path);
}

/// Shares of the budget that a map tells apart, each up to its limit.
struct Shade {
  double limit;
  const char* label;
  const char* colour;
  double opacity;
};
constexpr std::array kShades = {
    Shade{0.001, "to 0.001", "error", 0.12}, Shade{0.01, "to 0.01", "error", 0.26},
    Shade{0.1, "to 0.1", "error", 0.42},     Shade{0.5, "to 0.5", "error", 0.66},
    Shade{1, "to 1", "error", 0.95},         Shade{10, "to 10", "bad", 0.3},
    Shade{1e3, "to 1,000", "bad", 0.5},      Shade{1e5, "to 100,000", "bad", 0.75},
    Shade{HUGE_VAL, "more", "bad", 1},
};

size_t shade_of(double use) {
  const auto shade = std::ranges::find_if(kShades, [&](const Shade& s) { return use <= s.limit; });
  return static_cast<size_t>(shade - kShades.begin());
}

/// The cells of one shade; neighbours in a row are one piece.
std::string cells(const OutputComparison::Map& map, size_t shade) {
  std::string path;
  for (size_t row = 0; row < map.rows; ++row) {
    for (size_t begin = 0; begin < map.columns;) {
      size_t end = begin;
      auto has_shade = [&](size_t column) {
        const double use = map.use[row * map.columns + column];
        return use > 0 && shade_of(use) == shade;
      };
      while (end < map.columns && has_shade(end)) ++end;
      if (end > begin) path += fmt::format("M{},{}h{}v1h-{}z", begin, row, end - begin, end - begin);
      begin = std::max(end, begin + 1);
    }
  }
  if (path.empty()) return "";
  return fmt::format("<path fill=\"var(--{})\" opacity=\"{}\" d=\"{}\"/>", kShades[shade].colour,
                     kShades[shade].opacity, path);
}

std::string map_note(const OutputComparison::Map& map) {
  if (map.over_samples)
    return fmt::format("From top to bottom {}, from left to right the {} of the output.",
                       map.height == 1 ? "the sample" : fmt::format("the {} samples", html_count(map.height)),
                       map.width == 1 ? "element" : fmt::format("{} elements", html_count(map.width)));
  return fmt::format("The last two dimensions, {} by {}; the worst of the others and of all samples.",
                     html_count(map.height), html_count(map.width));
}

}  // namespace

std::string scatter_chart(const OutputComparison& output) {
  if (std::ranges::none_of(output.points, is_shown))
    return "<p class=\"note\">There are no numbers to show.</p>\n";
  const Range range = range_of(output.points);
  const bool is_share = output.elements > static_cast<int64_t>(output.points.size());
  return fmt::format(
      "<div class=\"plot\"><div class=\"y\"><span>{1}</span><span>candidate</span><span>{0}</span></div>"
      "<svg viewBox=\"0 0 {2} {2}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Candidate against "
      "reference\"><path class=\"diagonal\" d=\"M0,{2}L{2},0\"/>{3}{4}</svg>"
      "<div class=\"x\"><span>{0}</span><span>reference</span><span>{1}</span></div></div>"
      "<p class=\"note\">On the line both are the same.{5}</p>\n",
      html_number(range.low), html_number(range.high), kSide, dots(output.points, range, true),
      dots(output.points, range, false),
      is_share ? " An even share of the elements, and those that use most of the budget." : "");
}

std::string heat_map(const OutputComparison::Map& map) {
  if (std::ranges::all_of(map.use, [](double use) { return use == 0; }))
    return "<p class=\"note\">There is no difference anywhere.</p>\n";
  std::string paths, legend;
  for (size_t shade = 0; shade < kShades.size(); ++shade) {
    const std::string path = cells(map, shade);
    if (path.empty()) continue;
    paths += path;
    legend += fmt::format("<span><i class=\"area\" style=\"background:var(--{});opacity:{}\"></i>{}</span>",
                          kShades[shade].colour, kShades[shade].opacity, kShades[shade].label);
  }
  const double height =
      map.over_samples
          ? std::clamp(14.0 * static_cast<double>(map.rows), 28.0, 260.0)
          : std::clamp(440.0 * static_cast<double>(map.height) / static_cast<double>(map.width), 40.0, 260.0);
  return fmt::format(
      "<svg class=\"map\" style=\"height:{:.0f}px\" viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" "
      "role=\"img\" aria-label=\"Where the budget is used\">{}</svg><div class=\"legend\">{}</div>"
      "<p class=\"note\">{}</p>\n",
      height, map.columns, map.rows, paths, legend, map_note(map));
}

}  // namespace tenon::alignment
