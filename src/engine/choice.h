// Choice: which of the rows that fit a step it takes, and where its packed weights come from. The engine asks
// while it compiles, step after step, in an order that depends on the graph alone.
#pragma once

#include "kernels/packing.h"
#include "ops/core/kernel.h"

namespace tenon {

struct Step;

/// This one goes by the cost model of the rows and packs anew.
class Choice {
 public:
  virtual ~Choice() = default;
  /// Whether the next step takes `row`, which fits `region`. Rows are asked for in the order of the
  /// operator's list; when none is taken, the step runs by references or the region is cut.
  virtual bool takes(const ops::Region& region, const ops::KernelRow& row) {
    return row.error <= 1 && (row.pays == nullptr || row.pays(region));
  }
  /// What the row that was taken packs its weights by.
  virtual kernels::Packing& packing() { return packing_; }
  /// The step has its kernel. An error ends the compilation.
  virtual Status done(const Step&) { return {}; }

 private:
  kernels::Packing packing_;
};

}  // namespace tenon
