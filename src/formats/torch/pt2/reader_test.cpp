// Damaged and hostile programs: each gives an error or a program, never a crash. What undamaged ones say is
// compared with PyTorch in tests/pt2.
#include "formats/torch/pt2/reader.h"

#include <gtest/gtest.h>

#include "lower/functionalise.h"

namespace tenon {
namespace {

const std::string kFolder = std::string(TENON_SOURCE_DIR) + "/tests/data/pt2/";

std::string json_of(const std::string& name) {
  auto archive = TorchArchive::open_file(kFolder + name);
  EXPECT_TRUE(archive.ok()) << archive.error().to_string();
  auto text = archive->read("models/model.json");
  EXPECT_TRUE(text.ok());
  return std::string(text->text());
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

ErrorCode code_of(const std::string& json) {
  auto program = read_pt2_json(json);
  EXPECT_FALSE(program.ok());
  return program.ok() ? ErrorCode::kInternal : program.error().code;
}

TEST(Pt2Reader, ReadsAWholeFile) {
  auto program = read_pt2_file(kFolder + "tied.pt2");
  ASSERT_TRUE(program.ok()) << program.error().to_string();
  const aten::Weight* window = program->find_weight("window");  // base[1:4, 1:3] of a 6 by 4 tensor
  ASSERT_NE(window, nullptr);
  EXPECT_EQ(window->tensor.shape(), (Shape{3, 2}));
  EXPECT_EQ(program->find_weight("flags")->tensor.type(), DataType::kBool);
  EXPECT_EQ(program->find_weight("empty")->tensor.size(), 0);
  ASSERT_EQ(program->sample_inputs.size(), 1u);
  EXPECT_EQ(program->sample_inputs[0].tensor().span<int64_t>()[2], 4);
}

TEST(Pt2Reader, NamesTheFileThatIsMissing) {
  auto program = read_pt2_file(kFolder + "no_such.pt2");
  ASSERT_FALSE(program.ok());
  EXPECT_NE(program.error().to_string().find("no_such.pt2"), std::string::npos);
}

TEST(Pt2Reader, RefusesEveryTruncation) {
  for (const char* name : {"branch.pt2", "dynamic.pt2"}) {
    const std::string json = json_of(name);
    for (size_t size = 0; size < json.size(); size += size < 4000 ? 1 : 97)
      ASSERT_FALSE(read_pt2_json(std::string_view(json).substr(0, size)).ok()) << size;
  }
}

// What a flipped bit leaves readable must also pass, or be refused by, everything that comes after reading.
TEST(Pt2Reader, SurvivesFlippedBits) {
  const std::string json = json_of("branch.pt2");
  for (size_t at = 0; at < json.size(); at += 3) {
    std::string damaged = json;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 7)));
    auto program = read_pt2_json(damaged);
    if (!program.ok()) {
      EXPECT_FALSE(program.error().message.empty());
      continue;
    }
    to_string(*program);
    auto functional = aten::functionalise(std::move(*program));
    if (functional.ok()) to_string(functional->program());
  }
}

TEST(Pt2Reader, SaysWhatIsWrong) {
  const std::string json = json_of("branch.pt2");
  EXPECT_EQ(code_of(""), ErrorCode::kMalformed);
  EXPECT_EQ(code_of("[]"), ErrorCode::kMalformed);
  EXPECT_EQ(code_of(std::string(200, '[') + std::string(200, ']')), ErrorCode::kLimit);
  EXPECT_EQ(code_of(replaced(json, "\"as_tensor\"", "\"as_tenser\"")), ErrorCode::kMalformed);
  EXPECT_EQ(code_of(replaced(json, "\"dtype\": 7", "\"dtype\": 1e400")), ErrorCode::kMalformed);
  EXPECT_EQ(code_of(replaced(json, "\"dtype\": 7", "\"dtype\": 77")), ErrorCode::kMalformed);
  EXPECT_EQ(code_of(replaced(json, "\"dtype\": 7", "\"dtype\": 7, \"dtype\": 7")), ErrorCode::kMalformed);
  EXPECT_EQ(code_of(replaced(json, "\"major\": 8", "\"major\": 9")), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of(replaced(json, "\"input_specs\": [", "\"input_specs\": [{\"spell\": {}}, ")),
            ErrorCode::kUnsupported);
}

TEST(Pt2Reader, ChecksThatValuesAreMadeBeforeTheyAreUsed) {
  const std::string json = json_of("branch.pt2");
  const std::string use = "\"name\": \"self\", \"arg\": {\"as_tensor\": {\"name\": \"x\"}}";
  auto program =
      read_pt2_json(replaced(json, use, "\"name\": \"self\", \"arg\": {\"as_tensor\": {\"name\": \"y\"}}"));
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, ErrorCode::kInvalidModel);
  EXPECT_NE(program.error().message.find("'y'"), std::string::npos);
}

}  // namespace
}  // namespace tenon
