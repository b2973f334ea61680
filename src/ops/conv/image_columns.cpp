#include "ops/conv/image_columns.h"

#include "tensor/element.h"

namespace tenon::ops {

int64_t ImageColumns::input_size() const {
  int64_t size = 1;
  for (const WindowAxis& axis : axes) size *= axis.input;
  return size;
}
int64_t ImageColumns::output_size() const {
  int64_t size = 1;
  for (const WindowAxis& axis : axes) size *= axis.output;
  return size;
}
int64_t ImageColumns::kernel_size() const {
  int64_t size = 1;
  for (const WindowAxis& axis : axes) size *= axis.kernel;
  return size;
}

namespace {

// Fills `count` outputs from output coordinate `from` on along the last axis, for kernel element `k` of it.
// `row` is the element number of the image row's start.
template <class T>
void fill_run(const ImageColumns& source, const WindowAxis& axis, int64_t row, int64_t k, int64_t from,
              int64_t count, T offset, T* out) {
  const int64_t shift = k * axis.dilation - axis.pad_begin;  // input = output * stride + shift
  int64_t low = shift >= 0 ? 0 : (-shift + axis.stride - 1) / axis.stride;
  int64_t high = axis.input <= shift ? 0 : (axis.input - shift + axis.stride - 1) / axis.stride;
  low = std::clamp(low, from, from + count);
  high = std::clamp(high, low, from + count);
  std::fill(out, out + (low - from), T(0));
  std::fill(out + (high - from), out + count, T(0));
  if (low == high) return;
  const Tensor& image = *source.image;
  const int64_t begin = row + low * axis.stride + shift;
  T* inside = out + (low - from);
  const int64_t inside_count = high - low;
  if (axis.stride == 1) {
    load_elements<T>(image.type(), image.raw(), begin, inside_count, inside);
  } else if (image.type() == DataType::kFloat32) {
    const float* pixels = image.data<float>() + begin;
    for (int64_t i = 0; i < inside_count; ++i) inside[i] = static_cast<T>(pixels[i * axis.stride]);
  } else {
    for (int64_t i = 0; i < inside_count; ++i)
      load_elements<T>(image.type(), image.raw(), begin + i * axis.stride, 1, inside + i);
  }
  if (offset != T(0))
    for (int64_t i = 0; i < inside_count; ++i) inside[i] -= offset;
}

}  // namespace

template <class T>
void fill_columns(const ImageColumns& source, int64_t begin, int64_t end, T offset, T* columns) {
  const size_t last = source.axes.size() - 1;
  const WindowAxis& inner = source.axes[last];
  const int64_t channel_size = source.input_size(), kernel_size = source.kernel_size(), width = end - begin;
  std::vector<int64_t> kernel_sizes, kernel(last, 0), position(last, 0);
  for (size_t i = 0; i < last; ++i) kernel_sizes.push_back(source.axes[i].kernel);
  for (int64_t out = begin; out < end;) {  // runs of outputs within one row of the last axis
    const int64_t from = out % inner.output;
    const int64_t count = std::min(inner.output - from, end - out);
    int64_t rest = out / inner.output;
    for (size_t i = last; i-- > 0;) {
      position[i] = rest % source.axes[i].output;
      rest /= source.axes[i].output;
    }
    std::fill(kernel.begin(), kernel.end(), 0);
    int64_t element = 0;
    do {
      int64_t row = 0;  // of the image, within a channel; -1 outside
      for (size_t i = 0; i < last && row >= 0; ++i) {
        const WindowAxis& axis = source.axes[i];
        const int64_t at = axis.start(position[i]) + kernel[i] * axis.dilation;
        row = at < 0 || at >= axis.input ? -1 : row * axis.input + at;
      }
      for (int64_t k = 0; k < inner.kernel; ++k, ++element)
        for (int64_t c = 0; c < source.channels; ++c) {
          T* target = columns + (c * kernel_size + element) * width + (out - begin);
          if (row < 0)
            std::fill(target, target + count, T(0));
          else
            fill_run(source, inner, source.first_element + c * channel_size + row * inner.input, k, from,
                     count, offset, target);
        }
    } while (next_index(kernel, kernel_sizes));
    out += count;
  }
}

template void fill_columns(const ImageColumns&, int64_t, int64_t, double, double*);
template void fill_columns(const ImageColumns&, int64_t, int64_t, int64_t, int64_t*);

}  // namespace tenon::ops
