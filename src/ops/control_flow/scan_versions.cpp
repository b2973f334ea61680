#include "ops/control_flow/scan.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// The graph around one batch item's scan: it takes that item's states and scan inputs, and gives what the
// scan does. Values that the body captures pass through it.
std::shared_ptr<Graph> item_graph(const Graph& outer, const std::shared_ptr<Graph>& body,
                                  const Attributes& inner, size_t inputs, size_t outputs, Status& status) {
  auto item = std::make_shared<Graph>();
  item->name = body->name + "_item";
  Node scan;
  scan.op = Op::kScan;
  scan.attributes = inner;
  for (size_t i = 0; i < inputs; ++i) scan.inputs.push_back(item->add_input("item_input", {}));
  for (size_t i = 0; i < outputs; ++i) scan.outputs.push_back(item->add_value("item_output"));
  item->outputs = scan.outputs;
  auto inner_body = std::make_shared<Graph>(*body);
  for (Capture& capture : inner_body->captures) {
    ValueId through = item->add_value(outer.value(capture.outer).name, outer.value(capture.outer).type);
    item->captures.push_back({capture.outer, through});
    capture.outer = through;
  }
  scan.subgraphs = {{"body", std::move(inner_body)}};
  status = GraphBuilder(*item).add_node(std::move(scan));
  return item;
}

}  // namespace

Status upgrade_scan(UpgradeContext& context) {
  if (context.since_version() >= 9) return upgrade_unchanged(context);
  if (context.has_input(0)) return fail(ErrorCode::kUnsupported, "Scan of opset 8 with sequence_lens");
  const std::vector<ValueId> inputs(context.inputs().begin() + 1, context.inputs().end());
  const Attributes& old = context.attributes();
  Attributes inner = {{"num_scan_inputs", old.integer("num_scan_inputs")}};
  if (old.has("directions")) inner.set("scan_input_directions", old.integers("directions"));
  if (context.subgraphs().empty()) return fail(ErrorCode::kInvalidModel, "the attribute 'body' is missing");
  Status status;
  auto item = item_graph(context.builder().graph(), context.subgraphs()[0].second, inner, inputs.size(),
                         context.output_count(), status);
  if (!status.ok()) return status;
  Node node;
  node.op = Op::kScan;
  node.inputs = inputs;
  node.outputs = context.outputs();
  node.attributes = {{"num_scan_inputs", static_cast<int64_t>(inputs.size())}};
  node.subgraphs = {{"body", std::move(item)}};
  return context.builder().add_node(std::move(node));
}

}  // namespace tenon::ops
