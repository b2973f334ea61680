#include "formats/torch/state_dict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "formats/torch/scalar_type.h"

namespace tenon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string data_path(const std::string& name) {
  return std::string(TENON_SOURCE_DIR) + "/tests/data/torch/" + name;
}

std::string hex(const Tensor& tensor) {
  std::string text;
  for (size_t i = 0; i < tensor.bytes(); ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned>(tensor.raw()[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

/// The tensors as tests/make_torch_data.py writes what PyTorch says is in a file.
std::string describe(const StateDict& state_dict) {
  std::ostringstream text;
  for (const StateDict::Entry& entry : state_dict.entries) {
    std::string type;
    for (std::string_view name :
         {"float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool",
          "uint16", "uint32", "uint64", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2",
          "float8_e4m3fnuz", "float8_e5m2fnuz"}) {
      if (find_scalar_type(name)->type == entry.tensor.type()) type = name;
    }
    std::string shape;
    for (int64_t dim : entry.tensor.shape()) shape += (shape.empty() ? "" : ",") + std::to_string(dim);
    text << entry.name << '\t' << type << '\t' << shape << '\t' << hex(entry.tensor) << '\n';
  }
  return text.str();
}

std::string expected(const std::string& name) {
  auto text = read_small_file(data_path(name + ".expected"));
  EXPECT_TRUE(text.ok());
  return *text;
}

StateDict read(const std::string& name) {
  auto state_dict = read_state_dict(data_path(name));
  EXPECT_TRUE(state_dict.ok()) << state_dict.error().to_string();
  return state_dict.ok() ? std::move(*state_dict) : StateDict();
}

class ReadStateDict : public ::testing::TestWithParam<const char*> {};

TEST_P(ReadStateDict, AgreesWithPyTorch) {
  EXPECT_EQ(describe(read(GetParam())), expected(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Files, ReadStateDict,
                         ::testing::Values("strided.pt", "typed.pt", "legacy.pt", "legacy_typed.pt",
                                           "protocol5.pt", "legacy_protocol4.pt", "no_checksums.pt",
                                           "checkpoint.pt", "extra.pt", "module_state.pt",
                                           "model.safetensors"));

TEST(StateDictTest, TiedWeightsShareTheirBytes) {
  for (const char* name : {"strided.pt", "legacy.pt"}) {
    const StateDict state_dict = read(name);
    EXPECT_EQ(state_dict.find("tied.a")->raw(), state_dict.find("tied.b")->raw());
    EXPECT_EQ(state_dict.find("every_second")->owner() == state_dict.find("dense")->owner(), false);
  }
  const StateDict mapped = read("strided.pt");
  EXPECT_EQ(mapped.find("dense")->owner(), mapped.find("scalar")->owner()) << "both are views of the file";
}

TEST(StateDictTest, SaysWhatItDidToACheckpoint) {
  EXPECT_THAT(read("checkpoint.pt").notes,
              ElementsAre("took the weights from the checkpoint's entry 'state_dict'",
                          "removed the prefix 'module.' of all names"));
  EXPECT_THAT(read("extra.pt").notes, ElementsAre("left out what is no tensor: 'steps', '_extra_state'"));
  EXPECT_TRUE(read("strided.pt").notes.empty());
}

TEST(StateDictTest, RefusesWhatIsNoStateDict) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"quantized.pt", "'q': the tensor is quantized"},
      {"sparse.pt", "'s': the tensor is sparse"},
      {"whole_model.pt", "'torch.nn.modules.linear.Linear', which is not allowed"},
      {"list.pt", "holds a sequence, not a state dict"},
      {"script.pt", "is a TorchScript archive, not a state dict"},
      {"strided.pt.expected", "is a text, not a state dict"},
      {"none.pt", "cannot open"},
  };
  for (const auto& [name, message] : cases) {
    auto state_dict = read_state_dict(data_path(name));
    ASSERT_FALSE(state_dict.ok()) << name;
    EXPECT_THAT(state_dict.error().to_string(), HasSubstr(message));
    EXPECT_EQ(state_dict.error().file, data_path(name));
  }
}

Result<StateDict> read_bytes(const std::string& bytes) {
  auto owner = std::make_shared<std::string>(bytes);
  return read_state_dict(SharedBytes{std::as_bytes(std::span<const char>(*owner)), owner});
}

class DamagedFile : public ::testing::TestWithParam<const char*> {};

TEST_P(DamagedFile, TruncatedAtEveryByteIsAnError) {
  const std::string whole = *read_small_file(data_path(GetParam()));
  ASSERT_TRUE(read_bytes(whole).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(read_bytes(whole.substr(0, size)).ok()) << size;
  }
}

TEST_P(DamagedFile, FlippedBitsAreErrorsOrHarmless) {
  const std::string whole = *read_small_file(data_path(GetParam()));
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    auto state_dict = read_bytes(flipped);
    if (!state_dict.ok()) continue;
    for (const StateDict::Entry& entry : state_dict->entries) hex(entry.tensor);  // every byte can be read
  }
}

INSTANTIATE_TEST_SUITE_P(Files, DamagedFile,
                         ::testing::Values("extra.pt", "legacy.pt", "legacy_protocol4.pt",
                                           "model.safetensors"));

/// A safetensors file with that header and data.
std::string safetensors(const std::string& header, size_t data_bytes) {
  const uint64_t size = header.size();
  return std::string(reinterpret_cast<const char*>(&size), 8) + header + std::string(data_bytes, 'd');
}

TEST(Safetensors, AttacksAreErrors) {
  auto one = [](const std::string& fields, size_t data_bytes = 8) {
    return safetensors("{\"a\":{" + fields + "}}", data_bytes);
  };
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  ASSERT_TRUE(read_bytes(one(good)).ok());
  const std::vector<std::pair<std::string, const char*>> cases = {
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[0,9])", 9), "does not fill its 9 bytes"},
      {one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), "does not fill its 8 bytes"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), "outside the 8 bytes"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[8,16])"), "outside the 8 bytes"},
      {one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"),
       "'shape' that is unknown or of a wrong kind"},
      {one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])"), "does not fill"},
      {one(R"("dtype":"F32","shape":[1e400],"data_offsets":[0,8])"), "is no JSON object"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), "two data_offsets"},
      {one(R"("dtype":"F32","shape":[2])"), "needs dtype"},
      {one(R"("dtype":"F4","shape":[2],"data_offsets":[0,8])"), "type 'F4'"},
      {one(good + R"(,"more":1)"), "field 'more'"},
      {one(good + R"(,"dtype":"F32")"), "each once"},
      {one(good, 9), "does not cover all"},
      {safetensors("{\"a\":{" + good + "},\"a\":{" + good + "}}", 8), "there twice"},
      {safetensors("{\"a\":{" + good + "},\"b\":{" + good + "}}", 8), "overlap or leave a gap"},
      {safetensors("{\"a\":[]}", 8), "described by no object"},
      {safetensors("{" + std::string(5000, '['), 8), "is no JSON object"},
      {safetensors("{\"a\":" + std::string(50, '[') + std::string(50, ']') + "}", 8), "is no JSON object"},
      {std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), "not a state dict"},
  };
  for (const auto& [bytes, message] : cases) {
    auto state_dict = read_bytes(bytes);
    ASSERT_FALSE(state_dict.ok()) << message;
    EXPECT_THAT(state_dict.error().to_string(), HasSubstr(message));
  }
}

}  // namespace
}  // namespace tenon
