#include <gmock/gmock.h>
#include <zlib.h>

#include "image/test_pictures.h"

namespace tenon {
namespace {

using ::testing::HasSubstr;

Result<Image> decode(const std::string& bytes, const DecodeOptions& options = {}) {
  return decode_image(std::as_bytes(std::span(bytes)), options);
}

Error error_of(const std::string& bytes, const DecodeOptions& options = {}) {
  auto image = decode(bytes, options);
  EXPECT_FALSE(image.ok());
  return image.ok() ? Error{} : image.error();
}

void put_big_endian(std::string& bytes, size_t offset, size_t width, uint32_t value) {
  for (size_t i = width; i-- > 0; value >>= 8) bytes[offset + i] = static_cast<char>(value & 0xff);
}

TEST(DecodeImage, GivesThePixelsThatPillowGives) {
  auto expected = oracle("decoded.npz");
  EXPECT_EQ(expected.size(), 32U);
  for (const NamedValue& value : expected) {
    SCOPED_TRACE(value.name);
    auto image = read_image(picture_path(value.name));
    ASSERT_TRUE(image.ok()) << image.error().to_string();
    EXPECT_EQ(largest_difference(*image, value.value.tensor()), 0);
  }
}

TEST(DecodeImage, LeavesThePictureAsStoredWhenAsked) {
  auto turned = read_image(picture_path("orientation_6.jpg"));
  auto stored = read_image(picture_path("orientation_6.jpg"), {.apply_orientation = false});
  ASSERT_TRUE(turned.ok() && stored.ok());
  EXPECT_EQ(turned->width, stored->height);
  EXPECT_EQ(largest_difference(*stored, oracle("decoded.npz", "orientation_1.jpg")), 0);
}

TEST(DecodeImage, SaysWhatItCannotRead) {
  auto error = error_of(file_contents(picture_path("animated.webp")));
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("animated"));
  error = error_of(file_contents(picture_path("rle.bmp")));
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("run-length"));
  error = error_of(file_contents(picture_path("gif.gif")));
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("GIF"));
  EXPECT_EQ(error_of("").code, ErrorCode::kMalformed);
  EXPECT_EQ(error_of("not a picture at all").code, ErrorCode::kMalformed);

  auto missing = read_image(picture_path("missing.png"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  auto text = read_image(picture_path("make_images.py"));
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().file, picture_path("make_images.py"));
}

TEST(DecodeImage, RefusesMorePixelsThanAllowed) {
  std::string bytes = file_contents(picture_path("rgb.png"));
  EXPECT_TRUE(decode(bytes, {.max_pixels = 630}).ok());
  auto error = error_of(bytes, {.max_pixels = 629});
  EXPECT_EQ(error.code, ErrorCode::kLimit);
  EXPECT_THAT(error.message, HasSubstr("30 by 21"));
}

TEST(DecodeImage, RefusesHugeHeadersBeforeTakingMemory) {
  std::string jpeg = file_contents(picture_path("baseline.jpg"));
  size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  put_big_endian(jpeg, frame + 5, 2, 65500);
  put_big_endian(jpeg, frame + 7, 2, 65500);
  EXPECT_EQ(error_of(jpeg).code, ErrorCode::kLimit);

  std::string png = file_contents(picture_path("rgb.png"));
  put_big_endian(png, 16, 4, 65000);
  put_big_endian(png, 20, 4, 65000);
  auto crc = crc32(0, reinterpret_cast<const Bytef*>(png.data()) + 12, 17);
  put_big_endian(png, 29, 4, static_cast<uint32_t>(crc));
  EXPECT_EQ(error_of(png).code, ErrorCode::kLimit);
  put_big_endian(png, 20, 4, 2);
  crc = crc32(0, reinterpret_cast<const Bytef*>(png.data()) + 12, 17);
  put_big_endian(png, 29, 4, static_cast<uint32_t>(crc));
  EXPECT_NE(error_of(png).code, ErrorCode::kLimit);  // 65000 by 2 fits; its pixels are not there
  put_big_endian(png, 16, 4, 66000);
  crc = crc32(0, reinterpret_cast<const Bytef*>(png.data()) + 12, 17);
  put_big_endian(png, 29, 4, static_cast<uint32_t>(crc));
  EXPECT_EQ(error_of(png).code, ErrorCode::kLimit);  // too wide for any format

  std::string webp = file_contents(picture_path("lossy.webp"));
  size_t start_code = webp.find("\x9d\x01\x2a");
  ASSERT_NE(start_code, std::string::npos);
  webp.replace(start_code + 3, 4, "\xff\x3f\xff\x3f");
  EXPECT_EQ(error_of(webp).code, ErrorCode::kLimit);

  std::string bmp = file_contents(picture_path("rgb.bmp"));
  bmp.replace(18, 8, std::string("\0\0\1\0\0\0\1\0", 8));  // 65536 by 65536
  EXPECT_EQ(error_of(bmp).code, ErrorCode::kLimit);
  bmp.replace(18, 8, std::string("\xff\xff\xff\xff\x00\x00\x00\x80", 8));  // -1 by -2^31
  EXPECT_FALSE(decode(bmp).ok());
}

