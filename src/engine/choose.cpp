#include "engine/choose.h"

#include <algorithm>

#include "engine/reference_kernel.h"
#include "kernels/layout/blocked.h"
#include "ops/core/registry.h"

namespace tenon {

namespace {

using ops::Layout;

StoredAs stored_as(const ValueType& type, Layout layout, Isa isa) {
  if (layout == Layout::kPlain || !can_block(type)) return {};
  return {layout, *(*type.shape)[1].constant(), kernels::block_lanes(isa)};
}

/// Gives a step its kernel, behind reorders where inputs are stored in another layout than it takes.
void set_kernel(std::unique_ptr<const ops::Kernel> kernel, std::vector<StoredAs> given,
                std::vector<StoredAs> taken, ReorderMemory memory, Step& step) {
  step.reorders = 0;
  for (size_t i = 0; i < given.size(); ++i) step.reorders += given[i].layout != taken[i].layout ? 1 : 0;
  step.kernel = step.reorders == 0
                    ? std::move(kernel)
                    : reorder_inputs(std::move(kernel), std::move(given), std::move(taken), memory);
}

/// How a row wants each input of a region, and makes its outputs.
std::vector<StoredAs> taken_by(const ops::KernelRow& row, const ops::Region& region) {
  std::vector<StoredAs> taken;
  const ValueId first = region.anchor_node().has_input(0) ? region.anchor_node().inputs[0] : kNoValue;
  for (ValueId id : region.inputs) {
    const Layout layout = id == first ? row.layouts.input : row.layouts.output;
    taken.push_back(stored_as(region.type(id), layout, row.isa));
  }
  return taken;
}

/// Whether inputs arrive as a row in the blocked layout takes them, and any of them is blocked at all.
bool arrive_blocked(const std::vector<StoredAs>& given, const std::vector<StoredAs>& taken) {
  return std::ranges::equal(given, taken, {}, &StoredAs::layout, &StoredAs::layout) &&
         std::ranges::any_of(given, [](const StoredAs& stored) { return stored.layout == Layout::kBlocked; });
}

/// Notes what a kernel packs.
class Recorder final : public kernels::Packing {
 public:
  Recorder(kernels::Packing& from, std::vector<kernels::PackedFloats>& to) : from_(from), to_(to) {}
  kernels::PackedFloats pack(size_t floats, FunctionRef<void(float*)> fill) override {
    return to_.emplace_back(from_.pack(floats, fill));
  }

 private:
  kernels::Packing& from_;
  std::vector<kernels::PackedFloats>& to_;
};

bool is_preferred(const ops::KernelRow& row, const EngineOptions& options) {
  return std::ranges::any_of(options.preferred_rows,
                             [&](const std::string& name) { return row.name.starts_with(name); });
}

/// The first row that fits the region and is chosen, prepared; false when there is none. With `preferred` the
/// first preferred row that fits.
Result<bool> try_rows(const ops::Region& region, const EngineOptions& options, Choice& choice,
                      EngineGraph& compiled, Step& step, bool preferred) {
  const Node& anchor = region.anchor_node();
  std::vector<StoredAs> given;
  for (ValueId id : region.inputs) given.push_back(compiled.stored[index(id)]);
  for (const ops::KernelRow& row : ops::op_def(anchor.op).rows) {
    const bool blocked = row.layouts.input == Layout::kBlocked || row.layouts.output == Layout::kBlocked;
    if (blocked ? row.isa != options.isa : row.isa > options.isa) continue;
    std::vector<StoredAs> taken = taken_by(row, region);
    if (blocked && !row.layouts.seeks && !arrive_blocked(given, taken)) continue;
    if (preferred && !is_preferred(row, options)) continue;
    if (!row.fits(region) || (!preferred && !choice.takes(region, row))) continue;
    Recorder recorder(choice.packing(), step.packed);
    auto kernel = row.prepare(region, recorder);
    if (!kernel.ok()) return at_node(std::move(kernel.error()), anchor.name, op_name(anchor.op));
    step.row = row.name;
    step.spreads = row.spreads;
    set_kernel(std::move(*kernel), std::move(given), std::move(taken), ReorderMemory::kScratch, step);
    for (ValueId id : region.outputs)
      compiled.stored[index(id)] = stored_as(region.type(id), row.layouts.output, row.isa);
    return true;
  }
  return false;
}

/// The values that a node makes.
std::vector<ValueId> made_by(const Node& node) {
  std::vector<ValueId> outputs;
  for (ValueId id : node.outputs)
    if (id != kNoValue) outputs.push_back(id);
  return outputs;
}

/// The region without its last node: what the last node read from it is now its output.
ops::Region without_last(const ops::Region& region) {
  std::vector<const Node*> nodes(region.nodes.begin(), region.nodes.end() - 1);
  std::vector<ValueId> outputs = made_by(*nodes.back());
  return make_region(*region.graph, std::move(nodes), region.anchor, std::move(outputs));
}

}  // namespace

namespace {

/// A step for each node before a region's anchor, unless it has one, and the region without them.
Result<ops::Region> without_head(const ops::Region& region, const EngineOptions& options, Choice& choice,
                                 EngineGraph& compiled) {
  const auto anchor = region.nodes.begin() + static_cast<std::ptrdiff_t>(region.anchor);
  for (auto node = region.nodes.begin(); node != anchor; ++node) {
    const bool has_step = std::ranges::any_of(compiled.steps, [&](const Step& step) {
      return step.region.is_single() && step.region.nodes[0] == *node;
    });
    if (!has_step)
      TENON_TRY(
          add_steps(make_region(*region.graph, {*node}, 0, made_by(**node)), options, choice, compiled));
  }
  return make_region(*region.graph, {anchor, region.nodes.end()}, 0, region.outputs);
}

}  // namespace

Status add_steps(ops::Region region, const EngineOptions& options, Choice& choice, EngineGraph& compiled) {
  std::vector<const Node*> rest;  // cut off, last first
  Step step;
  if (!options.references_only) {
    const auto take_row = [&]() -> Result<bool> {
      if (!options.preferred_rows.empty() &&
          TENON_TRY(try_rows(region, options, choice, compiled, step, true)))
        return true;
      return try_rows(region, options, choice, compiled, step, false);
    };
    while (!TENON_TRY(take_row()) && !region.is_single()) {
      if (region.anchor > 0) {
        region = TENON_TRY(without_head(region, options, choice, compiled));
        continue;
      }
      rest.push_back(region.nodes.back());
      region = without_last(region);
    }
  }
  if (step.kernel == nullptr) {
    std::vector<StoredAs> given;
    for (ValueId id : region.inputs) given.push_back(compiled.stored[index(id)]);
    step.row = "reference";
    std::vector<StoredAs> plain(given.size());
    const bool is_view =
        region.is_single() && region.inputs.size() == 1 && ops::op_def(region.anchor_node().op).traits.view;
    set_kernel(TENON_TRY(ReferenceKernel::make(region)), std::move(given), std::move(plain),
               is_view ? ReorderMemory::kOutput : ReorderMemory::kOwn, step);
  }
  const Graph& graph = *region.graph;
  step.region = std::move(region);
  TENON_TRY(choice.done(step));
  compiled.steps.push_back(std::move(step));
  for (; !rest.empty(); rest.pop_back()) {
    TENON_TRY(
        add_steps(make_region(graph, {rest.back()}, 0, made_by(*rest.back())), options, choice, compiled));
  }
  return {};
}

}  // namespace tenon
