#include <gmock/gmock.h>

#include <cstring>
#include <limits>

#include "image/test_pictures.h"

namespace tenon {
namespace {

using ::testing::HasSubstr;

class PreprocessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto photo = read_image(picture_path("photo.png"));
    ASSERT_TRUE(photo.ok());
    photo_ = std::move(*photo);
  }

  void expect_bits(const std::string& name, const Preprocess& options) {
    SCOPED_TRACE(name);
    auto tensor = preprocess(photo_, options);
    ASSERT_TRUE(tensor.ok()) << tensor.error().to_string();
    Tensor expected = oracle("preprocessed.npz", name);
    ASSERT_EQ(tensor->shape(), expected.shape());
    ASSERT_EQ(tensor->type(), expected.type());
    EXPECT_EQ(std::memcmp(tensor->raw(), expected.raw(), expected.bytes()), 0);
  }

  Image photo_;
};

TEST_F(PreprocessTest, GivesTheBitsOfTorchvision) {
  Preprocess options;
  options.height = options.width = 32;
  options.resize_size = 37;
  expect_bits("crop", options);
  options.channels = ChannelOrder::kBgr;
  expect_bits("crop bgr", options);
  options.channels = ChannelOrder::kRgb;
  options.interpolation = Interpolation::kPillowBicubic;
  expect_bits("crop bicubic", options);

  Preprocess padded;
  padded.height = 31;
  padded.width = 32;
  padded.resize_size = 24;
  expect_bits("crop padded", padded);

  Preprocess gray;
  gray.height = 30;
  gray.width = 20;
  gray.resize = ResizeMode::kStretch;
  gray.channels = ChannelOrder::kGray;
  expect_bits("stretch gray", gray);
}

TEST_F(PreprocessTest, GivesWhatEfficientNetLiteWasTrainedWith) {
  Preprocess options = Preprocess::efficientnet_lite();
  options.height = options.width = 32;
  expect_bits("efficientnet-lite", options);
}

TEST_F(PreprocessTest, PutsSeveralPicturesIntoOneBatch) {
  Image other = photo_;
  for (uint8_t& value : other.pixels) value = static_cast<uint8_t>(255 - value);
  std::vector<Image> pictures = {photo_, other};
  auto batch = preprocess(pictures);
  auto second = preprocess(other);
  ASSERT_TRUE(batch.ok() && second.ok());
  EXPECT_EQ(batch->shape(), (Shape{2, 3, 224, 224}));
  EXPECT_EQ(std::memcmp(batch->raw() + second->bytes(), second->raw(), second->bytes()), 0);
}

TEST_F(PreprocessTest, TakesPicturesOfAnyShape) {
  Image line{.width = 65535, .height = 1, .pixels = std::vector<uint8_t>(3 * 65535, 200)};
  Image dot{.width = 1, .height = 1, .pixels = {1, 2, 3}};
  for (const Image& image : {line, dot})
    for (auto mode : {ResizeMode::kStretch, ResizeMode::kCrop, ResizeMode::kCropThenResize}) {
      Preprocess options;
      options.resize = mode;
      EXPECT_TRUE(preprocess(image, options).ok());
    }
}

TEST_F(PreprocessTest, RefusesOptionsThatMakeNoSense) {
  auto message = [&](auto change) {
    Preprocess options;
    change(options);
    auto tensor = preprocess(photo_, options);
    EXPECT_FALSE(tensor.ok());
    if (tensor.ok()) return std::string();
    EXPECT_EQ(tensor.error().code, ErrorCode::kUsage);
    return tensor.error().message;
  };
  EXPECT_THAT(message([](Preprocess& o) { o.width = 0; }), HasSubstr("224 by 0"));
  EXPECT_THAT(message([](Preprocess& o) { o.height = 1 << 30; }), HasSubstr("1073741824 by 224"));
  EXPECT_THAT(message([](Preprocess& o) { o.resize_size = -1; }), HasSubstr("-1"));
  EXPECT_THAT(message([](Preprocess& o) { o.std[1] = 0; }), HasSubstr("std"));
  EXPECT_THAT(message([](Preprocess& o) { o.mean[2] = std::numeric_limits<float>::quiet_NaN(); }),
              HasSubstr("finite"));
  EXPECT_THAT(message([](Preprocess& o) {
                o.resize = ResizeMode::kCropThenResize;
                o.resize_size = 200;
              }),
              HasSubstr("200"));
  Image short_of_pixels{.width = 2, .height = 2, .pixels = {1, 2, 3}};
  EXPECT_FALSE(preprocess(short_of_pixels).ok());
  EXPECT_FALSE(Preprocess::preset("resnet").ok());
  EXPECT_EQ(Preprocess::preset("efficientnet-lite")->std[0], 128.0F);
}

}  // namespace
}  // namespace tenon
