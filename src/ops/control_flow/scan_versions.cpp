// Scan of opset 8: each item of a batch is scanned along axis 1, as far as its length goes. Upgraded to a
// scan over the batch, whose body holds the scan of one item.
#include "ops/control_flow/scan.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// What becomes of the file's node: counts and the item scan's attributes.
struct OldScan {
  size_t states = 0;
  size_t scan_inputs = 0;
  size_t outputs = 0;
  bool has_lengths = false;
  Attributes inner;
};

// The first `length` slices of a scan input, and later zeros in place of the slices that a scan did not
// reach.
Result<ValueId> cut(GraphBuilder& builder, ValueId x, ValueId length) {
  const ValueId zero = builder.constant_ints({0});
  return builder.add(Op::kSlice, {x, zero, length, zero});
}
Result<ValueId> fill_up(GraphBuilder& builder, ValueId y, ValueId length, ValueId whole_length) {
  const ValueId missing = TENON_TRY(builder.add(Op::kSub, {whole_length, length}));
  const ValueId zero = builder.constant_ints({0});
  const ValueId pads = TENON_TRY(builder.add(Op::kConcat, {zero, missing}, {{"axis", int64_t{0}}}));
  return builder.add(Op::kPad, {y, pads, kNoValue, zero});
}

// The graph around one item's scan: it takes that item's states, its length where lengths are given, and its
// scan inputs, and gives what the scan does. Values that the body captures pass through it.
Result<std::shared_ptr<Graph>> item_graph(const Graph& outer, const std::shared_ptr<Graph>& body,
                                          const OldScan& old) {
  auto item = std::make_shared<Graph>();
  item->name = body->name + "_item";
  GraphBuilder builder(*item);
  builder.set_origin("item", nullptr);
  Node scan;
  scan.op = Op::kScan;
  scan.attributes = old.inner;
  for (size_t i = 0; i < old.states; ++i) scan.inputs.push_back(item->add_input("item_state", {}));
  ValueId length = kNoValue;
  ValueId whole_length = kNoValue;
  if (old.has_lengths) {
    const ValueId scalar = item->add_input("item_length", ValueType::tensor(DataType::kInt64, SymShape{}));
    length = TENON_TRY(builder.add(Op::kUnsqueeze, {scalar, builder.constant_ints({0})}));
  }
  for (size_t i = 0; i < old.scan_inputs; ++i) {
    ValueId x = item->add_input("item_input", {});
    if (old.has_lengths) {
      if (i == 0)
        whole_length = TENON_TRY(builder.add(Op::kShape, {x}, {{"start", int64_t{0}}, {"end", int64_t{1}}}));
      x = TENON_TRY(cut(builder, x, length));
    }
    scan.inputs.push_back(x);
  }
  for (size_t i = 0; i < old.outputs; ++i) scan.outputs.push_back(item->add_value("item_output"));
  item->outputs = scan.outputs;
  auto inner_body = std::make_shared<Graph>(*body);
  for (Capture& capture : inner_body->captures) {
    ValueId through = item->add_value(outer.value(capture.outer).name, outer.value(capture.outer).type);
    item->captures.push_back({capture.outer, through});
    capture.outer = through;
  }
  scan.subgraphs = {{"body", std::move(inner_body)}};
  TENON_TRY(builder.add_node(std::move(scan)));
  if (old.has_lengths)
    for (size_t i = old.states; i < old.outputs; ++i)
      item->outputs[i] = TENON_TRY(fill_up(builder, item->outputs[i], length, whole_length));
  return item;
}

}  // namespace

Status upgrade_scan(UpgradeContext& context) {
  if (context.since_version() >= 9) return upgrade_unchanged(context);
  if (context.subgraphs().empty()) return fail(ErrorCode::kInvalidModel, "the attribute 'body' is missing");
  const Attributes& attributes = context.attributes();
  const int64_t scanned = attributes.integer("num_scan_inputs");
  const auto count = static_cast<int64_t>(context.input_count()) - 1;
  if (scanned < 1 || scanned > count)
    return fail(ErrorCode::kInvalidModel, "num_scan_inputs is {} and there are {} inputs", scanned, count);
  OldScan old;
  old.scan_inputs = static_cast<size_t>(scanned);
  old.states = static_cast<size_t>(count - scanned);
  old.outputs = context.output_count();
  old.has_lengths = context.has_input(0);
  old.inner = {{"num_scan_inputs", scanned}};
  if (attributes.has("directions")) old.inner.set("scan_input_directions", attributes.integers("directions"));

  Node node;
  node.op = Op::kScan;
  node.inputs.assign(context.inputs().begin() + 1, context.inputs().end());
  if (old.has_lengths)
    node.inputs.insert(node.inputs.begin() + static_cast<int64_t>(old.states), context.input(0));
  node.outputs = context.outputs();
  node.attributes = {{"num_scan_inputs", static_cast<int64_t>(node.inputs.size())}};
  auto item = TENON_TRY(item_graph(context.builder().graph(), context.subgraphs()[0].second, old));
  node.subgraphs = {{"body", std::move(item)}};
  return context.builder().add_node(std::move(node));
}

}  // namespace tenon::ops
