// RotaryEmbedding (https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html): turns pairs of elements of
// each head by the angle of their position.
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

struct Layout {
  int64_t batch, length, heads, head_size, rotated;
  bool flat;  // rank 3: (batch, length, heads * head_size)
};

Result<Layout> read_layout(const Attributes& attributes, const Tensor& x) {
  Layout layout{};
  layout.flat = x.rank() == 3;
  if (x.rank() != 3 && x.rank() != 4)
    return fail(ErrorCode::kInvalidModel, "X has rank {}, expected 3 or 4", x.rank());
  layout.batch = x.dim(0);
  if (layout.flat) {
    layout.heads = attributes.integer("num_heads");
    if (layout.heads < 1 || x.dim(2) % layout.heads != 0)
      return fail(ErrorCode::kInvalidModel, "{} columns do not divide into {} heads", x.dim(2), layout.heads);
    layout.length = x.dim(1);
    layout.head_size = x.dim(2) / layout.heads;
  } else {
    layout.heads = x.dim(1);
    layout.length = x.dim(2);
    layout.head_size = x.dim(3);
  }
  layout.rotated = attributes.integer("rotary_embedding_dim");
  if (layout.rotated == 0) layout.rotated = layout.head_size;
  if (layout.rotated < 0 || layout.rotated > layout.head_size || layout.rotated % 2 != 0)
    return fail(ErrorCode::kInvalidModel, "{} of {} elements of a head cannot be rotated", layout.rotated,
                layout.head_size);
  return layout;
}

Status reference(KernelContext& context) {
  const Tensor &x = context.input(0), &cos = context.input(1), &sin = context.input(2);
  const Layout n = TENON_TRY(read_layout(context.attributes(), x));
  const int64_t half = n.rotated / 2;
  const bool interleaved = context.attributes().integer("interleaved") != 0;
  std::vector<int64_t> rows(static_cast<size_t>(n.batch * n.length));  // of the caches, for each position
  if (context.has_input(3)) {
    const Tensor& positions = context.input(3);
    if (positions.shape() != Shape{n.batch, n.length} || cos.rank() != 2)
      return fail(ErrorCode::kInvalidModel, "position_ids has shape {}, expected [{},{}]",
                  tenon::to_string(positions.shape()), n.batch, n.length);
    rows = to_ints(positions);
    for (int64_t row : rows)
      if (row < 0 || row >= cos.dim(0))
        return fail(ErrorCode::kInvalidModel, "position_ids holds {}, the caches have {} rows", row,
                    cos.dim(0));
  } else {
    if (cos.rank() != 3 || cos.dim(0) != n.batch || cos.dim(1) != n.length)
      return fail(ErrorCode::kInvalidModel, "cos_cache has shape {}", tenon::to_string(cos.shape()));
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
  }
  if (cos.shape() != sin.shape() || cos.shape().back() != half)
    return fail(ErrorCode::kInvalidModel, "the caches have shapes {} and {}, expected {} columns",
                tenon::to_string(cos.shape()), tenon::to_string(sin.shape()), half);
  Tensor& y = context.output(0, x.type(), x.shape());
  context.parallel_for(n.batch * n.heads * n.length, 16, [&](int64_t begin, int64_t end) {
    std::vector<double> in(static_cast<size_t>(n.head_size)), c(static_cast<size_t>(half)), s(c.size());
    for (int64_t item = begin; item < end; ++item) {
      const int64_t b = item / (n.heads * n.length), head = item / n.length % n.heads, t = item % n.length;
      const int64_t at = (n.flat ? (b * n.length + t) * n.heads + head : item) * n.head_size;
      const int64_t row = rows[static_cast<size_t>(b * n.length + t)];
      load_elements<double>(x.type(), x.raw(), at, n.head_size, in.data());
      load_elements<double>(cos.type(), cos.raw(), row * half, half, c.data());
      load_elements<double>(sin.type(), sin.raw(), row * half, half, s.data());
      for (int64_t i = 0; i < half; ++i) {
        double& first = in[static_cast<size_t>(interleaved ? 2 * i : i)];
        double& second = in[static_cast<size_t>(interleaved ? 2 * i + 1 : half + i)];
        const double real = first, imaginary = second;
        const double cosine = c[static_cast<size_t>(i)], sine = s[static_cast<size_t>(i)];
        first = cosine * real - sine * imaginary;
        second = sine * real + cosine * imaginary;
      }
      store_elements<double>(y.type(), y.mutable_raw(), at, n.head_size, in.data());
    }
  });
  return {};
}

Status emit(EmitContext& context) {
  if (context.opset() >= 23) return emit_unchanged(context);
  return context.unsupported(23);
}

}  // namespace

constinit const OpDef kRotaryEmbedding{
    .name = "RotaryEmbedding",
    .infer = infer_same_as_first,
    .reference = reference,
    .emit = emit,
    .tolerance = {Tolerance::Kind::kSum, 4},
};

}  // namespace tenon::ops
