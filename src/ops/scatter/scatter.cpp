#include "ops/scatter/scatter.h"

#include <algorithm>
#include <cmath>
#include <complex>

#include "tensor/element.h"
#include "tensor/width.h"

namespace tenon::ops {

namespace {

template <class T>
T reduce(T a, T b, ScatterReduction reduction) {
  switch (reduction) {
    case ScatterReduction::kAdd:
      return a + b;
    case ScatterReduction::kMul:
      return a * b;
    case ScatterReduction::kMax:
      if constexpr (!std::is_same_v<T, std::complex<double>>) return a != a || a > b ? a : b;
      break;
    case ScatterReduction::kMin:
      if constexpr (!std::is_same_v<T, std::complex<double>>) return a != a || a < b ? a : b;
      break;
    case ScatterReduction::kNone:
      break;
  }
  return b;
}

template <class T>
void reduce_blocks(Tensor& output, const Tensor& updates, const std::vector<int64_t>& targets, int64_t block,
                   ScatterReduction reduction) {
  constexpr int64_t kChunk = 512;
  T current[kChunk], update[kChunk];
  const bool logical = output.type() == DataType::kBool;
  for (size_t i = 0; i < targets.size(); ++i) {
    for (int64_t begin = 0; begin < block; begin += kChunk) {
      const int64_t count = std::min(kChunk, block - begin);
      const int64_t target = targets[i] + begin;
      load_elements<T>(output.type(), output.raw(), target, count, current);
      load_elements<T>(updates.type(), updates.raw(), static_cast<int64_t>(i) * block + begin, count, update);
      for (int64_t k = 0; k < count; ++k) {
        current[k] = reduce(current[k], update[k], reduction);
        if (logical) current[k] = current[k] != T(0) ? T(1) : T(0);
      }
      store_elements<T>(output.type(), output.mutable_raw(), target, count, current);
    }
  }
}

}  // namespace

Result<ScatterReduction> scatter_reduction(std::string_view name) {
  constexpr std::string_view kNames[] = {"none", "add", "mul", "max", "min"};
  auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return fail(ErrorCode::kInvalidModel, "the reduction is '{}'", name);
  return static_cast<ScatterReduction>(found - std::begin(kNames));
}

Status scatter_blocks(Tensor& output, const Tensor& updates, const std::vector<int64_t>& targets,
                      int64_t block, ScatterReduction reduction) {
  if (reduction == ScatterReduction::kNone) {
    by_width(output.type(), [&]<class T>(std::type_identity<T>) {
      for (size_t i = 0; i < targets.size(); ++i)
        std::copy_n(updates.data<T>() + static_cast<int64_t>(i) * block, block,
                    output.mutable_data<T>() + targets[i]);
    });
    return {};
  }
  const bool ordering = reduction == ScatterReduction::kMax || reduction == ScatterReduction::kMin;
  switch (compute_kind(output.type())) {
    case ComputeKind::kFloat:
      reduce_blocks<double>(output, updates, targets, block, reduction);
      return {};
    case ComputeKind::kSigned:
      reduce_blocks<int64_t>(output, updates, targets, block, reduction);
      return {};
    case ComputeKind::kUnsigned:
      reduce_blocks<uint64_t>(output, updates, targets, block, reduction);
      return {};
    case ComputeKind::kComplex:
      if (ordering) break;
      reduce_blocks<std::complex<double>>(output, updates, targets, block, reduction);
      return {};
    case ComputeKind::kString:
      break;
  }
  return fail(ErrorCode::kUnsupported, "this reduction of {} elements", data_type_name(output.type()));
}

Status emit_scatter(EmitContext& context) {
  const std::string reduction = context.attributes().string("reduction", "none");
  const int needs = reduction == "none" ? 11 : reduction == "add" || reduction == "mul" ? 16 : 18;
  if (context.opset() < needs && needs > 11)
    return context.unsupported(needs, "the reduction '" + reduction + "'");
  Attributes attributes = context.attributes();
  if (context.opset() < 16) attributes.erase("reduction");
  // Scatter was the name of ScatterElements in 9 and 10.
  if (context.opset() < 11 && context.node().op == Op::kScatterElements) {
    if (attributes.integer("axis") < 0) {
      const auto& shape = context.input_type(0).shape;
      if (!shape) return context.unsupported(11, "a negative axis of a tensor of unknown rank");
      attributes.set(
          "axis", TENON_TRY(normalize_axis(attributes.integer("axis"), static_cast<int64_t>(shape->size()))));
    }
    if (context.opset() >= 9) return context.finish("Scatter", context.inputs(), attributes);
    return context.unsupported(9);
  }
  if (context.opset() < 11) return context.unsupported(11);
  return context.finish(op_name(context.node().op), context.inputs(), attributes);
}

}  // namespace tenon::ops
