#include "formats/detect.h"

#include <gtest/gtest.h>

#include "base/mapped_file.h"

namespace tenon {
namespace {

FileFormat detect(std::string_view text) {
  return detect_format(std::as_bytes(std::span(text)));
}

TEST(DetectFormat, LooksIntoFilesOfPyTorch) {
  const std::vector<std::pair<const char*, FileFormat>> cases = {
      {"strided.pt", FileFormat::kTorchSave},   {"no_checksums.pt", FileFormat::kTorchSave},
      {"legacy.pt", FileFormat::kTorchLegacy},  {"legacy_protocol4.pt", FileFormat::kTorchLegacy},
      {"script.pt", FileFormat::kTorchScript},  {"model.safetensors", FileFormat::kSafetensors},
      {"typed.pt.expected", FileFormat::kText},
  };
  for (const auto& [name, format] : cases) {
    auto file = MappedFile::open(std::string(TENON_SOURCE_DIR) + "/tests/data/torch/" + name);
    ASSERT_TRUE(file.ok());
    EXPECT_EQ(detect_format((*file)->bytes()), format) << name;
  }
}

TEST(DetectFormat, KnowsBeginnings) {
  using std::string_view_literals::operator""sv;
  const std::vector<std::pair<std::string_view, FileFormat>> cases = {
      {"", FileFormat::kEmpty},
      {"\x08\x09:\x02\x12\x00"sv, FileFormat::kOnnx},
      {"\x08"sv, FileFormat::kOnnx},
      {"\x12\x03"
       "abc\x08\x09",
       FileFormat::kOnnx},
      {":\x02\x12\x00"sv, FileFormat::kOnnx},
      {"PK\x03\x04", FileFormat::kDamagedZip},
      {"\x93NUMPY\x01", FileFormat::kNpy},
      {"\x89HDF\r\n\x1a\n", FileFormat::kHdf5},
      {"\x80\x04}.", FileFormat::kPickle},
      {"version https://git-lfs.github.com/spec/v1\noid", FileFormat::kGitLfs},
      {"<!DOCTYPE html>", FileFormat::kText},
      {"{\"a\": 1}", FileFormat::kText},
      {"Batch,1,2", FileFormat::kText},
      {"rows of a table", FileFormat::kText},
      {"\xff\xd8\xff\xe0", FileFormat::kUnknown},
      {"\x02\x00\x00\x00\x00\x00\x00\x00{}"sv, FileFormat::kSafetensors},
  };
  for (const auto& [bytes, format] : cases) EXPECT_EQ(detect(bytes), format) << bytes;
}

TEST(DetectFormat, EveryFormatHasAName) {
  for (int i = 0; i <= static_cast<int>(FileFormat::kText); ++i) {
    EXPECT_FALSE(format_name(static_cast<FileFormat>(i)).empty());
  }
}

}  // namespace
}  // namespace tenon
