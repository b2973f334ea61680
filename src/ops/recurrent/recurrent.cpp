#include "ops/recurrent/recurrent.h"

#include <algorithm>

#include "kernels/product.h"
#include "ops/core/registry.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Result<int64_t> direction_count(const Attributes& attributes) {
  const std::string direction = attributes.string("direction", "forward");
  if (direction == "bidirectional") return int64_t{2};
  if (direction != "forward" && direction != "reverse")
    return fail(ErrorCode::kInvalidModel, "direction is '{}'", direction);
  return int64_t{1};
}

// The sizes of one run, from the shapes of X and R.
struct Sizes {
  int64_t steps, batch, input, hidden, directions;
  bool batch_first;
};

Result<Sizes> read_sizes(const Attributes& attributes, const Tensor& x, const Tensor& r) {
  if (x.rank() != 3 || r.rank() != 3)
    return fail(ErrorCode::kInvalidModel, "X has rank {} and R rank {}, expected 3", x.rank(), r.rank());
  Sizes sizes{};
  sizes.batch_first = attributes.integer("layout") != 0;
  sizes.steps = x.dim(sizes.batch_first ? 1 : 0);
  sizes.batch = x.dim(sizes.batch_first ? 0 : 1);
  sizes.input = x.dim(2);
  sizes.hidden = r.dim(2);
  sizes.directions = TENON_TRY(direction_count(attributes));
  const int64_t declared = attributes.integer("hidden_size", sizes.hidden);
  if (declared != sizes.hidden)
    return fail(ErrorCode::kInvalidModel, "hidden_size is {}, R has {}", declared, sizes.hidden);
  return sizes;
}

Status expect_shape(const Tensor& tensor, std::string_view name, const Shape& shape) {
  if (tensor.shape() != shape)
    return fail(ErrorCode::kInvalidModel, "{} has shape {}, expected {}", name,
                tenon::to_string(tensor.shape()), tenon::to_string(shape));
  return {};
}

// rows x columns, from element `offset` of a tensor, turned into columns x rows.
std::vector<double> load_turned(const Tensor& tensor, int64_t offset, int64_t rows, int64_t columns) {
  std::vector<double> row(static_cast<size_t>(columns)), out(static_cast<size_t>(rows * columns));
  for (int64_t i = 0; i < rows; ++i) {
    load_elements<double>(tensor.type(), tensor.raw(), offset + i * columns, columns, row.data());
    for (int64_t j = 0; j < columns; ++j)
      out[static_cast<size_t>(j * rows + i)] = row[static_cast<size_t>(j)];
  }
  return out;
}

std::vector<double> load_slice(const Tensor& tensor, int64_t offset, int64_t count) {
  std::vector<double> out(static_cast<size_t>(count));
  load_elements<double>(tensor.type(), tensor.raw(), offset, count, out.data());
  return out;
}

Result<RecurrentWeights> load_weights(KernelContext& context, const RecurrentCell& cell, const Sizes& sizes,
                                      int64_t direction) {
  const auto columns = static_cast<int64_t>(cell.gates) * sizes.hidden;
  const Tensor &w = context.input(1), &r = context.input(2);
  TENON_TRY(expect_shape(w, "W", {sizes.directions, columns, sizes.input}));
  TENON_TRY(expect_shape(r, "R", {sizes.directions, columns, sizes.hidden}));
  RecurrentWeights weights;
  weights.w = load_turned(w, direction * columns * sizes.input, columns, sizes.input);
  weights.r = load_turned(r, direction * columns * sizes.hidden, columns, sizes.hidden);
  weights.w_bias.assign(static_cast<size_t>(columns), 0);
  weights.r_bias = weights.w_bias;
  if (context.has_input(3)) {
    TENON_TRY(expect_shape(context.input(3), "B", {sizes.directions, 2 * columns}));
    weights.w_bias = load_slice(context.input(3), direction * 2 * columns, columns);
    weights.r_bias = load_slice(context.input(3), direction * 2 * columns + columns, columns);
  }
  weights.peepholes.assign(static_cast<size_t>(3 * sizes.hidden), 0);
  if (cell.has_cell && context.has_input(7)) {
    TENON_TRY(expect_shape(context.input(7), "P", {sizes.directions, 3 * sizes.hidden}));
    weights.peepholes = load_slice(context.input(7), direction * 3 * sizes.hidden, 3 * sizes.hidden);
  }
  return weights;
}

