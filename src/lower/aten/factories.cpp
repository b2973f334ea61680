// Lowering of operators that make tensors from numbers: arange, linspace, full, zeros, eye, one_hot and their
// like.
#include <cmath>

#include "lower/aten/families.h"
#include "lower/aten/sizes.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// Results of at most this many elements are written as constants.
constexpr int64_t kInlineElements = 1 << 16;

Result<DataType> result_type(LowerContext& context) {
  const DataType type = TENON_TRY(context.output_meta())->type;
  if (type == DataType::kUndefined) return context.unsupported("an element type that ONNX does not have");
  return type;
}

std::optional<double> plain_number(const aten::Number& number) {
  if (const auto* integer = std::get_if<int64_t>(&number)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&number)) return *real;
  if (const auto* truth = std::get_if<bool>(&number)) return *truth ? 1.0 : 0.0;
  return std::nullopt;
}

// PyTorch counts in double precision and rounds each element once.
Result<ValueId> counted(LowerContext& context, double start, double step, int64_t count, DataType type) {
  Tensor values = Tensor::allocate(type, {count});
  for (int64_t i = 0; i < count; ++i) {
    if (is_float(type))
      store_element<double>(values, i, start + static_cast<double>(i) * step);
    else
      store_element<int64_t>(values, i, static_cast<int64_t>(start) + i * static_cast<int64_t>(step));
  }
  return context.builder().constant(std::move(values));
}

Status arange(LowerContext& context) {
  const DataType type = TENON_TRY(result_type(context));
  auto argument = [&](std::string_view name, int64_t fallback) -> Result<aten::Number> {
    if (context.node().find_input(name) == nullptr) return aten::Number(fallback);
    return context.args().scalar(name);
  };
  const aten::Number start = TENON_TRY(argument("start", 0)), step = TENON_TRY(argument("step", 1));
  const aten::Number end = TENON_TRY(context.args().scalar("end"));
  const auto first = plain_number(start), limit = plain_number(end), stride = plain_number(step);
  if (first && limit && stride && *stride != 0) {
    const double count = std::max(0.0, std::ceil((*limit - *first) / *stride));
    if (count <= static_cast<double>(kInlineElements))
      return context.finish(counted(context, *first, *stride, static_cast<int64_t>(count), type));
  }
  // Float steps between symbolic integers keep their fraction, so Range counts in the type of the result.
  const DataType counting = is_float(type) ? type : DataType::kInt64;
  ValueId range = TENON_TRY(context.add(
      Op::kRange, {TENON_TRY(context.scalar(start, counting)), TENON_TRY(context.scalar(end, counting)),
                   TENON_TRY(context.scalar(step, counting))}));
  return context.finish(context.cast(range, type));
}

// As PyTorch does it: counted from the start in the first half, from the end in the second.
Status linspace(LowerContext& context) {
  const DataType type = TENON_TRY(result_type(context));
  const auto start = plain_number(TENON_TRY(context.args().scalar("start")));
  const auto end = plain_number(TENON_TRY(context.args().scalar("end")));
  const int64_t steps = TENON_TRY(context.args().integer("steps"));
  if (!start || !end || steps > kInlineElements || !is_float(type))
    return context.unsupported("bounds that are not plain numbers, or a very long or integer result");
  Tensor values = Tensor::allocate(type, {steps});
  const bool narrow = type == DataType::kFloat32;
  auto rounded = [&](double value) {
    return narrow ? static_cast<double>(static_cast<float>(value)) : value;
  };
  const double a = rounded(*start), b = rounded(*end);
  const double step = steps > 1 ? rounded(rounded(b - a) / static_cast<double>(steps - 1)) : 0;
  for (int64_t i = 0; i < steps; ++i) {
    const double value = steps == 1      ? a
                         : i < steps / 2 ? a + rounded(step * static_cast<double>(i))
                                         : b - rounded(step * static_cast<double>(steps - i - 1));
    store_element<double>(values, i, value);
  }
  return context.finish(context.builder().constant(std::move(values)));
}

// A tensor of one value: a constant when small, else ConstantOfShape, or Expand of a computed value.
Status filled(LowerContext& context, const std::vector<Size>& sizes, ValueId value) {
  const DataType type = TENON_TRY(result_type(context));
  ValueId filler = TENON_TRY(context.cast(value, type));
  if (sizes.empty()) return context.finish(filler);
  const ValueId shape = TENON_TRY(size_vector(context, sizes));
  const Tensor* known = context.constant(filler);  // until the next value is added
  if (known == nullptr) return context.finish(Op::kExpand, {filler, shape});
  return context.finish(Op::kConstantOfShape, {shape}, {{"value", known->reshaped({1})}});
}

Result<std::vector<Size>> sizes_asked(LowerContext& context, std::string_view name = "size") {
  return size_list(context, TENON_TRY(context.args().sym_items(name)));
}

template <int kValue>
Status constant_tensor(LowerContext& context) {
  const DataType type = TENON_TRY(result_type(context));
  return filled(context, TENON_TRY(sizes_asked(context)), context.number(type, kValue));
}

template <int kValue>
Status constant_like(LowerContext& context) {
  const DataType type = TENON_TRY(result_type(context));
  std::vector<Size> sizes = TENON_TRY(sizes_of(context, TENON_TRY(context.tensor("self"))));
  return filled(context, sizes, context.number(type, kValue));
}