TEST(DecodeImage, RefusesAJpegOfThousandsOfScans) {
  std::string jpeg = file_contents(picture_path("progressive.jpg"));
  size_t scan = jpeg.rfind("\xff\xda");
  size_t end = jpeg.rfind("\xff\xd9");
  ASSERT_TRUE(scan != std::string::npos && end > scan);
  std::string bomb = jpeg.substr(0, end);
  for (int i = 0; i < 5000; ++i) bomb += jpeg.substr(scan, end - scan);
  auto error = error_of(bomb + "\xff\xd9");
  EXPECT_EQ(error.code, ErrorCode::kLimit);
  EXPECT_THAT(error.message, HasSubstr("scans"));
}

TEST(DecodeImage, TakesAJpegWithStrayBytesAndRefusesOneWithoutItsEnd) {
  std::string jpeg = file_contents(picture_path("baseline.jpg"));
  std::string stray = jpeg;
  stray.insert(jpeg.find("\xff\xc0"), "stray");
  auto image = decode(stray);
  ASSERT_TRUE(image.ok()) << image.error().to_string();
  EXPECT_EQ(largest_difference(*image, oracle("decoded.npz", "baseline.jpg")), 0);
  EXPECT_THAT(error_of(jpeg.substr(0, jpeg.size() - 2)).message, HasSubstr("cut short"));
}

/// One small file of each kind of coding.
const std::vector<std::string> kSmallFiles = {"orientation_6.jpg", "progressive.jpg", "cmyk.jpg",
                                              "orientation_6.png", "palette.png",     "lossy.webp",
                                              "lossless.webp",     "palette_4.bmp",   "masks_565.bmp"};

TEST(DecodeImage, SurvivesTruncationAtEveryByte) {
  for (const std::string& name : kSmallFiles) {
    std::string bytes = file_contents(picture_path(name));
    auto whole = decode(bytes);
    ASSERT_TRUE(whole.ok()) << name;
    for (size_t size = 0; size < bytes.size(); ++size) {
      auto image = decode(bytes.substr(0, size));
      // What still decodes lost nothing that matters: trailing chunks.
      if (image.ok()) {
        EXPECT_EQ(image->pixels.size(), whole->pixels.size()) << name << " at " << size;
      }
    }
    EXPECT_FALSE(decode(bytes.substr(0, bytes.size() * 2 / 3)).ok()) << name;
  }
}

TEST(DecodeImage, SurvivesFlippedBits) {
  DecodeOptions small = {.max_pixels = 1 << 20};
  for (const std::string& name : kSmallFiles) {
    std::string bytes = file_contents(picture_path(name));
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
      auto image = decode(bytes, small);
      if (image.ok()) {
        EXPECT_EQ(image->pixels.size(), static_cast<size_t>(3 * image->width * image->height));
      } else {
        EXPECT_FALSE(image.error().message.empty());
      }
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    }
  }
}

}  // namespace
}  // namespace tenon
