// Pad (https://onnx.ai/onnx/operators/onnx__Pad.html): the definition, its shape rule and its reference.
// A negative pad cuts elements off.
#include <algorithm>
#include <array>
#include <cstring>

#include "ops/core/op_def.h"
#include "ops/pad/pad.h"
#include "ops/spatial/window.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// The axes that the pads are for: all, or those of the fourth input.
Result<std::vector<int64_t>> padded_axes(const std::optional<std::vector<int64_t>>& given, int64_t rank) {
  std::vector<int64_t> axes;
  if (!given) {
    for (int64_t i = 0; i < rank; ++i) axes.push_back(i);
    return axes;
  }
  for (int64_t axis : *given) {
    axes.push_back(TENON_TRY(normalize_axis(axis, rank)));
    if (std::count(axes.begin(), axes.end(), axes.back()) != 1)
      return fail(ErrorCode::kInvalidModel, "axis {} is repeated", axis);
  }
  return axes;
}

Status infer(InferContext& context) {
  const SymShape* data = context.shape(0);
  if (!data) {
    context.set_output(0, context.element(0));
    return {};
  }
  const auto rank = static_cast<int64_t>(data->size());
  const auto pads = context.elements(1);
  std::optional<std::vector<int64_t>> given;
  if (context.has_input(3)) {
    given = context.known_ints(3);
    if (!given) {
      context.set_output(0, context.element(0), context.fresh_shape(data->size()));
      return {};
    }
  }
  const std::vector<int64_t> axes = TENON_TRY(padded_axes(given, rank));
  SymShape shape = *data;
  if (pads && pads->size() != 2 * axes.size())
    return fail(ErrorCode::kInvalidModel, "pads has {} values for {} axes", pads->size(), axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    SymInt& size = shape[static_cast<size_t>(axes[i])];
    size = pads ? size + (*pads)[i] + (*pads)[axes.size() + i] : context.fresh_symbol();
    if (auto known = size.constant(); known && *known < 0)
      return fail(ErrorCode::kInvalidModel, "pads cut more off axis {} than there is", axes[i]);
  }
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

enum class PadMode { kConstant, kReflect, kEdge, kWrap };

Result<PadMode> read_mode(const std::string& mode) {
  if (mode == "constant") return PadMode::kConstant;
  if (mode == "reflect") return PadMode::kReflect;
  if (mode == "edge") return PadMode::kEdge;
  if (mode == "wrap") return PadMode::kWrap;
  return fail(ErrorCode::kInvalidModel, "mode is '{}'", mode);
}

// The input coordinate that an output coordinate shows; -1 where the constant is.
int64_t source_of(PadMode mode, int64_t position, int64_t size) {
  if (position >= 0 && position < size) return position;
  switch (mode) {
    case PadMode::kConstant:
      return -1;
    case PadMode::kEdge:
      return std::clamp<int64_t>(position, 0, size - 1);
    case PadMode::kWrap:
      return (position % size + size) % size;
    case PadMode::kReflect: {
      if (size == 1) return 0;
      const int64_t period = 2 * (size - 1);
      const int64_t at = (position % period + period) % period;
      return at < size ? at : period - at;
    }
  }
  return -1;
}

// For each axis and output coordinate the input coordinate times the axis' stride; -1 for the constant.
using SourceTables = std::vector<std::vector<int64_t>>;

template <class T>
void gather(KernelContext& context, const SourceTables& tables, const Tensor& data, const T& fill,
            Tensor& out) {
  const size_t rank = tables.size();
  const std::vector<int64_t>& inner = tables[rank - 1];
  const auto width = static_cast<int64_t>(inner.size());
  if (out.size() == 0) return;
  context.parallel_for(out.size() / width, 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      int64_t base = 0, rest = row;
      for (size_t axis = rank - 1; axis-- > 0 && base >= 0;) {
        const std::vector<int64_t>& table = tables[axis];
        const int64_t offset = table[static_cast<size_t>(rest) % table.size()];
        rest /= static_cast<int64_t>(table.size());
        base = offset < 0 ? -1 : base + offset;
      }
      T* to = out.mutable_data<T>() + row * width;
      for (int64_t x = 0; x < width; ++x) {
        const int64_t offset = inner[static_cast<size_t>(x)];
        to[x] = base < 0 || offset < 0 ? fill : data.data<T>()[base + offset];
      }
    }
  });
}

template <class T>
void pad_elements(KernelContext& context, const SourceTables& tables, const Tensor& data, Tensor& out) {
  T fill{};
  if (context.has_input(2)) fill = context.input(2).data<T>()[0];
  gather<T>(context, tables, data, fill, out);
}

Status reference(KernelContext& context) {
  const Tensor &data = context.input(0), &pads_tensor = context.input(1);
  const PadMode mode = TENON_TRY(read_mode(context.attributes().string("mode", "constant")));
  std::optional<std::vector<int64_t>> given;
  if (context.has_input(3)) given = to_ints(context.input(3));
  const std::vector<int64_t> axes = TENON_TRY(padded_axes(given, data.rank()));
  const std::vector<int64_t> pads = to_ints(pads_tensor);
  if (pads.size() != 2 * axes.size())
    return fail(ErrorCode::kInvalidModel, "pads has {} values for {} axes", pads.size(), axes.size());
  if (context.has_input(2) && (context.input(2).size() != 1 || context.input(2).type() != data.type()))
    return fail(ErrorCode::kInvalidModel, "constant_value is not one element of the type of data");
  std::vector<int64_t> begins(data.shape().size(), 0);
  Shape shape = data.shape();
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    begins[axis] = pads[i];
    int64_t& size = shape[axis];
    if (__builtin_add_overflow(size, pads[i], &size) ||
        __builtin_add_overflow(size, pads[axes.size() + i], &size) || size < 0)
      return fail(ErrorCode::kInvalidModel, "pads {} do not fit the shape {}", tenon::to_string(pads),
                  tenon::to_string(data.shape()));
    if (data.dim(axis) == 0 && size > 0 && mode != PadMode::kConstant)
      return fail(ErrorCode::kInvalidModel, "axis {} is empty: there is nothing to repeat", axis);
  }
  TENON_TRY(element_count(shape));
  Tensor& out = context.output(0, data.type(), shape);
  if (out.size() == 0) return {};
  const std::vector<int64_t> strides = row_major_strides(data.shape());
  SourceTables tables(shape.size());
  for (size_t axis = 0; axis < shape.size(); ++axis)
    for (int64_t i = 0; i < shape[axis]; ++i) {
      const int64_t source = source_of(mode, i - begins[axis], data.dim(axis));
      tables[axis].push_back(source < 0 ? -1 : source * strides[axis]);
    }
  if (tables.empty()) tables = {{0}};
  if (data.is_string()) {
    pad_elements<std::string>(context, tables, data, out);
    return {};
  }
  switch (element_size(data.type())) {
    case 1:
      pad_elements<uint8_t>(context, tables, data, out);
      break;
    case 2:
      pad_elements<uint16_t>(context, tables, data, out);
      break;
    case 4:
      pad_elements<uint32_t>(context, tables, data, out);
      break;
    case 8:
      pad_elements<uint64_t>(context, tables, data, out);
      break;
    default:
      pad_elements<std::array<uint64_t, 2>>(context, tables, data, out);
  }
  return {};
}

}  // namespace

constinit const OpDef kPad{
    .name = "Pad",
    .infer = infer,
    .reference = reference,
    .upgrade = upgrade_pad,
    .emit = emit_pad,
};

}  // namespace tenon::ops
