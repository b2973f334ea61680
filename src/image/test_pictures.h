// What the tests of pictures share: the files in tests/data/image and the arrays that Pillow, OpenCV and
// torchvision made of them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tenon/image.h"
#include "tenon/npy.h"

namespace tenon {

inline std::string picture_path(const std::string& name) {
  return std::string(TENON_SOURCE_DIR) + "/tests/data/image/" + name;
}

inline std::string file_contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<NamedValue> oracle(const std::string& name) {
  auto values = read_npz(picture_path(name));
  EXPECT_TRUE(values.ok()) << values.error().to_string();
  return values.ok() ? *values : std::vector<NamedValue>{};
}

/// The array of that name; an empty tensor, with a failure, when there is none.
inline Tensor oracle(const std::string& file, const std::string& name) {
  for (const NamedValue& value : oracle(file))
    if (value.name == name) return value.value.tensor();
  ADD_FAILURE() << file << " has no " << name;
  return Tensor::allocate(DataType::kUInt8, {0, 0, 3});
}

/// The largest difference between a picture and an array [height, width, 3]; 255 when their sizes differ.
inline int largest_difference(const Image& image, const Tensor& expected) {
  if (expected.shape() != Shape{image.height, image.width, 3}) return 255;
  int largest = 0;
  for (size_t i = 0; i < image.pixels.size(); ++i)
    largest = std::max(largest, std::abs(image.pixels[i] - expected.span<uint8_t>()[i]));
  return largest;
}

}  // namespace tenon
