// The report as one HTML file: verdict, outputs, layers. No script, nothing loaded from elsewhere.
#include "align/html.h"

#include <algorithm>
#include <cmath>

#include "base/atomic_file.h"
#include "base/try.h"

namespace tenon {

namespace alignment {

namespace {

constexpr std::string_view kStyle =
#include "align/html_style.inc"
    ;

constexpr size_t kDetailedMax = 12;

/// The length of the UTF-8 sequence at the start of the text, 0 when there is none.
size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80                   ? 1
                        : lead >= 0xc2 && lead < 0xe0 ? 2
                        : lead >= 0xe0 && lead < 0xf0 ? 3
                        : lead >= 0xf0 && lead < 0xf5 ? 4
                                                      : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  return length;
}

std::string use_bar(double use) {
  const double share = std::isfinite(use) ? std::min(1.0, use) : 1;
  return fmt::format("<div class=\"bar\"><i{} style=\"width:{:.1f}%\"></i></div>",
                     use > 1 ? " class=\"over\"" : "", 100 * share);
}

std::string cell(std::string_view label, const std::string& content, bool number = true) {
  return fmt::format("<td{} data-label=\"{}\"><span>{}</span></td>", number ? " class=\"n\"" : "", label,
                     content);
}

std::string side(const char* label, const AlignReport::Side& s) {
  return fmt::format(
      "<div><div class=\"label\">{}</div><div class=\"mono\">{}</div><div class=\"note\">{}</div></div>",
      label, html_text(s.given), html_text(s.how()));
}

std::string headline(const AlignReport& report) {
  int64_t mismatched = 0, elements = 0;
  double largest = 0, tightest = 0;
  for (const OutputComparison& output : report.outputs) {
    mismatched += output.mismatched;
    elements += output.elements;
    largest = std::max(largest, output.max_abs);
    tightest = std::max(tightest, output.tightest_atol_at_rtol);
  }
  return fmt::format(
      "{} of {} output elements differ. The largest difference is {}; at this rtol the pair passes from "
      "atol {} on.",
      html_count(mismatched), html_count(elements), html_number(largest), html_number(tightest));
}

std::string verdict_card(const AlignReport& report) {
  const std::string name(verdict_name(report.verdict));
  const std::string tone = name.substr(0, name.find(' '));
  std::string inputs = fmt::format("{} {} sample{}", html_count(report.samples), report.inputs,
                                   report.samples == 1 ? "" : "s");
  if (report.inputs == "random") inputs += fmt::format(", uniform in [0, 1), seed {}", report.seed);
  return fmt::format(
      "<section class=\"card verdict {}\"><span class=\"badge\">{}</span><p class=\"headline\">{}</p>"
      "<code class=\"formula\">|candidate − reference| ≤ {:g} + {:g} · |reference|</code>"
      "<p class=\"note\">for every element of every output; {}</p><div "
      "class=\"sides\">{}{}</div></section>\n",
      tone, name, headline(report), report.atol, report.rtol, inputs, side("Reference", report.reference),
      side("Candidate", report.candidate));
}

std::string cause_card(const AlignCause& cause) {
  std::string out = fmt::format(
      "<section class=\"card cause\"><div class=\"label\">Cause</div><p><span class=\"kind\">{}</span> "
      "at <code>{}</code>{}</p><p>{}</p>",
      html_text(cause.kind), html_text(cause.node),
      cause.op.empty() ? "" : fmt::format(" ({})", html_text(cause.op)), html_text(cause.message));
  if (!cause.source.empty())
    out += fmt::format("<p class=\"where mono\">{}</p>", html_text(short_source(cause.source)));
  return out + "</section>\n";
}

std::string output_row(const OutputComparison& output) {
  std::string row = fmt::format("<tr{}>", output.equal() ? "" : " class=\"departed\"");
  row += cell("output", fmt::format("<code>{}</code>", html_text(output.name)), false);
  if (!output.problem.empty()) {
    return row + fmt::format("<td colspan=\"8\" data-label=\"\">{}</td></tr>\n", html_text(output.problem));
  }
  const double share = output.elements > 0 ? 100.0 * static_cast<double>(output.mismatched) /
                                                 static_cast<double>(output.elements)
                                           : 0;
  row += cell("mismatched", fmt::format("{} / {}<br><span class=\"where\">{:.3g}%</span>",
                                        html_count(output.mismatched), html_count(output.elements), share));
  row += cell("max |difference|", html_number(output.max_abs));
  row += cell("max relative", html_number(output.max_rel));
  row += cell("budget used", html_number(output.budget_use) + use_bar(output.budget_use));
  row += cell("tightest atol", html_number(output.tightest_atol_at_rtol));
  const auto& wide = output.max_abs_vs_float64;
  row += cell("reference − float64", wide ? html_number(wide->first) : "–");
  row += cell("candidate − float64", wide ? html_number(wide->second) : "–");
  row += cell("within float32", !output.within_float32   ? "–"
                                : *output.within_float32 ? "<span class=\"yes\">yes</span>"
                                                         : "<span class=\"no\">no</span>");
  return row + "</tr>\n";
}

std::string output_table(const AlignReport& report) {
  std::string rows;
  for (const OutputComparison& output : report.outputs) rows += output_row(output);
  return "<h2>Outputs</h2><div class=\"card scroll\"><table class=\"stack\"><thead><tr><th>output</th><th "
         "class=\"n\">mismatched</th>"
         "<th class=\"n\">max |difference|</th><th class=\"n\">max relative</th><th class=\"n\">budget "
         "used</th>"
         "<th class=\"n\">tightest atol</th><th class=\"n\">reference<br>− float64</th><th "
         "class=\"n\">candidate<br>− float64</th>"
         "<th class=\"n\">within<br>float32</th></tr></thead><tbody>\n" +
         rows + "</tbody></table>" + csv_link(report.outputs) + "</div>\n";
}

std::string offender_table(const OutputComparison& output) {
  if (output.offenders.empty()) return "<p class=\"note\">No element is beyond the tolerance.</p>\n";
  std::string rows;
  for (const auto& offender : output.offenders)
    rows += fmt::format(
        "<tr><td class=\"n\">{}</td><td class=\"mono\">{}</td><td class=\"n\">{:.9g}</td><td "
        "class=\"n\">{:.9g}</td></tr>\n",
        offender.sample, offender.place(), offender.actual, offender.desired);
  return "<div class=\"scroll\"><table><thead><tr><th class=\"n\">sample</th><th>index</th><th "
         "class=\"n\">candidate</th><th "
         "class=\"n\">reference</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

/// The outputs that are shown in detail: those that use most of the budget, in the model's order.
std::vector<const OutputComparison*> detailed_outputs(const AlignReport& report) {
  std::vector<const OutputComparison*> outputs;
  for (const OutputComparison& output : report.outputs)
    if (output.elements > 0 && !output.histogram.empty()) outputs.push_back(&output);
  if (outputs.size() <= kDetailedMax) return outputs;
  std::ranges::sort(outputs, std::greater(), [](const auto* output) { return output->budget_use; });
  outputs.resize(kDetailedMax);
  std::ranges::sort(outputs);
  return outputs;
}

std::string output_details(const AlignReport& report) {
  const std::vector<const OutputComparison*> outputs = detailed_outputs(report);
  std::string out;
  for (const OutputComparison* shown : outputs) {
    const OutputComparison& output = *shown;
    out += fmt::format(
        "<section class=\"card\"><code>{}</code> <span class=\"note\">half of the differences are at most "
        "{}, "
        "90% at most {}, "
        "99% at most {}; worst in sample {}</span><div class=\"two\"><div><h3>|difference| by "
        "size</h3>{}</div>"
        "<div><h3>First mismatches</h3>{}</div><div><h3>Candidate against reference</h3>{}</div>"
        "<div><h3>Where the budget is used</h3>{}</div></div></section>\n",
        html_text(output.name), html_number(output.percentile_50), html_number(output.percentile_90),
        html_number(output.percentile_99), output.worst_sample, histogram_chart(output, report.atol),
        offender_table(output), scatter_chart(output), heat_map(output.map));
  }
  if (out.empty()) return "";
  const std::string note =
      outputs.size() == kDetailedMax && outputs.size() < report.outputs.size()
          ? fmt::format("<p class=\"note\">The {} of {} outputs that use most of the budget.</p>\n",
                        outputs.size(), report.outputs.size())
          : "";
  return "<h2>Differences</h2>\n" + note + out;
}

std::string layer_section(const AlignReport& report) {
  if (report.layers.empty()) return "";
  const bool has_difference =
      std::ranges::any_of(report.layers, [](const auto& layer) { return layer.difference.has_value(); });
  std::string legend =
      "<div class=\"legend\"><span><i style=\"background:var(--error)\"></i>candidate's error from exact "
      "arithmetic</span>"
      "<span><i style=\"background:var(--isolated)\"></i>of this step alone, from exact inputs</span>";
  if (has_difference)
    legend += "<span><i style=\"background:var(--difference)\"></i>difference from the reference</span>";
  legend +=
      "<span><i class=\"area\" style=\"background:var(--floor)\"></i>what rounding explains</span></div>";
  const auto first = std::ranges::find_if(report.layers, &LayerComparison::departed);
  const std::string verdict =
      first == report.layers.end()
          ? "Every value is within what rounding explains."
          : fmt::format("The first value beyond what rounding explains is <code>{}</code>.",
                        html_text(first->name));
  return fmt::format(
      "<h2>Layers</h2><section class=\"card\"><p>{} <span class=\"note\">Sample {}, in the order of "
      "execution.</span></p>{}"
      "<div class=\"scroll\">{}</div></section><section class=\"card scroll\">{}{}</section>\n",
      verdict, report.layers_sample, legend, layer_chart(report.layers), layer_table(report.layers),
      csv_link(report.layers));
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const char c = text[0];
    if (length == 0)
      out += "\xEF\xBF\xBD";
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20)
      out += ' ';
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

std::string html_number(double value) {
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  return fmt::format("{:.3g}", value);
}

std::string html_count(int64_t value) {
  std::string digits = std::to_string(value);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string layer_table(const std::vector<LayerComparison>& layers) {
  auto two_lines = [](const std::string& first, const std::string& second) {
    return fmt::format("<code>{}</code><br><span class=\"where\">{}</span>", html_text(first),
                       html_text(second));
  };
  std::string rows;
  bool seen = false;
  for (const LayerComparison& layer : layers) {
    const bool is_first = layer.departed && !seen;
    seen |= layer.departed;
    rows += fmt::format("<tr class=\"{}{}\">", layer.departed ? "departed" : "", is_first ? " first" : "");
    rows += cell("value", two_lines(layer.name, layer.op), false);
    rows += fmt::format(
        "<td data-label=\"PyTorch\" class=\"where source{3}\" "
        "title=\"{1}\"><span><b>{0}</b>{2}{1}</span></td>",
        html_text(layer.module), html_text(short_source(layer.source)),
        layer.module.empty() || layer.source.empty() ? "" : "<br>",
        layer.module.empty() && layer.source.empty() ? " none" : "");
    rows += cell("ONNX node, kernel", two_lines(layer.node, layer.kernel), false);
    rows += cell("of this step", layer.isolated_error ? html_number(*layer.isolated_error) : "–");
    rows += cell("error", html_number(layer.error));
    rows += cell("floor", html_number(layer.floor));
    rows += cell("difference", layer.difference ? html_number(*layer.difference) : "–") + "</tr>\n";
  }
  return "<table class=\"stack layers\"><thead><tr><th>value, operators</th><th>PyTorch</th><th>ONNX node, "
         "kernel</th>"
         "<th class=\"n\">of this step</th><th class=\"n\">error</th><th class=\"n\">floor</th>"
         "<th class=\"n\">difference</th></tr></thead><tbody>\n" +
         rows + "</tbody></table>\n";
}

}  // namespace alignment

std::string_view short_source(std::string_view source) {
  constexpr std::string_view kFolder = "site-packages/";
  const size_t folder = source.find(kFolder);
  return folder == std::string_view::npos ? source : source.substr(folder + kFolder.size());
}

std::string to_html(const AlignReport& report) {
  using namespace alignment;
  std::string body =
      "<h1>Alignment report</h1><p class=\"note\">made by tenon align</p>\n" + verdict_card(report);
  if (report.cause) body += cause_card(*report.cause);
  for (const std::string& warning : report.warnings)
    body += fmt::format("<section class=\"card warning\">{}</section>\n", html_text(warning));
  body += output_table(report) + output_details(report) + layer_section(report);
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, "
      "initial-scale=1\"><title>{}: "
      "{}</title><style>{}</style></head>\n<body><main>\n{}</main></body></html>\n",
      verdict_name(report.verdict), html_text(report.candidate.given), kStyle, body);
}

Status write_html(const AlignReport& report, const std::string& path) {
  return write_file(path, to_html(report));
}

}  // namespace tenon