Result<std::vector<int64_t>> read_lengths(KernelContext& context, const Sizes& sizes) {
  std::vector<int64_t> lengths(static_cast<size_t>(sizes.batch), sizes.steps);
  if (!context.has_input(4)) return lengths;
  TENON_TRY(expect_shape(context.input(4), "sequence_lens", {sizes.batch}));
  lengths = to_ints(context.input(4));
  for (int64_t length : lengths)
    if (length < 0 || length > sizes.steps)
      return fail(ErrorCode::kInvalidModel, "sequence_lens holds {}, X has {} steps", length, sizes.steps);
  return lengths;
}

// Where the state of (direction, sequence) stands in initial_h, Y_h and their like.
int64_t state_offset(const Sizes& sizes, int64_t direction, int64_t b) {
  return (sizes.batch_first ? b * sizes.directions + direction : direction * sizes.batch + b) * sizes.hidden;
}

}  // namespace

void add_recurrence(const RecurrentWeights& weights, const std::vector<double>& h, size_t first, size_t count,
                    double* sums) {
  const auto columns = static_cast<int64_t>(weights.w_bias.size()), hidden = static_cast<int64_t>(h.size());
  add_product<double>(1, static_cast<int64_t>(count), hidden, h.data(), hidden, weights.r.data() + first,
                      columns, sums, static_cast<int64_t>(count));
}

double clip_of(const Attributes& attributes) {
  return static_cast<double>(attributes.real("clip", 0));
}

Status infer_recurrent(InferContext& context, const RecurrentCell& cell) {
  const DataType element = context.element(0);
  const int64_t directions = TENON_TRY(direction_count(context.attributes()));
  const SymShape *x = context.shape(0), *r = context.shape(2);
  const size_t outputs = cell.has_cell ? 3 : 2;
  std::optional<SymInt> hidden;
  if (context.attributes().has("hidden_size"))
    hidden = context.attributes().integer("hidden_size");
  else if (r && r->size() == 3)
    hidden = (*r)[2];
  if (!x || !hidden) {
    for (size_t i = 0; i < outputs; ++i) context.set_output(i, element);
    return {};
  }
  if (x->size() != 3) return fail(ErrorCode::kInvalidModel, "X has rank {}, expected 3", x->size());
  const bool batch_first = context.attributes().integer("layout") != 0;
  const SymInt &steps = (*x)[batch_first ? 1 : 0], &batch = (*x)[batch_first ? 0 : 1];
  if (context.has_output(0))
    context.set_output(0, element,
                       batch_first ? SymShape{batch, steps, directions, *hidden}
                                   : SymShape{steps, directions, batch, *hidden});
  for (size_t i = 1; i < outputs; ++i)
    if (context.has_output(i))
      context.set_output(
          i, element,
          batch_first ? SymShape{batch, directions, *hidden} : SymShape{directions, batch, *hidden});
  return {};
}

