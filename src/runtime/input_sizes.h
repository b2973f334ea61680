// The sizes of a model's inputs: what those that are given say of its symbols, and small ones that fit
// together.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/graph.h"
#include "tenon/session.h"

namespace tenon {

/// What symbols stand for in one run.
class SymbolSizes {
 public:
  std::optional<int64_t> find(const std::string& symbol) const;
  /// The size of a dimension, where all of its symbols are known.
  std::optional<int64_t> evaluate(const SymInt& dimension) const;
  /// Makes `form` have that size, unless its symbol is known already. False when no size of the symbol does.
  bool learn(const LinearSize& form, int64_t size);

 private:
  std::unordered_map<std::string, int64_t> sizes_;
};

/// Sizes for all symbols of the model's inputs: where `batch` is above 0, what makes first dimensions that
/// large; else 1 where that suits every dimension that the symbol stands in, or the least that does.
SymbolSizes example_sizes(const TypedModel& model, int64_t batch = 0);

/// The descriptions of the model's inputs in order, with what their dimensions may be.
std::vector<ValueDescription> describe_inputs(const TypedModel& model);

}  // namespace tenon
