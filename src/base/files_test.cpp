#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/atomic_file.h"
#include "base/mapped_file.h"

namespace tenon {
namespace {

namespace fs = std::filesystem;

class FilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "tenon-files-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string contents(const std::string& name) const {
    std::ifstream stream(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void put(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  /// Names in the folder, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : fs::directory_iterator(folder_)) result.push_back(entry.path().filename());
    std::sort(result.begin(), result.end());
    return result;
  }

  fs::path folder_;
};

TEST_F(FilesTest, MapsContents) {
  put("a", std::string("one\0two", 7));
  auto file = MappedFile::open(path("a"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->text(), std::string_view("one\0two", 7));
  EXPECT_EQ((*file)->path(), path("a"));
}

TEST_F(FilesTest, MapsAnEmptyFile) {
  put("a", "");
  auto file = MappedFile::open(path("a"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->size(), 0u);
  EXPECT_TRUE((*file)->bytes().empty());
}

TEST_F(FilesTest, MappingOutlivesTheName) {
  put("a", "old");
  auto file = MappedFile::open(path("a"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(write_file(path("a"), "new!").ok());
  EXPECT_EQ((*file)->text(), "old");
  EXPECT_EQ(contents("a"), "new!");
}

TEST_F(FilesTest, RefusesWhatIsNoFile) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  for (const std::string& name : {path("fifo"), folder_.string(), std::string("/dev/zero")}) {
    auto mapped = MappedFile::open(name);
    ASSERT_FALSE(mapped.ok()) << name;
    EXPECT_EQ(mapped.error().code, ErrorCode::kMalformed);
    EXPECT_EQ(mapped.error().file, name);
    EXPECT_FALSE(read_small_file(name).ok());
  }
  auto missing = MappedFile::open(path("missing"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().to_string().find("No such file"), std::string::npos);
  put("a", "text");
  EXPECT_FALSE(MappedFile::open(path("a") + std::string("\0b", 2)).ok());
}

TEST_F(FilesTest, ReadsSmallFilesUpToTheLimit) {
  put("a", "12345");
  EXPECT_EQ(read_small_file(path("a"), 5).value(), "12345");
  auto larger = read_small_file(path("a"), 4);
  ASSERT_FALSE(larger.ok());
  EXPECT_EQ(larger.error().code, ErrorCode::kLimit);
}

TEST_F(FilesTest, UncommittedOutputLeavesNothing) {
  put("a", "old");
  {
    auto file = AtomicFile::create(path("a"));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write("half").ok());
    AtomicFile moved = std::move(*file);
    EXPECT_EQ(moved.position(), 4u);
  }
  EXPECT_EQ(contents("a"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(FilesTest, WritesPiecesOfAllSizesInOrder) {
  const std::string large(3 << 20, 'x');
  auto file = AtomicFile::create(path("a"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->write("start").ok());
  ASSERT_TRUE(file->pad_to(8).ok());
  ASSERT_TRUE(file->pad_to(8).ok());
  EXPECT_EQ(file->position(), 8u);
  ASSERT_TRUE(file->write(large).ok());
  ASSERT_TRUE(file->write("end").ok());
  EXPECT_FALSE(fs::exists(path("a")));
  ASSERT_TRUE(file->commit().ok());
  EXPECT_TRUE(contents("a") == std::string("start\0\0\0", 8) + large + "end");
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(FilesTest, KeepsPermissionsAndFollowsLinks) {
  fs::create_directory(folder_ / "real");
  put("real/a", "old");
  fs::permissions(path("real/a"), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("real/a", path("link"));
  ASSERT_TRUE(write_file(path("link"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(contents("real/a"), "new");
  EXPECT_EQ(fs::status(path("real/a")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(FilesTest, NeverOverwritesWhenAskedNotTo) {
  put("a", "old");
  auto existing = AtomicFile::create(path("a"), AtomicFile::IfExists::kFail);
  ASSERT_FALSE(existing.ok());
  EXPECT_EQ(existing.error().code, ErrorCode::kUsage);

  auto file = AtomicFile::create(path("b"), AtomicFile::IfExists::kFail);
  ASSERT_TRUE(file.ok());
  put("b", "came between");
  EXPECT_FALSE(file->commit().ok());
  EXPECT_EQ(contents("b"), "came between");

  auto fresh = AtomicFile::create(path("c"), AtomicFile::IfExists::kFail);
  ASSERT_TRUE(fresh.ok() && fresh->write("x").ok());
  EXPECT_TRUE(fresh->commit().ok());
  EXPECT_EQ(contents("c"), "x");
}

TEST_F(FilesTest, FilesThatBelongTogetherAppearTogether) {
  put("b", "old");
  auto three = [&] {
    std::vector<AtomicFile> files;
    for (const char* name : {"a", "b", "c"}) {
      files.push_back(std::move(AtomicFile::create(path(name)).value()));
      EXPECT_TRUE(files.back().write("new").ok());
    }
    return files;
  };
  {
    auto files = three();
    ASSERT_TRUE(files[0].finish().ok());
    fs::create_directory(folder_ / "c");  // in the way of the last one
    EXPECT_FALSE(commit_all(files).ok());
  }
  EXPECT_EQ(names(), (std::vector<std::string>{"b", "c"}));
  fs::remove(folder_ / "c");
  auto files = three();
  EXPECT_TRUE(commit_all(files).ok());
  EXPECT_EQ(contents("a") + contents("b") + contents("c"), "newnewnew");
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(FilesTest, RefusesTargetsThatAreNoFiles) {
  for (const std::string& name :
       {folder_.string(), std::string("/dev/null"), std::string(), path("no/such/a")}) {
    EXPECT_FALSE(AtomicFile::create(name).ok()) << name;
  }
}

TEST_F(FilesTest, ReportsAWriteThatFails) {
  // A limit on the size of files makes write(2) fail part way, as a full disk does.
  rlimit old_limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old_limit;
  small.rlim_cur = 1 << 20;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  {
    auto file = AtomicFile::create(path("a"));
    ASSERT_TRUE(file.ok());
    Status status = file->write(std::string(2 << 20, 'x'));
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kIo);
  }
  setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace tenon
