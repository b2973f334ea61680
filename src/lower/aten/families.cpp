#include "lower/aten/families.h"

#include <algorithm>
#include <unordered_map>

#include "lower/lower.h"

namespace tenon::lower {

namespace {

using Table = std::unordered_map<std::string_view, HandlerFunction>;

const Table& all_handlers() {
  static const Table table = [] {
    Table result;
    for (auto family : {
             linear_algebra_handlers, loss_handlers,        special_handlers,    unique_handlers,
             control_flow_handlers,   expand_handlers,      factory_handlers,    index_handlers,
             join_handlers,           rearranging_handlers, scatter_handlers,    searching_handlers,
             slice_handlers,          view_handlers,        activation_handlers, arithmetic_handlers,
             comparison_handlers,     norm_handlers,        order_handlers,      pointwise_handlers,
             reduction_handlers,      softmax_handlers,     symbolic_handlers,   convolution_handlers,
             product_handlers,        pooling_handlers,     attention_handlers,  padding_handlers,
             sampling_handlers,       recurrent_handlers,   folding_handlers,    embedding_handlers,
         })
      for (const Handler& handler : family()) result.emplace(handler.target, handler.lower);
    return result;
  }();
  return table;
}

}  // namespace

HandlerFunction find_handler(std::string_view target) {
  const Table& table = all_handlers();
  auto it = table.find(target);
  if (it == table.end()) it = table.find(target.substr(0, target.rfind('.')));
  return it == table.end() ? nullptr : it->second;
}

std::vector<std::string_view> lowered_targets() {
  std::vector<std::string_view> targets;
  for (const auto& [target, handler] : all_handlers()) targets.push_back(target);
  std::sort(targets.begin(), targets.end());
  return targets;
}

}  // namespace tenon::lower
