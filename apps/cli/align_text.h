// An alignment as text of 80 columns and as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "tenon/align.h"

namespace tenon::cli {

/// The object that docs/guide/align.md describes. Infinite figures are null.
nlohmann::ordered_json align_json(const AlignReport& report);
/// To standard output.
void print_align(const AlignReport& report);

}  // namespace tenon::cli
