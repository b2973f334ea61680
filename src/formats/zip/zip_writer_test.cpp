#include "formats/zip/zip_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/mapped_file.h"
#include "formats/zip/zip_reader.h"

namespace tenon {
namespace {

class ZipWriterTest : public ::testing::Test {
 protected:
  ZipWriterTest()
      : path_((std::filesystem::temp_directory_path() / ("tenon_zip_" + std::to_string(getpid()))).string()) {
  }
  ~ZipWriterTest() override { std::filesystem::remove(path_); }

  std::string path_;
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST_F(ZipWriterTest, WritesEntriesThatReadBackInOrder) {
  auto zip = ZipWriter::create(path_);
  ASSERT_TRUE(zip.ok());
  ASSERT_TRUE(zip->add("/b:0", {bytes_of("hello "), bytes_of("world")}).ok());
  ASSERT_TRUE(zip->add("ä", {}).ok());
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_TRUE(zip->finish()->commit().ok());
  auto file = MappedFile::open(path_);
  ASSERT_TRUE(file.ok());
  auto reader = ZipReader::open(share_bytes(*file), ZipNames::kKeys);
  ASSERT_TRUE(reader.ok()) << reader.error().to_string();
  ASSERT_EQ(reader->entries().size(), 2U);
  EXPECT_EQ(reader->entries()[0].name, "/b:0");
  EXPECT_EQ(reader->read(reader->entries()[0])->text(), "hello world");
  EXPECT_EQ(reader->entries()[1].name, "ä");
  EXPECT_EQ(reader->entries()[1].size, 0U);
  EXPECT_FALSE(ZipReader::open(share_bytes(*file)).ok());  // "/b:0" is no relative path
}

TEST_F(ZipWriterTest, CountsMoreEntriesThanTheOldFormatCan) {
  constexpr int kCount = 66000;
  auto zip = ZipWriter::create(path_);
  ASSERT_TRUE(zip.ok());
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(zip->add(std::to_string(i), {}).ok());
  ASSERT_TRUE(zip->finish()->commit().ok());
  auto reader = ZipReader::open(share_bytes(*MappedFile::open(path_)));
  ASSERT_TRUE(reader.ok()) << reader.error().to_string();
  EXPECT_EQ(reader->entries().size(), static_cast<size_t>(kCount));
}

TEST_F(ZipWriterTest, LeavesNothingWhenNotFinished) {
  {
    auto zip = ZipWriter::create(path_);
    ASSERT_TRUE(zip.ok());
    ASSERT_TRUE(zip->add("a", {bytes_of("b")}).ok());
    EXPECT_EQ(zip->add(std::string(70000, 'x'), {}).error().code, ErrorCode::kLimit);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace tenon
