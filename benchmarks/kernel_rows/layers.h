// Layers of real networks at batch 1, as graphs that one kernel row computes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/core/row_cases.h"

namespace tenon::benchmarks {

struct Layer {
  std::string name;
  double operations = 0;  ///< Multiplications and additions of the plain algorithm.
  double bytes = 0;       ///< Input, weights and output, each moved once.
  std::function<void(ops::RowModel&)> build;
};

std::vector<Layer> layers();

}  // namespace tenon::benchmarks
