#include "kernel_rows/layers.h"

#include <string_view>

namespace tenon::benchmarks {

namespace {

using ops::blocked;
using ops::RowModel;
using Ints = std::vector<int64_t>;

/// Images of fewer channels come to a network as they are.
constexpr int64_t kBlockedChannelsMin = 4;

struct ConvShape {
  const char* name;
  int64_t in, out, size, kernel, stride, groups;
};

// Square images of `size`, square kernels with the padding that keeps the size at stride 1, ReLU after them.
constexpr ConvShape kConvs[] = {
    {"resnet_first_7x7_s2", 3, 64, 224, 7, 2, 1},
    {"resnet_56_3x3", 64, 64, 56, 3, 1, 1},
    {"resnet_28_3x3_s2", 64, 128, 56, 3, 2, 1},
    {"resnet_28_3x3", 128, 128, 28, 3, 1, 1},
    {"resnet_14_3x3", 256, 256, 14, 3, 1, 1},
    {"resnet_7_3x3", 512, 512, 7, 3, 1, 1},
    {"resnet50_56_1x1", 64, 256, 56, 1, 1, 1},
    {"resnet50_14_1x1", 1024, 256, 14, 1, 1, 1},
    {"resnet50_7_1x1", 512, 2048, 7, 1, 1, 1},
    {"vgg_224_3x3", 64, 64, 224, 3, 1, 1},
    {"vgg_28_3x3", 512, 512, 28, 3, 1, 1},
    {"resnext_28_3x3_g32", 256, 256, 28, 3, 1, 32},
    {"mobilenet_first_3x3_s2", 3, 32, 224, 3, 2, 1},
    {"mobilenet_112_depthwise", 32, 32, 112, 3, 1, 32},
    {"mobilenet_112_depthwise_s2", 96, 96, 112, 3, 2, 96},
    {"resnext_56_3x3_g32", 128, 128, 56, 3, 1, 32},
    {"mobilenet_14_depthwise", 384, 384, 14, 3, 1, 384},
    {"mobilenet_7_depthwise", 960, 960, 7, 3, 1, 960},
    {"mobilenet_56_1x1", 144, 24, 56, 1, 1, 1},
    {"mobilenet_7_1x1", 160, 960, 7, 1, 1, 1},
    {"efficientnet_14_depthwise_5x5", 480, 480, 14, 5, 1, 480},
};

struct TransposedShape {
  const char* name;
  int64_t in, out, size, kernel, stride, pad;
};

// To size * stride - 2 * pad + kernel - stride pixels a side, ReLU after them.
constexpr TransposedShape kTransposed[] = {
    {"unet_64_transposed_2x2_s2", 128, 64, 64, 2, 2, 0},
    {"gan_16_transposed_4x4_s2", 256, 128, 16, 4, 2, 1},
    {"gan_last_transposed_4x4_s2", 64, 3, 64, 4, 2, 1},
};

struct ResizeShape {
  const char* name;
  int64_t channels, size, scale;
  const char* mode;
};

constexpr ResizeShape kResized[] = {
    {"fpn_28_nearest", 256, 28, 2, "nearest"},
    {"deeplab_64_linear", 256, 64, 4, "linear"},
    {"unet_64_cubic", 64, 64, 2, "cubic"},
};

struct ProductShape {
  const char* name;
  int64_t batches, rows, depth, columns;
  bool weights;  ///< The right operand is constant.
};

constexpr ProductShape kProducts[] = {
    {"vit_qkv", 1, 197, 768, 2304, true},      {"vit_mlp_up", 1, 197, 768, 3072, true},
    {"vit_mlp_down", 1, 197, 3072, 768, true}, {"vit_scores", 12, 197, 64, 197, false},
    {"vit_context", 12, 197, 197, 64, false},  {"swin_scores", 192, 49, 32, 49, false},
    {"swin_mlp_up", 64, 49, 96, 384, true},    {"resnet_head", 1, 1, 512, 1000, true},
    {"vgg_head", 1, 1, 25088, 4096, true},
};

Layer layer_of(const ConvShape& s) {
  const int64_t pad = (s.kernel - 1) / 2;
  const int64_t out_size = (s.size + 2 * pad - s.kernel) / s.stride + 1;
  const auto weights = static_cast<double>(s.out * (s.in / s.groups) * s.kernel * s.kernel);
  Layer layer;
  layer.name = s.name;
  layer.operations = 2 * weights * static_cast<double>(out_size * out_size);
  layer.bytes = 4 * (static_cast<double>(s.in * s.size * s.size) + weights +
                     static_cast<double>(s.out * out_size * out_size));
  layer.build = [s, pad](RowModel& m) {
    const ValueId image = m.input({1, s.in, s.size, s.size});
    const ValueId y = m.add(
        Op::kConv,
        {s.in < kBlockedChannelsMin ? image : blocked(m, image, s.in),
         m.constant({s.out, s.in / s.groups, s.kernel, s.kernel}), m.constant({s.out})},
        {{"group", s.groups}, {"pads", Ints{pad, pad, pad, pad}}, {"strides", Ints{s.stride, s.stride}}});
    m.output(m.add(Op::kRelu, {y}));
  };
  return layer;
}

Layer layer_of(const TransposedShape& s) {
  const int64_t out_size = (s.size - 1) * s.stride + s.kernel - 2 * s.pad;
  const auto weights = static_cast<double>(s.in * s.out * s.kernel * s.kernel);
  Layer layer;
  layer.name = s.name;
  layer.operations = 2 * weights * static_cast<double>(s.size * s.size);
  layer.bytes = 4 * (static_cast<double>(s.in * s.size * s.size) + weights +
                     static_cast<double>(s.out * out_size * out_size));
  layer.build = [s](RowModel& m) {
    const ValueId y =
        m.add(Op::kConvTranspose,
              {blocked(m, m.input({1, s.in, s.size, s.size}), s.in),
               m.constant({s.in, s.out, s.kernel, s.kernel}), m.constant({s.out})},
              {{"pads", Ints{s.pad, s.pad, s.pad, s.pad}}, {"strides", Ints{s.stride, s.stride}}});
    m.output(m.add(Op::kRelu, {y}));
  };
  return layer;
}

Layer layer_of(const ResizeShape& s) {
  const double taps = std::string_view(s.mode) == "cubic" ? 4 : std::string_view(s.mode) == "linear" ? 2 : 1;
  const int64_t out_size = s.size * s.scale;
  const auto in = static_cast<double>(s.channels * s.size), out = static_cast<double>(s.channels * out_size);
  Layer layer;
  layer.name = s.name;
  layer.operations = 2 * taps * static_cast<double>(out_size) * (in + out);  // columns, then rows
  layer.bytes = 4 * (in * static_cast<double>(s.size) + out * static_cast<double>(out_size));
  layer.build = [s](RowModel& m) {
    const auto scale = static_cast<float>(s.scale);
    m.output(m.add(Op::kResize,
                   {blocked(m, m.input({1, s.channels, s.size, s.size}), s.channels), kNoValue,
                    m.exactly(Tensor::from_floats(std::vector<float>{1, 1, scale, scale}))},
                   {{"mode", s.mode}}));
  };
  return layer;
}

Layer layer_of(const ProductShape& s) {
  Layer layer;
  layer.name = s.name;
  layer.operations = 2.0 * static_cast<double>(s.batches * s.rows * s.depth * s.columns);
  const int64_t matrices = s.weights ? 1 : s.batches;
  layer.bytes =
      4.0 * static_cast<double>(s.batches * s.rows * (s.depth + s.columns) + matrices * s.depth * s.columns);
  layer.build = [s](RowModel& m) {
    const ValueId a = m.input({s.batches, s.rows, s.depth});
    const ValueId b = s.weights ? m.constant({s.depth, s.columns}) : m.input({s.batches, s.depth, s.columns});
    m.output(m.add(Op::kMatMul, {a, b}));
  };
  return layer;
}

Layer max_pool() {
  Layer layer;
  layer.name = "resnet_max_pool";
  layer.operations = 64.0 * 56 * 56 * 9;
  layer.bytes = 4.0 * 64 * (112 * 112 + 56 * 56);
  layer.build = [](RowModel& m) {
    m.output(m.add(Op::kMaxPool, {blocked(m, m.input({1, 64, 112, 112}), 64)},
                   {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}));
  };
  return layer;
}

}  // namespace

std::vector<Layer> layers() {
  std::vector<Layer> all;
  for (const ConvShape& shape : kConvs) all.push_back(layer_of(shape));
  for (const TransposedShape& shape : kTransposed) all.push_back(layer_of(shape));
  for (const ResizeShape& shape : kResized) all.push_back(layer_of(shape));
  for (const ProductShape& shape : kProducts) all.push_back(layer_of(shape));
  all.push_back(max_pool());
  return all;
}

}  // namespace tenon::benchmarks
