// RNN, LSTM and GRU, whole layers and single cells, by the formulas of torch.nn. Layers become ONNX's
// operators of the same names; PyTorch's weights stay as they are and are put into ONNX's order of gates by
// nodes.
#include <string>

#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/projected_lstm.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

struct Layer {
  Op op;
  std::vector<int64_t> gates;  ///< Where each of ONNX's gates stands among PyTorch's.
  std::string activation;      ///< Of RNN.
  bool has_cell = false;
};

const Layer kRnnTanh{Op::kRNN, {0}, "Tanh"};
const Layer kRnnRelu{Op::kRNN, {0}, "Relu"};
const Layer kLstm{Op::kLSTM, {0, 3, 1, 2}, "", true};  // i f g o -> i o f c
const Layer kGru{Op::kGRU, {1, 0, 2}, ""};             // r z n -> z r h

class RecurrentLowering {
 public:
  RecurrentLowering(LowerContext& context, const Layer& layer) : context_(context), layer_(layer) {}

  Status run() {
    const aten::ArgumentReader& args = context_.args();
    if (TENON_TRY(args.boolean("train")) && TENON_TRY(args.number("dropout")) != 0)
      return context_.unsupported("a recurrent layer with dropout in training mode: call model.eval() first");
    has_biases_ = TENON_TRY(args.boolean("has_biases"));
    directions_ = TENON_TRY(args.boolean("bidirectional")) ? 2 : 1;
    const auto layers = static_cast<size_t>(TENON_TRY(args.integer("num_layers")));
    params_ = TENON_TRY(context_.tensors("params"));
    each_ = has_biases_ ? 4 : 2;
    projected_ = layer_.has_cell && params_.size() == layers * directions_ * (each_ + 1);
    if (projected_) ++each_;
    if (params_.size() != layers * directions_ * each_)
      return context_.unsupported(fmt::format("a recurrent layer with {} parameters", params_.size()));
    TENON_TRY(read_states());
    const auto gates = TENON_TRY(context_.known_shape(params_[1])).front().constant();
    if (!gates) return context_.unsupported("a recurrent layer of unknown width");
    hidden_ = *gates / static_cast<int64_t>(layer_.gates.size());

    const bool batch_first = TENON_TRY(args.boolean("batch_first"));
    ValueId x = TENON_TRY(context_.tensor("input"));
    if (batch_first) x = TENON_TRY(permute(context_, x, {1, 0, 2}));
    std::vector<ValueId> last_h, last_c;
    for (size_t l = 0; l < layers; ++l) {
      LayerResult result = projected_ ? TENON_TRY(add_projected_layer(x, l)) : TENON_TRY(add_layer(x, l));
      x = result.y;
      last_h.push_back(result.h);
      if (layer_.has_cell) last_c.push_back(result.c);
    }
    if (batch_first) x = TENON_TRY(permute(context_, x, {1, 0, 2}));
    std::vector<ValueId> results{x, TENON_TRY(joined(last_h))};
    if (layer_.has_cell) results.push_back(TENON_TRY(joined(last_c)));
    return context_.finish(results);
  }

 private:
  /// y is [steps, batch, directions * hidden], the last states [directions, batch, hidden].
  struct LayerResult {
    ValueId y, h, c;
  };

  Status read_states() {
    if (!layer_.has_cell) {
      states_ = {TENON_TRY(context_.tensor("hx"))};
      return {};
    }
    states_ = TENON_TRY(context_.tensors("hx"));
    return states_.size() == 2 ? Status()
                               : Status(context_.unsupported("an LSTM without two initial states"));
  }

  Result<ValueId> joined(const std::vector<ValueId>& parts, int64_t axis = 0) {
    return parts.size() == 1 ? Result<ValueId>(parts[0]) : context_.add(Op::kConcat, parts, {{"axis", axis}});
  }

  /// w_ih, w_hh, then b_ih and b_hh where there are biases, then w_hr where the LSTM is projected.
  ValueId parameter_of(size_t layer, size_t direction, size_t kind) const {
    return params_[(layer * directions_ + direction) * each_ + kind];
  }

  /// A parameter with its gates in ONNX's order.
  Result<ValueId> reordered(ValueId parameter) {
    if (layer_.gates.size() == 1) return parameter;
    std::vector<ValueId> parts;
    for (int64_t gate : layer_.gates)
      parts.push_back(TENON_TRY(slice(context_, parameter, 0, gate * hidden_, (gate + 1) * hidden_)));
    return joined(parts);
  }

