// Col2Im (https://onnx.ai/onnx/operators/onnx__Col2Im.html): adds sliding blocks back into an image.
#include "ops/core/op_def.h"
#include "ops/spatial/window.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* input = context.shape(0);
  const auto image = context.elements(1), block = context.elements(2);
  if (!image) {
    context.set_output(0, context.element(0));
    return {};
  }
  SymShape shape = {context.fresh_symbol(), context.fresh_symbol()};
  if (input) {
    if (input->size() != 3)
      return fail(ErrorCode::kInvalidModel, "the input has rank {}, expected 3", input->size());
    shape[0] = (*input)[0];
    if (block) {
      const SymInt area = element_count(*block);
      if (!area.is(0)) shape[1] = floor_div((*input)[1], area);
    }
  }
  shape.insert(shape.end(), image->begin(), image->end());
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

template <class T>
void add_blocks(KernelContext& context, const WindowAxes& axes, int64_t planes, int64_t kernel_size,
                int64_t blocks, int64_t image_size, Tensor& y) {
  const Tensor& x = context.input(0);
  std::vector<int64_t> kernel_sizes, block_sizes;
  for (const WindowAxis& axis : axes) {
    kernel_sizes.push_back(axis.kernel);
    block_sizes.push_back(axis.output);
  }
  context.parallel_for(planes, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> row(static_cast<size_t>(blocks)), plane(static_cast<size_t>(image_size));
    for (int64_t p = begin; p < end; ++p) {
      std::fill(plane.begin(), plane.end(), T(0));
      std::vector<int64_t> kernel(axes.size(), 0);
      for (int64_t k = 0; k < kernel_size; ++k, next_index(kernel, kernel_sizes)) {
        load_elements<T>(x.type(), x.raw(), (p * kernel_size + k) * blocks, blocks, row.data());
        std::vector<int64_t> block(axes.size(), 0);
        for (int64_t l = 0; l < blocks; ++l, next_index(block, block_sizes)) {
          int64_t at = 0;
          for (size_t i = 0; i < axes.size() && at >= 0; ++i) {
            const int64_t position = axes[i].start(block[i]) + kernel[i] * axes[i].dilation;
            at = position < 0 || position >= axes[i].input ? -1 : at * axes[i].input + position;
          }
          if (at >= 0) plane[static_cast<size_t>(at)] += row[static_cast<size_t>(l)];
        }
      }
      store_elements<T>(y.type(), y.mutable_raw(), p * image_size, image_size, plane.data());
    }
  });
}

Status reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  const std::vector<int64_t> image = to_ints(context.input(1));
  std::vector<int64_t> block = to_ints(context.input(2));
  if (x.rank() != 3 || image.empty() || image.size() != block.size())
    return fail(ErrorCode::kInvalidModel, "the input has rank {}, image_shape {} values, block_shape {}",
                x.rank(), image.size(), block.size());
  const Window window = TENON_TRY(read_window(context.attributes(), block));
  const int64_t image_size = TENON_TRY(element_count(image)), kernel_size = TENON_TRY(element_count(block));
  const WindowAxes axes = TENON_TRY(resolve_window(window, image.data()));
  int64_t blocks = 1;
  for (const WindowAxis& axis : axes) blocks *= axis.output;
  if (blocks != x.dim(2) || x.dim(1) % kernel_size != 0)
    return fail(ErrorCode::kInvalidModel, "the input has shape {}, expected {} blocks of {} elements",
                tenon::to_string(x.shape()), blocks, kernel_size);
  Shape shape = {x.dim(0), x.dim(1) / kernel_size};
  shape.insert(shape.end(), image.begin(), image.end());
  TENON_TRY(element_count(shape));
  Tensor& y = context.output(0, x.type(), shape);
  const int64_t planes = shape[0] * shape[1];
  switch (compute_kind(x.type())) {
    case ComputeKind::kString:
      return fail(ErrorCode::kInvalidModel, "strings cannot be added");
    case ComputeKind::kComplex:
      add_blocks<std::complex<double>>(context, axes, planes, kernel_size, blocks, image_size, y);
      return {};
    case ComputeKind::kFloat:
      add_blocks<double>(context, axes, planes, kernel_size, blocks, image_size, y);
      return {};
    default:
      add_blocks<uint64_t>(context, axes, planes, kernel_size, blocks, image_size, y);
      return {};
  }
}

Status emit(EmitContext& context) {
  return context.opset() >= 18 ? emit_unchanged(context) : context.unsupported(18);
}

}  // namespace

constinit const OpDef kCol2Im{
    .name = "Col2Im",
    .infer = infer,
    .reference = reference,
    .emit = emit,
    .tolerance = {Tolerance::Kind::kSum, 8},
};

}  // namespace tenon::ops