Status full(LowerContext& context) {
  const DataType type = TENON_TRY(result_type(context));
  return filled(context, TENON_TRY(sizes_asked(context)), TENON_TRY(context.scalar("fill_value", type)));
}

Status full_like(LowerContext& context) {
  const DataType type = TENON_TRY(result_type(context));
  std::vector<Size> sizes = TENON_TRY(sizes_of(context, TENON_TRY(context.tensor("self"))));
  return filled(context, sizes, TENON_TRY(context.scalar("fill_value", type)));
}

// fill and its in-place form: the tensor's shape with another content.
Status fill_scalar(LowerContext& context) {
  const DataType type = TENON_TRY(result_type(context));
  std::vector<Size> sizes = TENON_TRY(sizes_of(context, TENON_TRY(context.tensor("self"))));
  return filled(context, sizes, TENON_TRY(context.scalar("value", type)));
}

Status fill_tensor(LowerContext& context) {
  std::vector<Size> sizes = TENON_TRY(sizes_of(context, TENON_TRY(context.tensor("self"))));
  return filled(context, sizes, TENON_TRY(context.tensor("value")));
}

Status scalar_tensor(LowerContext& context) {
  return context.finish(context.scalar("s", TENON_TRY(result_type(context))));
}

Status eye(LowerContext& context) {
  const DataType type = TENON_TRY(result_type(context));
  Size rows = TENON_TRY(size_argument(context, "n"));
  Size columns = context.node().find_input("m") != nullptr ? TENON_TRY(size_argument(context, "m")) : rows;
  ValueId shape = TENON_TRY(size_vector(context, {rows, columns}));
  ValueId zeros = TENON_TRY(
      context.add(Op::kConstantOfShape, {shape}, {{"value", Tensor::from_floats(std::vector<float>{0})}}));
  ValueId ones = TENON_TRY(
      context.add(Op::kEyeLike, {zeros},
                  {{"dtype", static_cast<int64_t>(type == DataType::kBool ? DataType::kInt64 : type)}}));
  return context.finish(context.cast(ones, type));
}

// Without a number of classes it is one more than the largest index.
Status one_hot(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t classes = TENON_TRY(context.args().integer("num_classes"));
  ValueId depth;
  if (classes >= 0) {
    depth = context.builder().constant(Tensor::scalar(classes));
  } else {
    ValueId largest = TENON_TRY(context.add(Op::kReduceMax, {self}, {{"keepdims", int64_t{0}}}));
    depth =
        TENON_TRY(context.add(Op::kAdd, {largest, context.builder().constant(Tensor::scalar(int64_t{1}))}));
  }
  return context.finish(Op::kOneHot, {self, depth, context.ints({0, 1})}, {{"axis", int64_t{-1}}});
}

// The coordinates of a triangle's elements, row by row.
template <bool kUpper>
Status triangle_indices(LowerContext& context) {
  const DataType type = TENON_TRY(result_type(context));
  const int64_t rows = TENON_TRY(context.args().integer("row")),
                columns = TENON_TRY(context.args().integer("col"));
  const int64_t offset = TENON_TRY(context.args().integer("offset"));
  if (rows < 0 || columns < 0 || rows > 4096 || columns > 4096)
    return context.unsupported("a triangle of this size");
  std::vector<int64_t> row_indices, column_indices;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      if (kUpper ? column - row >= offset : column - row <= offset) {
        row_indices.push_back(row);
        column_indices.push_back(column);
      }
  const auto count = static_cast<int64_t>(row_indices.size());
  row_indices.insert(row_indices.end(), column_indices.begin(), column_indices.end());
  ValueId indices =
      context.builder().constant(Tensor::from<int64_t>(DataType::kInt64, {2, count}, row_indices));
  return context.finish(context.cast(indices, type));
}

constexpr Handler kHandlers[] = {
    {"aten.arange.default", arange},
    {"aten.arange.start", arange},
    {"aten.arange.start_step", arange},
    {"aten.linspace.default", linspace},
    {"aten.full.default", full},
    {"aten.new_full.default", full},
    {"aten.full_like.default", full_like},
    {"aten.fill.Scalar", fill_scalar},
    {"aten.fill.Tensor", fill_tensor},
    {"aten.zeros.default", constant_tensor<0>},
    {"aten.new_zeros.default", constant_tensor<0>},
    {"aten.empty.memory_format", constant_tensor<0>},
    {"aten.new_empty.default", constant_tensor<0>},
    {"aten.empty_strided.default", constant_tensor<0>},
    {"aten.new_empty_strided.default", constant_tensor<0>},
    {"aten.empty_permuted.default", constant_tensor<0>},
    {"aten.ones.default", constant_tensor<1>},
    {"aten.new_ones.default", constant_tensor<1>},
    {"aten.zeros_like.default", constant_like<0>},
    {"aten.zero.default", constant_like<0>},
    {"aten.empty_like.default", constant_like<0>},
    {"aten.ones_like.default", constant_like<1>},
    {"aten.scalar_tensor.default", scalar_tensor},
    {"aten.eye.default", eye},
    {"aten.eye.m", eye},
    {"aten.one_hot.default", one_hot},
    {"aten.tril_indices.default", triangle_indices<false>},
    {"aten.triu_indices.default", triangle_indices<true>},
};

}  // namespace

std::span<const Handler> factory_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