  /// One parameter of every direction: [directions, ...].
  Result<ValueId> stacked(size_t layer, size_t kind) {
    std::vector<ValueId> parts;
    for (size_t d = 0; d < directions_; ++d) {
      const ValueId parameter = parameter_of(layer, d, kind);
      parts.push_back(TENON_TRY(unsqueeze(context_, TENON_TRY(reordered(parameter)), {0})));
    }
    return joined(parts);
  }

  Result<LayerResult> add_layer(ValueId x, size_t layer) {
    ValueId bias = kNoValue;
    if (has_biases_) {
      const std::vector<ValueId> both{TENON_TRY(stacked(layer, 2)), TENON_TRY(stacked(layer, 3))};
      bias = TENON_TRY(context_.add(Op::kConcat, both, {{"axis", int64_t{1}}}));
    }
    std::vector<ValueId> inputs{x, TENON_TRY(stacked(layer, 0)), TENON_TRY(stacked(layer, 1)), bias,
                                kNoValue};
    const auto first = static_cast<int64_t>(layer * directions_);
    for (ValueId state : states_)
      inputs.push_back(
          TENON_TRY(slice(context_, state, 0, first, first + static_cast<int64_t>(directions_))));
    Attributes attributes{{"hidden_size", hidden_},
                          {"direction", std::string(directions_ == 2 ? "bidirectional" : "forward")}};
    if (layer_.op == Op::kGRU) attributes.set("linear_before_reset", int64_t{1});
    if (!layer_.activation.empty())
      attributes.set("activations", std::vector<std::string>(directions_, layer_.activation));
    const std::vector<ValueId> outputs = TENON_TRY(
        context_.add_multi(layer_.op, std::move(inputs), std::move(attributes), layer_.has_cell ? 3 : 2));
    // [steps, directions, batch, hidden] to [steps, batch, directions * hidden]
    const ValueId y = TENON_TRY(permute(context_, outputs[0], {0, 2, 1, 3}));
    const ValueId shape = context_.ints({0, 0, static_cast<int64_t>(directions_) * hidden_});
    return LayerResult{TENON_TRY(context_.add(Op::kReshape, {y, shape})), outputs[1],
                       layer_.has_cell ? outputs[2] : kNoValue};
  }

  Result<LayerResult> add_projected_layer(ValueId x, size_t layer) {
    std::vector<ValueId> y, h, c;
    for (size_t d = 0; d < directions_; ++d) {
      const auto first = static_cast<int64_t>(layer * directions_ + d);
      auto state = [&](size_t i) -> Result<ValueId> {
        return squeeze(context_, TENON_TRY(slice(context_, states_[i], 0, first, first + 1)), {0});
      };
      ProjectedLstm lstm{.x = x, .hidden = hidden_, .backward = d == 1};
      lstm.w_ih = parameter_of(layer, d, 0);
      lstm.w_hh = parameter_of(layer, d, 1);
      if (has_biases_) {
        lstm.b_ih = parameter_of(layer, d, 2);
        lstm.b_hh = parameter_of(layer, d, 3);
      }
      lstm.w_hr = parameter_of(layer, d, each_ - 1);
      lstm.h = TENON_TRY(state(0));
      lstm.c = TENON_TRY(state(1));
      const ProjectedLstmResult result = TENON_TRY(add_projected_lstm(context_, lstm));
      y.push_back(result.y);
      h.push_back(TENON_TRY(unsqueeze(context_, result.h, {0})));
      c.push_back(TENON_TRY(unsqueeze(context_, result.c, {0})));
    }
    return LayerResult{TENON_TRY(joined(y, 2)), TENON_TRY(joined(h)), TENON_TRY(joined(c))};
  }

  LowerContext& context_;
  const Layer& layer_;
  bool has_biases_ = false, projected_ = false;
  size_t directions_ = 1, each_ = 0;  // each_: parameters of one direction
  int64_t hidden_ = 0;
  std::vector<ValueId> params_, states_;
};

Status lower_rnn_tanh(LowerContext& context) {
  return RecurrentLowering(context, kRnnTanh).run();
}
Status lower_rnn_relu(LowerContext& context) {
  return RecurrentLowering(context, kRnnRelu).run();
}
Status lower_lstm(LowerContext& context) {
  return RecurrentLowering(context, kLstm).run();
}
Status lower_gru(LowerContext& context) {
  return RecurrentLowering(context, kGru).run();
}

