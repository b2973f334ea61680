// What long calls tell of their progress, on the shipped model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tenon/align.h"
#include "tenon/bench.h"
#include "tenon/export.h"
#include "tenon/inspect.h"
#include "tenon/session.h"
#include "tenon/values.h"

namespace tenon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAreArray;

const std::string kProgram = std::string(TENON_SOURCE_DIR) + "/demo/digits.pt2";

/// Keeps what a call tells, and checks that counts rise from 0 and end before the total.
class Listener {
 public:
  ProgressFunction function() {
    return [this](std::string_view what, size_t done, size_t total) {
      if (stages.empty() || stages.back() != what) {
        stages.emplace_back(what);
        EXPECT_EQ(done, 0u) << what;
      } else {
        EXPECT_GE(done, done_) << what;
        EXPECT_EQ(total, total_) << what;
      }
      EXPECT_TRUE(total == 0 ? done == 0 : done < total) << what << " " << done << " of " << total;
      done_ = done;
      total_ = total;
      totals[std::string(what)] = total;
    };
  }
  std::vector<std::string> stages;
  std::map<std::string, size_t> totals;

 private:
  size_t done_ = 0, total_ = 0;
};

class ProgressTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("tenon_progress_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

TEST_F(ProgressTest, AnExportTellsOfReadingConvertingAndWriting) {
  Listener listener;
  ExportOptions options;
  options.progress = listener.function();
  auto report = export_model(kProgram, path("m.onnx"), options);
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(listener.stages, ElementsAreArray({"reading the program", "making the program functional",
                                                 "nodes lowered", "nodes written", "MB written"}));
  EXPECT_EQ(listener.totals["nodes written"], report->node_count);
  EXPECT_EQ(listener.totals["MB written"],
            (std::filesystem::file_size(path("m.onnx")) + 999'999) / 1'000'000);

  options.fold = true;
  options.external_data = true;
  ASSERT_TRUE(export_model(kProgram, path("folded.onnx"), options).ok());
  EXPECT_THAT(listener.stages, Contains("pass fold-constants"));
}

TEST_F(ProgressTest, OpeningAndRunningASessionTellOfEachStep) {
  ASSERT_TRUE(export_model(kProgram, path("m.onnx")).ok());
  Listener opened;
  SessionOptions options;
  options.disabled_passes = {"all"};
  options.progress = opened.function();
  auto session = Session::open(path("m.onnx"), options).value();
  EXPECT_THAT(opened.stages,
              ElementsAreArray({"reading the model", "checking the model", "nodes read", "steps prepared"}));

  Listener ran;
  RunContext context;
  context.enable_profile();
  context.set_progress(ran.function());
  ASSERT_TRUE(session->run(random_inputs(*session, {}).value(), {}, &context).ok());
  EXPECT_THAT(ran.stages, ElementsAreArray({"steps run"}));
  EXPECT_EQ(ran.totals["steps run"], context.profile().size());
}

TEST_F(ProgressTest, InspectingTellsOfThePasses) {
  Listener listener;
  InspectOptions options;
  options.progress = listener.function();
  auto report = inspect(kProgram, options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(listener.stages.front(), "reading the file");
  EXPECT_THAT(listener.stages, Contains("pass remove-dead-code"));
  EXPECT_EQ(listener.stages.back(), "steps prepared");
  EXPECT_EQ(listener.totals["nodes lowered"] > 0, true);
}

TEST_F(ProgressTest, BenchAndAlignTellOfOpeningAndOfRuns) {
  Listener bench;
  BenchOptions options;
  options.runs = 3;
  options.profile = true;
  options.progress = bench.function();
  ASSERT_TRUE(run_bench(kProgram, options).ok());
  EXPECT_THAT(bench.stages, Contains("steps prepared"));
  EXPECT_THAT(bench.stages, Contains("runs"));
  EXPECT_EQ(bench.stages.back(), "profiled runs");

  Listener compared;
  AlignOptions align_options;
  align_options.samples = 2;
  align_options.python = "none";
  align_options.per_layer = true;
  align_options.progress = compared.function();
  ASSERT_TRUE(align(kProgram, kProgram, align_options).ok());
  EXPECT_THAT(compared.stages, Contains("nodes lowered"));
  EXPECT_THAT(compared.stages, Contains("samples"));
  EXPECT_THAT(compared.stages, Contains("layers"));
}

}  // namespace
}  // namespace tenon
