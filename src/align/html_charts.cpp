#include <algorithm>
#include <cmath>

#include "align/html.h"
#include "base/try.h"

namespace tenon::alignment {

namespace {

constexpr double kWidth = 1000, kHeight = 300;
constexpr double kLeft = 52, kRight = 14, kTop = 26, kBottom = 30;

/// Places of layers and of powers of ten in the chart.
class Scale {
 public:
  Scale(const std::vector<LayerComparison>& layers) : count_(layers.size()) {
    double least = 1e300, most = 0;
    auto see = [&](double value) {
      if (!(value > 0) || !std::isfinite(value)) return;
      least = std::min(least, value);
      most = std::max(most, value);
    };
    for (const LayerComparison& layer : layers) {
      see(layer.error);
      see(layer.floor);
      see(layer.difference.value_or(0));
      see(layer.isolated_error.value_or(0));
    }
    if (most == 0) least = 1e-8, most = 1e-6;
    low_ = std::floor(std::log10(least));
    high_ = std::max(std::ceil(std::log10(most)), low_ + 1);
  }
  double x(size_t i) const {
    return kLeft + (kWidth - kLeft - kRight) * (static_cast<double>(i) + 0.5) / static_cast<double>(count_);
  }
  /// Zero lies on the bottom line, infinity on the top one.
  double y(double value) const {
    const double log = value > 0 ? std::log10(value) : low_;
    const double share = (std::clamp(log, low_, high_) - low_) / (high_ - low_);
    return kHeight - kBottom - (kHeight - kTop - kBottom) * share;
  }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  size_t count_;
  double low_, high_;
};

std::string grid(const Scale& scale) {
  std::string out;
  const double decades = scale.high() - scale.low(), step = std::max(1.0, std::ceil(decades / 8));
  for (double power = scale.low(); power <= scale.high(); power += step) {
    const double y = scale.y(std::pow(10, power));
    out += fmt::format(
        "<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"var(--line)\"/>"
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">1e{:+03.0f}</text>\n",
        kLeft, kWidth - kRight, y, y, kLeft - 8, y + 4, power);
  }
  return out;
}

/// The area below the floor.
std::string floor_area(const std::vector<LayerComparison>& layers, const Scale& scale) {
  std::string path = fmt::format("M{:.1f},{:.1f}", scale.x(0), scale.y(0));
  for (size_t i = 0; i < layers.size(); ++i)
    path += fmt::format(" L{:.1f},{:.1f}", scale.x(i), scale.y(layers[i].floor));
  path += fmt::format(" L{:.1f},{:.1f} Z", scale.x(layers.size() - 1), scale.y(0));
  return fmt::format("<path d=\"{}\" fill=\"var(--floor)\" opacity=\".55\"/>\n", path);
}

template <class Get>
std::string curve(const std::vector<LayerComparison>& layers, const Scale& scale, const char* colour,
                  Get get) {
  std::string path, dots;
  bool pen_down = false;
  for (size_t i = 0; i < layers.size(); ++i) {
    const std::optional<double> value = get(layers[i]);
    if (!value) continue;
    path += fmt::format("{}{:.1f},{:.1f} ", pen_down ? 'L' : 'M', scale.x(i), scale.y(*value));
    pen_down = true;
    dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"/>", scale.x(i),
                        scale.y(*value), layers.size() > 120 ? 1.6 : 3, colour);
  }
  if (!pen_down) return "";
  return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\"/>{}\n", path, colour,
                     dots);
}

/// A tooltip over the whole height for each layer.
std::string tooltips(const std::vector<LayerComparison>& layers, const Scale& scale) {
  std::string out;
  const double width = (kWidth - kLeft - kRight) / static_cast<double>(layers.size());
  for (size_t i = 0; i < layers.size(); ++i)
    out += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" fill=\"transparent\"><title>{} "
        "({})\nerror {}, floor "
        "{}</title></rect>\n",
        scale.x(i) - width / 2, kTop, width, kHeight - kTop - kBottom, html_text(layers[i].name),
        html_text(layers[i].op), html_number(layers[i].error), html_number(layers[i].floor));
  return out;
}

}  // namespace

std::string layer_chart(const std::vector<LayerComparison>& layers) {
  const Scale scale(layers);
  std::string svg = fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Error of each layer on a "
      "logarithmic "
      "scale\">\n",
      kWidth, kHeight);
  svg += grid(scale) + floor_area(layers, scale);
  svg += curve(layers, scale, "var(--isolated)",
               [](const LayerComparison& layer) { return layer.isolated_error; });
  svg += curve(layers, scale, "var(--difference)",
               [](const LayerComparison& layer) { return layer.difference; });
  svg += curve(layers, scale, "var(--error)",
               [](const LayerComparison& layer) { return std::optional<double>(layer.error); });
  const auto first = std::ranges::find_if(layers, &LayerComparison::departed);
  if (first != layers.end()) {
    const double x = scale.x(static_cast<size_t>(first - layers.begin()));
    const bool right = x > kWidth * 0.7;
    svg += fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" stroke=\"var(--bad)\" "
        "stroke-width=\"1.5\" "
        "stroke-dasharray=\"5 4\"/><text x=\"{3:.1f}\" y=\"{4}\" text-anchor=\"{5}\" style=\"fill:var(--bad);"
        "font-weight:600\">first departure: {6}</text>\n",
        x, kTop - 6, kHeight - kBottom, right ? x - 7 : x + 7, kTop - 8, right ? "end" : "start",
        html_text(first->name));
  }
  svg += fmt::format(
      "<text x=\"{}\" y=\"{}\">first layer</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">last "
      "layer</text>\n",
      kLeft, kHeight - 10, kWidth - kRight, kHeight - 10);
  return svg + tooltips(layers, scale) + "</svg>\n";
}

std::string histogram_chart(const OutputComparison& output, double atol) {
  size_t first = output.histogram.size(), last = 0;
  for (size_t k = 1; k < output.histogram.size(); ++k) {
    if (output.histogram[k] == 0) continue;
    first = std::min(first, k);
    last = k;
  }
  if (last == 0) return "<p class=\"note\">Every difference is exactly zero.</p>\n";
  const double decade = atol > 0 ? std::floor(std::log10(atol)) + 41 : 0;
  const auto at_atol = static_cast<size_t>(std::clamp(decade, 0.0, 80.0));
  const int64_t most = *std::max_element(output.histogram.begin() + 1, output.histogram.end());
  std::string bars, labels;
  for (size_t k = first; k <= last; ++k) {
    const double share = static_cast<double>(output.histogram[k]) / static_cast<double>(most);
    const double height = output.histogram[k] == 0 ? 0 : std::max(2.0, 100 * share);
    bars += fmt::format("<div{} style=\"height:{:.1f}%\" title=\"{} elements from 1e{} to 1e{}\"></div>",
                        k == at_atol ? " class=\"atol\"" : "", height, html_count(output.histogram[k]),
                        static_cast<int>(k) - 41, static_cast<int>(k) - 40);
    labels += fmt::format("<span>1e{}</span>", static_cast<int>(k) - 41);
  }
  std::string note = fmt::format("{} exactly equal.", html_count(output.histogram[0]));
  if (at_atol >= first && at_atol <= last)
    note += " The framed bar holds atol.";
  else if (at_atol > last)
    note += " All differences lie below atol.";
  else
    note += " All differences that are not zero lie above atol.";
  return fmt::format(
      "<div class=\"histogram\">{}</div><div class=\"decades\">{}</div><p class=\"note\">{}</p>\n", bars,
      labels, note);
}

}  // namespace tenon::alignment
