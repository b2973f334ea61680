#include "image/resize.h"

#include "image/test_pictures.h"

namespace tenon {
namespace {

TEST(Resize, GivesTheBytesOfPillowAndOpenCv) {
  auto photo = read_image(picture_path("photo.png"));
  ASSERT_TRUE(photo.ok());
  auto expected = oracle("resized.npz");
  EXPECT_EQ(expected.size(), 21U);
  for (const auto& [name, value] : expected) {
    SCOPED_TRACE(name);
    auto interpolation = name.starts_with("bilinear")  ? Interpolation::kPillowBilinear
                         : name.starts_with("bicubic") ? Interpolation::kPillowBicubic
                                                       : Interpolation::kOpenCvLinear;
    int64_t height = value.tensor().dim(0);
    int64_t width = value.tensor().dim(1);
    Image whole = resize(*photo, width, height, interpolation, {0, 0, width, height});
    EXPECT_EQ(largest_difference(whole, value.tensor()), 0);

    Region part = {width / 3, height / 4, width / 2, height / 2};
    Image resized_part = resize(*photo, width, height, interpolation, part);
    EXPECT_EQ(resized_part.pixels, crop(whole, part).pixels);
  }
}

TEST(Resize, ToTheSameSizeIsTheIdentity) {
  auto photo = read_image(picture_path("photo.png"));
  ASSERT_TRUE(photo.ok());
  for (auto interpolation : {Interpolation::kPillowBicubic, Interpolation::kOpenCvLinear})
    EXPECT_EQ(resize(*photo, 90, 60, interpolation, {0, 0, 90, 60}).pixels, photo->pixels);
}

TEST(Crop, FillsWithZerosOutsideThePicture) {
  Image image{.width = 2, .height = 1, .pixels = {1, 2, 3, 4, 5, 6}};
  Image result = crop(image, {-1, -1, 4, 2});
  EXPECT_EQ(result.pixels, (std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  //
                                                 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0}));
  EXPECT_EQ(crop(image, {5, 5, 1, 1}).pixels, (std::vector<uint8_t>{0, 0, 0}));
}

}  // namespace
}  // namespace tenon
