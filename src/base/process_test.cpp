#include "base/process.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tenon {
namespace {

using namespace std::chrono_literals;

TEST(Process, GivesStatusAndOutput) {
  auto result = run_process({find_program("sh"), "-c", "echo out; echo err >&2; exit 7"}, 10s);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->status, 7);
  EXPECT_EQ(result->output, "out\nerr\n");
  EXPECT_FALSE(result->timed_out);
}

TEST(Process, ArgumentsMeetNoShell) {
  auto result = run_process({find_program("echo"), "$HOME; `x` \"y\" *"}, 10s);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->output, "$HOME; `x` \"y\" *\n");
}

TEST(Process, KeepsTheEndOfALongOutput) {
  auto result = run_process({find_program("sh"), "-c", "yes | head -c 1000000; echo end"}, 10s);
  ASSERT_TRUE(result.ok());
  EXPECT_LT(result->output.size(), 100'000u);
  EXPECT_TRUE(result->output.ends_with("end\n"));
}

TEST(Process, EndsWhatTakesTooLong) {
  auto result = run_process({find_program("sh"), "-c", "sleep 1000 & sleep 1000"}, 100ms);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->timed_out);
}

TEST(Process, ReadsNothing) {
  auto result = run_process({find_program("cat")}, 10s);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->status, 0);
}

TEST(Process, AMissingProgramIsUnavailable) {
  EXPECT_EQ(find_program("no-such-program-here"), "");
  EXPECT_EQ(run_process({"/no/such/program"}, 1s).error().code, ErrorCode::kUnavailable);
}

TEST(TemporaryFolder, IsRemovedWithAllItHolds) {
  std::string path;
  {
    auto folder = TemporaryFolder::create();
    ASSERT_TRUE(folder.ok());
    path = folder->path("a/b");
    std::filesystem::create_directories(path);
    std::ofstream(folder->path("file")) << "text";
    TemporaryFolder moved = std::move(*folder);
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(path).parent_path()));
}

}  // namespace
}  // namespace tenon
