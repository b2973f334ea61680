// Range: numbers from start to limit, delta apart. https://onnx.ai/onnx/operators/onnx__Range.html
#include <cmath>

#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

constexpr int64_t kMostElements = int64_t{1} << 40;

Error too_many() {
  return fail(ErrorCode::kLimit, "a range with too many elements");
}

// The number of elements, max(ceil((limit - start) / delta), 0), without overflow on the way.
Result<int64_t> count_of(int64_t start, int64_t limit, int64_t delta) {
  if (delta == 0) return fail(ErrorCode::kInvalidModel, "a range with a delta of 0");
  if (delta > 0 ? limit <= start : limit >= start) return int64_t{0};
  const uint64_t span = delta > 0 ? static_cast<uint64_t>(limit) - static_cast<uint64_t>(start)
                                  : static_cast<uint64_t>(start) - static_cast<uint64_t>(limit);
  const uint64_t step = delta > 0 ? static_cast<uint64_t>(delta) : -static_cast<uint64_t>(delta);
  const uint64_t count = (span - 1) / step + 1;
  if (count > static_cast<uint64_t>(kMostElements)) return too_many();
  return static_cast<int64_t>(count);
}

Result<int64_t> count_of(double start, double limit, double delta) {
  if (delta == 0 || std::isnan(start) || std::isnan(limit) || std::isnan(delta))
    return fail(ErrorCode::kInvalidModel, "a range from {} to {} by {}", start, limit, delta);
  const double count = std::ceil((limit - start) / delta);
  if (!(count > 0)) return int64_t{0};
  if (count > static_cast<double>(kMostElements)) return too_many();
  return static_cast<int64_t>(count);
}

Result<SymInt> infer_count(InferContext& context) {
  const bool real = is_float(context.element(0));
  const Tensor* parts[3] = {context.constant(0), context.constant(1), context.constant(2)};
  if (real) {
    double values[3];
    for (size_t i = 0; i < 3; ++i) {
      if (parts[i] == nullptr || parts[i]->size() != 1) return context.fresh_symbol();
      values[i] = to_doubles(*parts[i])[0];
    }
    return SymInt(TENON_TRY(count_of(values[0], values[1], values[2])));
  }
  auto start = context.elements(0), limit = context.elements(1), delta = context.elements(2);
  if (!start || !limit || !delta || start->size() != 1 || limit->size() != 1 || delta->size() != 1)
    return context.fresh_symbol();
  auto step = (*delta)[0].constant();
  if (!step) return context.fresh_symbol();
  if ((*start)[0].is_constant() && (*limit)[0].is_constant())
    return SymInt(TENON_TRY(count_of(*(*start)[0].constant(), *(*limit)[0].constant(), *step)));
  if (*step == 0) return fail(ErrorCode::kInvalidModel, "a range with a delta of 0");
  SymInt span = (*limit)[0] - (*start)[0];
  return max(ceil_div(span, *step), 0);
}

Status infer(InferContext& context) {
  SymInt count = TENON_TRY(infer_count(context));
  context.set_output(0, context.element(0), SymShape{count});
  auto size = count.constant();
  if (!is_integer(context.element(0)) || !size || *size > kTrackedElements) return {};
  auto start = context.elements(0), delta = context.elements(2);
  if (!start || !delta || start->size() != 1 || delta->size() != 1) return {};
  std::vector<SymInt> elements;
  for (int64_t i = 0; i < *size; ++i) elements.push_back((*start)[0] + (*delta)[0] * i);
  context.set_elements(0, std::move(elements));
  return {};
}

Status reference(KernelContext& context) {
  for (size_t i = 0; i < 3; ++i)
    if (context.input(i).size() != 1)
      return fail(ErrorCode::kInvalidModel, "input {} of a range has {} elements", i,
                  context.input(i).size());
  const DataType type = context.input(0).type();
  if (is_float(type)) {
    const double start = load_element<double>(context.input(0), 0),
                 limit = load_element<double>(context.input(1), 0),
                 delta = load_element<double>(context.input(2), 0);
    const int64_t count = TENON_TRY(count_of(start, limit, delta));
    Tensor& output = context.output(0, type, {count});
    // Each type computes in itself but the 16-bit ones, which compute in float32 and round once.
    const bool wide = type == DataType::kFloat64;
    for (int64_t i = 0; i < count; ++i) {
      const double value =
          wide ? start + static_cast<double>(i) * delta
               : static_cast<float>(start) + static_cast<float>(i) * static_cast<float>(delta);
      store_element<double>(output, i, value);
    }
    return {};
  }
  const auto start = load_element<int64_t>(context.input(0), 0),
             limit = load_element<int64_t>(context.input(1), 0),
             delta = load_element<int64_t>(context.input(2), 0);
  const int64_t count = TENON_TRY(count_of(start, limit, delta));
  Tensor& output = context.output(0, type, {count});
  // Elements lie between start and limit; the products on the way may wrap.
  auto value = static_cast<uint64_t>(start);
  for (int64_t i = 0; i < count; ++i, value += static_cast<uint64_t>(delta))
    store_element<int64_t>(output, i, static_cast<int64_t>(value));
  return {};
}

// stash_type, and the 16-bit floats that it is for, came with 27: below, those are computed in float32.
Status emit(EmitContext& context) {
  if (context.opset() >= 27) return emit_unchanged(context);
  if (context.opset() < 11) return context.unsupported(11);
  const DataType type = context.input_type(0).element;
  if (type != DataType::kFloat16 && type != DataType::kBFloat16)
    return context.finish("Range", context.inputs());
  if (context.attributes().integer("stash_type", 1) != 1)
    return context.unsupported(27, "a stash_type other than float32");
  std::vector<std::string> wide;
  const Attributes to_float = {{"to", static_cast<int64_t>(DataType::kFloat32)}};
  for (const std::string& input : context.inputs())
    wide.push_back(TENON_TRY(context.add("Cast", {input}, to_float, DataType::kFloat32)));
  std::string range = TENON_TRY(context.add("Range", std::move(wide), {}, DataType::kFloat32));
  return context.finish("Cast", {range}, {{"to", static_cast<int64_t>(type)}});
}

}  // namespace

constinit const OpDef kRange{.name = "Range", .infer = infer, .reference = reference, .emit = emit};

}  // namespace tenon::ops
