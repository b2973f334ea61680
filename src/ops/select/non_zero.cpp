// NonZero: the indices of all elements that are not zero, a column each.
// https://onnx.ai/onnx/operators/onnx__NonZero.html
#include <complex>

#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* input = context.shape(0);
  SymInt rank = input != nullptr ? SymInt(static_cast<int64_t>(input->size())) : context.fresh_symbol();
  context.set_output(0, DataType::kInt64, SymShape{rank, context.fresh_symbol()});
  return {};
}

template <class T>
std::vector<int64_t> places_not_zero(const Tensor& tensor) {
  std::vector<int64_t> places;
  constexpr int64_t kChunk = 512;
  T values[kChunk];
  for (int64_t begin = 0; begin < tensor.size(); begin += kChunk) {
    const int64_t count = std::min(kChunk, tensor.size() - begin);
    load_elements<T>(tensor.type(), tensor.raw(), begin, count, values);
    for (int64_t i = 0; i < count; ++i)
      if (values[i] != T(0)) places.push_back(begin + i);
  }
  return places;
}

std::vector<int64_t> places_of(const Tensor& tensor) {
  switch (compute_kind(tensor.type())) {
    case ComputeKind::kFloat:
      return places_not_zero<double>(tensor);
    case ComputeKind::kComplex:
      return places_not_zero<std::complex<double>>(tensor);
    case ComputeKind::kString: {
      std::vector<int64_t> places;
      for (int64_t i = 0; i < tensor.size(); ++i)
        if (!tensor.data<std::string>()[i].empty()) places.push_back(i);
      return places;
    }
    default:
      return places_not_zero<int64_t>(tensor);
  }
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  const std::vector<int64_t> places = places_of(input);
  const auto count = static_cast<int64_t>(places.size());
  Tensor& output = context.output(0, DataType::kInt64, {input.rank(), count});
  int64_t below = 1;
  for (size_t axis = input.shape().size(); axis-- > 0;) {
    int64_t* row = output.mutable_data<int64_t>() + static_cast<int64_t>(axis) * count;
    for (size_t i = 0; i < places.size(); ++i) row[i] = places[i] / below % input.dim(axis);
    below *= std::max<int64_t>(input.dim(axis), 1);
  }
  return {};
}

}  // namespace

constinit const OpDef kNonZero{.name = "NonZero", .infer = infer, .reference = reference};

}  // namespace tenon::ops
