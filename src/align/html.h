// Parts of the HTML report.
#pragma once

#include <string>
#include <string_view>

#include "tenon/align.h"

namespace tenon::alignment {

/// Text as it may stand in HTML, also between quotes. Bytes that are not UTF-8 become U+FFFD.
std::string html_text(std::string_view text);
/// "1.23e-06", "0", or an infinity sign.
std::string html_number(double value);
/// "20,000".
std::string html_count(int64_t value);
/// The errors of all layers on a logarithmic scale over the floor of rounding, the first departure marked.
std::string layer_chart(const std::vector<LayerComparison>& layers);
/// One row for each layer.
std::string layer_table(const std::vector<LayerComparison>& layers);
/// How many elements have a difference of which size, by decades, with the tolerance marked.
std::string histogram_chart(const OutputComparison& output, double atol);
/// Candidate against reference, a dot for each of `output.points`.
std::string scatter_chart(const OutputComparison& output);
/// The share of the budget that is used, by place.
std::string heat_map(const OutputComparison::Map& map);
/// A link that holds the table as CSV, all figures in full; without one when the table is too long for that.
std::string csv_link(const std::vector<OutputComparison>& outputs);
std::string csv_link(const std::vector<LayerComparison>& layers);

}  // namespace tenon::alignment
