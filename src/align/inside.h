// Inside: the values that a model makes on its way in one sample, in exact arithmetic, and how far from them
// rounding may take a run.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "align/sample.h"
#include "align/widen.h"
#include "ir/graph.h"

namespace tenon::alignment {

class Inside {
 public:
  /// Runs the graph in float64, and once more with random rounding errors of the probable size after every
  /// node. Inputs by name.
  static Result<Inside> look(const Graph& graph, const Sample& inputs, int threads);

  const Graph& graph() const { return *graph_; }
  const WideGraph& wide() const { return *wide_; }
  /// The exact value, floating point ones in float64; null when there is none of that name in the main graph.
  const Value* exact(std::string_view name) const;
  /// How far rounding probably takes elements of the value from the exact ones: 4 times the largest error of
  /// the run with random errors. Infinite where these changed what is finite, or an integer.
  double floor(std::string_view name) const;
  /// max |exact| over finite elements.
  double scale(std::string_view name) const;

 private:
  const Graph* graph_ = nullptr;
  std::shared_ptr<const WideGraph> wide_;
  std::unordered_map<std::string, Value> exact_;
  std::unordered_map<std::string, double> floors_;
};

/// One run of a graph by the references as it is; the graph's outputs in order. Inputs by name.
Result<std::vector<Value>> evaluate_by_name(const Graph& graph, const Sample& inputs, int threads);

/// Collects every value of the main graph, in float64, by name.
Result<std::unordered_map<std::string, Value>> exact_values(const Graph& wide, const Sample& inputs,
                                                            int threads);

}  // namespace tenon::alignment