Status run_recurrent(KernelContext& context, const RecurrentCell& cell) {
  const Attributes& attributes = context.attributes();
  const Tensor& x = context.input(0);
  const Sizes sizes = TENON_TRY(read_sizes(attributes, x, context.input(2)));
  const std::vector<int64_t> lengths = TENON_TRY(read_lengths(context, sizes));
  const size_t functions = cell.activations.size();
  const std::vector<Activation> activations = TENON_TRY(
      read_activations(attributes, functions * static_cast<size_t>(sizes.directions), cell.activations));
  std::vector<RecurrentWeights> weights;
  for (int64_t d = 0; d < sizes.directions; ++d) {
    weights.push_back(TENON_TRY(load_weights(context, cell, sizes, d)));
    weights.back().functions = {activations.data() + static_cast<size_t>(d) * functions, functions};
  }
  const Shape state_shape = sizes.batch_first ? Shape{sizes.batch, sizes.directions, sizes.hidden}
                                              : Shape{sizes.directions, sizes.batch, sizes.hidden};
  for (size_t i : {size_t{5}, size_t{6}})
    if ((i == 5 || cell.has_cell) && context.has_input(i))
      TENON_TRY(expect_shape(context.input(i), i == 5 ? "initial_h" : "initial_c", state_shape));

  Tensor* y = nullptr;
  if (context.wants_output(0))
    y = &context.output(0, x.type(),
                        sizes.batch_first ? Shape{sizes.batch, sizes.steps, sizes.directions, sizes.hidden}
                                          : Shape{sizes.steps, sizes.directions, sizes.batch, sizes.hidden});
  Tensor* last[2] = {nullptr, nullptr};
  for (size_t i = 0; i < (cell.has_cell ? 2u : 1u); ++i)
    if (context.wants_output(i + 1)) last[i] = &context.output(i + 1, x.type(), state_shape);

  const bool reverse_only = attributes.string("direction", "forward") == "reverse";
  const auto columns = static_cast<int64_t>(cell.gates) * sizes.hidden;
  context.parallel_for(sizes.directions * sizes.batch, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> inputs(static_cast<size_t>(sizes.steps * sizes.input));
    std::vector<double> gates(static_cast<size_t>(sizes.steps * columns));
    const std::vector<double> zero(static_cast<size_t>(sizes.hidden), 0.0);
    for (int64_t item = begin; item < end; ++item) {
      const int64_t d = item / sizes.batch, b = item % sizes.batch;
      const RecurrentWeights& mine = weights[static_cast<size_t>(d)];
      const int64_t length = lengths[static_cast<size_t>(b)], state_at = state_offset(sizes, d, b);
      for (int64_t t = 0; t < length; ++t) {
        load_elements<double>(x.type(), x.raw(),
                              (sizes.batch_first ? b * sizes.steps + t : t * sizes.batch + b) * sizes.input,
                              sizes.input, inputs.data() + t * sizes.input);
        std::copy(mine.w_bias.begin(), mine.w_bias.end(), gates.begin() + t * columns);
      }
      add_product<double>(length, columns, sizes.input, inputs.data(), sizes.input, mine.w.data(), columns,
                          gates.data(), columns);
      RecurrentState state{zero, zero};
      if (context.has_input(5)) state.h = load_slice(context.input(5), state_at, sizes.hidden);
      if (cell.has_cell && context.has_input(6))
        state.c = load_slice(context.input(6), state_at, sizes.hidden);
      const bool backwards = reverse_only || d == 1;
      for (int64_t s = 0; s < sizes.steps; ++s) {
        const bool active = s < length;
        const int64_t t = active && backwards ? length - 1 - s : s;
        if (active)
          cell.step(mine, attributes, {gates.data() + t * columns, static_cast<size_t>(columns)}, state);
        const int64_t at = sizes.batch_first ? (b * sizes.steps + t) * sizes.directions + d
                                             : (t * sizes.directions + d) * sizes.batch + b;
        if (y)
          store_elements<double>(y->type(), y->mutable_raw(), at * sizes.hidden, sizes.hidden,
                                 active ? state.h.data() : zero.data());
      }
      for (size_t i = 0; i < 2; ++i)
        if (last[i])
          store_elements<double>(last[i]->type(), last[i]->mutable_raw(), state_at, sizes.hidden,
                                 i == 0 ? state.h.data() : state.c.data());
    }
  });
  return {};
}

Status upgrade_recurrent(UpgradeContext& context) {
  if (context.since_version() >= 7) return upgrade_unchanged(context);
  Attributes attributes = context.attributes();
  attributes.erase("output_sequence");
  if (attributes.string("direction") == "foward") attributes.set("direction", std::string("forward"));
  return context.finish(op_of(*find_op("", context.schema().name)), context.inputs(), std::move(attributes));
}

Status emit_recurrent(EmitContext& context) {
  if (context.opset() < 14 && context.attributes().integer("layout") != 0)
    return context.unsupported(14, "layout 1");
  return emit_unchanged(context);
}

}  // namespace tenon::ops
