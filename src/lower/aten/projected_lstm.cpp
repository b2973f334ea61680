#include "lower/aten/projected_lstm.h"

#include "lower/aten/math.h"

namespace tenon::lower {

namespace {

Result<ValueId> turned(Math& m, ValueId matrix) {
  return m.add_node(Op::kTranspose, {matrix}, {{"perm", std::vector<int64_t>{1, 0}}});
}

// One step: gates = x + h w_hh' (i, f, g, o beside each other), c = f c + i g, h = (o tanh(c)) w_hr'.
struct Step {
  ValueId h, c;
};
Result<Step> add_step(Math& m, ValueId gates_of_x, ValueId h, ValueId c, ValueId w_hh, ValueId w_hr,
                      int64_t hidden) {
  const ValueId recurrent = TENON_TRY(m.add_node(Op::kMatMul, {h, w_hh}));
  const ValueId gates = TENON_TRY(m.add(gates_of_x, recurrent));
  auto gate = [&](int64_t i, Op activation) -> Result<ValueId> {
    const ValueId part = TENON_TRY(m.add_node(
        Op::kSlice, {gates, m.builder().constant_ints({i * hidden}),
                     m.builder().constant_ints({(i + 1) * hidden}), m.builder().constant_ints({1})}));
    return m.add_node(activation, {part});
  };
  const ValueId i = TENON_TRY(gate(0, Op::kSigmoid));
  const ValueId f = TENON_TRY(gate(1, Op::kSigmoid));
  const ValueId g = TENON_TRY(gate(2, Op::kTanh));
  const ValueId o = TENON_TRY(gate(3, Op::kSigmoid));
  const ValueId next = TENON_TRY(m.add(TENON_TRY(m.mul(f, c)), TENON_TRY(m.mul(i, g))));
  const ValueId shown = TENON_TRY(m.mul(o, TENON_TRY(m.add_node(Op::kTanh, {next}))));
  return Step{TENON_TRY(m.add_node(Op::kMatMul, {shown, w_hr})), next};
}

}  // namespace

// A Scan over the steps, of what x alone gives to the gates.
Result<ProjectedLstmResult> add_projected_lstm(LowerContext& context, const ProjectedLstm& given) {
  Math outer(context.builder());
  const DataType type = outer.type(given.x);
  ProjectedLstm lstm = given;
  for (ValueId* value :
       {&lstm.x, &lstm.w_ih, &lstm.w_hh, &lstm.b_ih, &lstm.b_hh, &lstm.w_hr, &lstm.h, &lstm.c})
    if (*value != kNoValue) *value = TENON_TRY(outer.cast(*value, aten::computing_type(type)));
  ValueId gates_of_x = TENON_TRY(outer.add_node(Op::kMatMul, {lstm.x, TENON_TRY(turned(outer, lstm.w_ih))}));
  for (ValueId bias : {lstm.b_ih, lstm.b_hh})
    if (bias != kNoValue) gates_of_x = TENON_TRY(outer.add(gates_of_x, bias));
  const ValueId w_hh = TENON_TRY(turned(outer, lstm.w_hh));
  const ValueId w_hr = TENON_TRY(turned(outer, lstm.w_hr));

  auto body = std::make_shared<Graph>();
  body->name = "step";
  Lowering scope(*body, &context.lowering());
  scope.builder().set_origin(context.builder().origin_name(), provenance_of(context.node()));
  const ValueId h = body->add_input("h", context.type(lstm.h));
  const ValueId c = body->add_input("c", context.type(lstm.c));
  ValueType slice = context.type(gates_of_x);
  slice.shape->erase(slice.shape->begin());
  const ValueId x = body->add_input("gates_of_x", std::move(slice));
  Math inner(scope.builder());
  const Step step =
      TENON_TRY(add_step(inner, x, h, c, scope.capture(w_hh), scope.capture(w_hr), lstm.hidden));
  body->outputs = {step.h, step.c, TENON_TRY(inner.add_node(Op::kIdentity, {step.h}))};

  const int64_t direction = lstm.backward ? 1 : 0;
  Node node;
  node.op = Op::kScan;
  node.attributes = {{"num_scan_inputs", int64_t{1}},
                     {"scan_input_directions", std::vector<int64_t>{direction}},
                     {"scan_output_directions", std::vector<int64_t>{direction}}};
  node.inputs = {lstm.h, lstm.c, gates_of_x};
  node.subgraphs.emplace_back("body", std::move(body));
  for (const char* name : {"h_n", "c_n", "y"})
    node.outputs.push_back(context.builder().graph().add_value(name));
  const std::vector<ValueId> made = node.outputs;
  TENON_TRY(context.builder().add_node(std::move(node)));
  return ProjectedLstmResult{TENON_TRY(outer.cast(made[2], type)), TENON_TRY(outer.cast(made[0], type)),
                             TENON_TRY(outer.cast(made[1], type))};
}

}  // namespace tenon::lower