/// What a cell computes before its activations: x w_ih' + b_ih and h w_hh' + b_hh.
struct CellGates {
  ValueId input, hidden;
};

Result<CellGates> cell_gates(LowerContext& context, ValueId h) {
  auto linear = [&](ValueId x, std::string_view weight, std::string_view bias) -> Result<ValueId> {
    std::vector<ValueId> inputs{x, TENON_TRY(context.tensor(weight))};
    const ValueId b = TENON_TRY(context.optional_tensor(bias));
    if (b != kNoValue) inputs.push_back(b);
    return context.add(Op::kGemm, std::move(inputs), {{"transB", int64_t{1}}});
  };
  const ValueId x = TENON_TRY(context.tensor("input"));
  return CellGates{TENON_TRY(linear(x, "w_ih", "b_ih")), TENON_TRY(linear(h, "w_hh", "b_hh"))};
}

/// Gate `i` of `count`, one beside the other.
Result<ValueId> gate(LowerContext& context, ValueId gates, int64_t i, int64_t count) {
  const auto width = TENON_TRY(context.known_shape(gates)).back().constant();
  if (!width) return context.unsupported("a recurrent cell of unknown width");
  return slice(context, gates, 1, i * *width / count, (i + 1) * *width / count);
}

Status lower_rnn_cell(LowerContext& context) {
  const CellGates gates = TENON_TRY(cell_gates(context, TENON_TRY(context.tensor("hx"))));
  Math m(context.builder());
  const Op activation = context.args().op() == "rnn_relu_cell" ? Op::kRelu : Op::kTanh;
  return context.finish(activation, {TENON_TRY(m.add(gates.input, gates.hidden))});
}

Status lower_lstm_cell(LowerContext& context) {
  const std::vector<ValueId> states = TENON_TRY(context.tensors("hx"));
  if (states.size() != 2) return context.unsupported("an LSTM cell without two states");
  const CellGates gates = TENON_TRY(cell_gates(context, states[0]));
  Math m(context.builder());
  const ValueId sum = TENON_TRY(m.add(gates.input, gates.hidden));
  auto activated = [&](int64_t i, Op op) -> Result<ValueId> {
    return context.add(op, {TENON_TRY(gate(context, sum, i, 4))});
  };
  const ValueId i = TENON_TRY(activated(0, Op::kSigmoid)), f = TENON_TRY(activated(1, Op::kSigmoid));
  const ValueId g = TENON_TRY(activated(2, Op::kTanh)), o = TENON_TRY(activated(3, Op::kSigmoid));
  const ValueId c = TENON_TRY(m.add(TENON_TRY(m.mul(f, states[1])), TENON_TRY(m.mul(i, g))));
  const ValueId h = TENON_TRY(m.mul(o, TENON_TRY(context.add(Op::kTanh, {c}))));
  return context.finish({h, c});
}

Status lower_gru_cell(LowerContext& context) {
  const ValueId h = TENON_TRY(context.tensor("hx"));
  const CellGates gates = TENON_TRY(cell_gates(context, h));
  Math m(context.builder());
  auto activated = [&](int64_t i) -> Result<ValueId> {
    const ValueId sum = TENON_TRY(
        m.add(TENON_TRY(gate(context, gates.input, i, 3)), TENON_TRY(gate(context, gates.hidden, i, 3))));
    return context.add(Op::kSigmoid, {sum});
  };
  const ValueId r = TENON_TRY(activated(0)), z = TENON_TRY(activated(1));
  const ValueId reset = TENON_TRY(m.mul(r, TENON_TRY(gate(context, gates.hidden, 2, 3))));
  const ValueId sum = TENON_TRY(m.add(TENON_TRY(gate(context, gates.input, 2, 3)), reset));
  const ValueId n = TENON_TRY(context.add(Op::kTanh, {sum}));
  return context.finish(m.add(n, TENON_TRY(m.mul(z, TENON_TRY(m.sub(h, n))))));
}

constexpr Handler kHandlers[] = {
    {"aten.rnn_tanh.input", lower_rnn_tanh},
    {"aten.rnn_relu.input", lower_rnn_relu},
    {"aten.lstm.input", lower_lstm},
    {"aten.gru.input", lower_gru},
    {"aten.rnn_tanh_cell.default", lower_rnn_cell},
    {"aten.rnn_relu_cell.default", lower_rnn_cell},
    {"aten.lstm_cell.default", lower_lstm_cell},
    {"aten.gru_cell.default", lower_gru_cell},
};

}  // namespace

std::span<const Handler> recurrent_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
