// The report's tables as CSV (RFC 4180), and as links that hold them.
#include <cctype>

#include "align/html.h"
#include "base/try.h"

namespace tenon::alignment {

namespace {

constexpr size_t kRowsMax = 10'000;

/// Appends a row; fields that hold separators are quoted.
class Table {
 public:
  explicit Table(std::string_view header) : text_(header) { text_ += "\r\n"; }

  Table& field(std::string_view value) {
    if (!at_begin_) text_ += ',';
    at_begin_ = false;
    if (value.find_first_of(",\"\r\n") == value.npos) {
      text_ += value;
      return *this;
    }
    text_ += '"';
    for (char c : value) text_ += c == '"' ? std::string("\"\"") : std::string(1, c);
    text_ += '"';
    return *this;
  }
  template <class T>
    requires(std::is_arithmetic_v<T>)
  Table& field(T value) {
    return field(std::string_view(fmt::format("{}", value)));
  }
  template <class T>
  Table& field(const std::optional<T>& value) {
    return value ? field(*value) : field(std::string_view());
  }
  void end_row() {
    text_ += "\r\n";
    at_begin_ = true;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  bool at_begin_ = true;
};

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte < 0x80 && (std::isalnum(byte) != 0 ||
                                       std::string_view(",-_.~/:[]+").find(c) != std::string_view::npos);
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", byte);
  }
  return out;
}

std::string outputs_csv(const std::vector<OutputComparison>& outputs) {
  Table table(
      "name,elements,mismatched,max_abs,max_rel,budget_use,tightest_atol_at_rtol,percentile_50,percentile_90,"
      "percentile_99,reference_vs_float64,candidate_vs_float64,within_float32,worst_sample,varies,problem");
  for (const OutputComparison& output : outputs) {
    const auto& wide = output.max_abs_vs_float64;
    table.field(output.name).field(output.elements).field(output.mismatched);
    table.field(output.max_abs).field(output.max_rel).field(output.budget_use);
    table.field(output.tightest_atol_at_rtol);
    table.field(output.percentile_50).field(output.percentile_90).field(output.percentile_99);
    table.field(wide ? std::optional(wide->first) : std::nullopt);
    table.field(wide ? std::optional(wide->second) : std::nullopt);
    table.field(output.within_float32).field(output.worst_sample).field(output.varies);
    table.field(output.problem).end_row();
  }
  return table.take();
}

std::string layers_csv(const std::vector<LayerComparison>& layers) {
  Table table(
      "name,node,op,source,module,kernel,isolated_error,isolated_use,error,floor,difference,scale,departed");
  for (const LayerComparison& layer : layers) {
    table.field(layer.name).field(layer.node).field(layer.op).field(layer.source).field(layer.module);
    table.field(layer.kernel).field(layer.isolated_error).field(layer.isolated_use).field(layer.error);
    table.field(layer.floor).field(layer.difference).field(layer.scale).field(layer.departed).end_row();
  }
  return table.take();
}

std::string link(const char* file, size_t rows, const std::string& csv) {
  if (rows > kRowsMax)
    return fmt::format("<p class=\"note\">{} rows: tenon align --json prints them.</p>\n",
                       html_count(static_cast<int64_t>(rows)));
  return fmt::format(
      "<p class=\"note\"><a download=\"{0}\" href=\"data:text/csv;charset=utf-8,{1}\">Download as "
      "CSV</a></p>\n",
      file, percent_encoded(csv));
}

}  // namespace

std::string csv_link(const std::vector<OutputComparison>& outputs) {
  return link("outputs.csv", outputs.size(), outputs_csv(outputs));
}

std::string csv_link(const std::vector<LayerComparison>& layers) {
  return link("layers.csv", layers.size(), layers_csv(layers));
}

}  // namespace tenon::alignment
