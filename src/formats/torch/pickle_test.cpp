#include "formats/torch/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/torch/torch_save.h"

namespace tenon {
namespace {

using pickle::Value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

SharedBytes share(const std::string& text) {
  auto owner = std::make_shared<std::string>(text);
  return {std::as_bytes(std::span<const char>(*owner)), owner};
}

std::string little32(uint32_t value) {
  return std::string(reinterpret_cast<const char*>(&value), 4);
}
std::string little64(uint64_t value) {
  return std::string(reinterpret_cast<const char*>(&value), 8);
}
std::string text(const std::string& value) {
  return "X" + little32(static_cast<uint32_t>(value.size())) + value;
}

/// The error of a protocol 2 pickle with that body, or "".
std::string error_of(const std::string& body) {
  auto result = pickle::load_pickle(share("\x80\x02" + body));
  return result.ok() ? "" : result.error().to_string();
}

const std::string kStorage =
    "(" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "K\x06tQ";

/// A pickle whose root is the tensor _rebuild_tensor_v2(storage, offset, sizes, strides, False, None).
std::string tensor_pickle(const std::string& offset, const std::string& sizes, const std::string& strides) {
  return "\x80\x02"
         "ctorch._utils\n_rebuild_tensor_v2\n(" +
         kStorage + offset + sizes + strides + "\x89NtR.";
}

class PickleKinds : public ::testing::TestWithParam<const char*> {};

TEST_P(PickleKinds, AreReadAsPythonMeantThem) {
  auto archive = TorchArchive::open_file(std::string(TENON_SOURCE_DIR) + "/tests/data/torch/" + GetParam());
  ASSERT_TRUE(archive.ok()) << archive.error().to_string();
  auto save = TorchSave::open(*archive);
  ASSERT_TRUE(save.ok()) << save.error().to_string();
  const auto* root = save->root().as<pickle::Dict>();
  ASSERT_NE(root, nullptr);
  auto at = [&](const char* key) -> const Value& { return *root->find(key); };
  EXPECT_NE(at("none").as<pickle::None>(), nullptr);
  EXPECT_EQ(*at("bool").as<bool>(), true);
  EXPECT_EQ(*at("int").as<int64_t>(), -5);
  EXPECT_EQ(*at("large").as<int64_t>(), int64_t{1} << 40);
  EXPECT_EQ(at("huge").as<pickle::BigInt>()->data, std::string_view("\0\0\0\0\0\0\0\0\x40", 9));
  EXPECT_EQ(*at("float").as<double>(), 1.5);
  EXPECT_EQ(*at("complex").as<std::complex<double>>(), std::complex<double>(1, 2));
  EXPECT_EQ(*at("text").as<std::string_view>(), "n\xc3\xa4me");
  EXPECT_EQ(at("bytes").as<pickle::Bytes>()->data, std::string_view("\0\xff", 2));
  EXPECT_EQ(at("bytearray").as<pickle::Bytes>()->data, "xyz");
  for (const char* key : {"tuple", "list"}) {
    const auto* outer = at(key).as<pickle::Sequence>();
    ASSERT_EQ(outer->items.size(), 2u);
    EXPECT_EQ(*outer->items[0]->as<int64_t>(), 1);
    EXPECT_EQ(*outer->items[1]->as<pickle::Sequence>()->items[0]->as<int64_t>(), 2);
  }
  EXPECT_EQ(at("set").as<pickle::Sequence>()->items.size(), 1u);
  EXPECT_EQ(at("size").as<pickle::Sequence>()->items.size(), 2u);
  EXPECT_EQ(*at("device").as<std::string_view>(), "cpu");
  EXPECT_EQ(at("dtype").as<pickle::Global>()->type->type, DataType::kFloat16);
  auto tensor = save->load(*at("tensor").tensor());
  ASSERT_TRUE(tensor.ok());
  EXPECT_THAT(tensor->span<float>(), ElementsAre(-1.0f, -0.625f));
}

INSTANTIATE_TEST_SUITE_P(Protocols, PickleKinds, ::testing::Values("kinds.pt", "kinds5.pt"));

TEST(Pickle, AttacksAreErrors) {
  const std::string evil = "cos\nsystem\n";
  const std::vector<std::pair<std::string, const char*>> cases = {
      {evil + "(" + text("true") + "tR.", "'os.system', which is not allowed"},
      {"cbuiltins\neval\n.", "'builtins.eval', which is not allowed"},
      {"ctorch\nload\n.", "'torch.load', which is not allowed"},
      {"ctorch.hub\nload\n.", "'torch.hub.load', which is not allowed"},
      {"c__builtin__\ngetattr\n.", "'__builtin__.getattr', which is not allowed"},
      {text("os") + text("system") + "\x93.", "'os.system', which is not allowed"},
      {"K\x01K\x02\x93.", "a name is no text"},
      {"c" + std::string(1000, 'a'), "a name does not end"},
      {"K\x01)R.", "cannot be called"},
      {"ctorch\nfloat32\n)R.", "cannot be called"},
      {"ctorch\nTensor\n)\x81.", "cannot be called"},
      {"ccollections\nOrderedDict\nK\x01R.", "cannot be called"},
      {"ccollections\nOrderedDict\n(K\x01tR.", "arguments of OrderedDict"},
      {"ctorch._utils\n_rebuild_tensor_v2\n)R.", "arguments of _rebuild_tensor"},
      {"ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x01))\x89NtR.", "arguments of _rebuild_tensor"},
      {"ctorch._utils\n_rebuild_parameter\n)R.", "arguments of Parameter"},
      {"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nctorch\nTensor\n)NtR.",
       "arguments of _rebuild_from_type_v2"},
      {"c_codecs\nencode\n(" + text("\xe2\x82\xac") + text("latin1") + "tR.", "arguments of _codecs.encode"},
      {"c_codecs\nencode\n(" + text("a") + text("rot13") + "tR.", "arguments of _codecs.encode"},
      {"]}b.", "state of an object that has none"},
      {"ctorch\nfloat32\n}b.", "state of an object that has none"},
      {"(i__main__\nX\n.", "opcode 0x69 is not allowed"},
      {"(o.", "opcode 0x6f is not allowed"},
      {"\x82\x01.", "opcode 0x82 is not allowed"},
      {"\x83\x01\x01.", "opcode 0x83 is not allowed"},
      {"\x84\x01\x01\x01\x01.", "opcode 0x84 is not allowed"},
      {std::string("\x92.", 2), "opcode 0x92 is not allowed"},
      {"P0\n.", "opcode 0x50 is not allowed"},
      {"]K\x01K\x02s.", "what is no dict"},
      {"](K\x01K\x02u.", "what is no dict"},
      {"}(K\x01u.", "a key has no value"},
      {"}K\x01"
       "a.",
       "what is no list"},
      {"](K\x01\x90.", "what is no list"},
      {"Nr" + little32(0xFFFFFFFF) + ".", "memo number is too large"},
      {"h\x07.", "never stored"},
      {"j" + little32(0xFFFFFFFF) + ".", "never stored"},
      {"q\x01.", "takes more values than it made"},
      {"K\x01(q\x01", "takes more values than it made"},
      {"K\x01(a.", "takes more values than it made"},
      {"K\x01(\x86.", "takes more values than it made"},
      {"t.", "mark that is not open"},
      {"NN.", "values left over"},
      {"N(.", "takes more values than it made"},
      {".", "takes more values than it made"},
      {"N", "ends in the middle"},
      {"X" + little32(100) + "abc.", "ends in the middle"},
      {"\x8d" + little64(~uint64_t{0}) + ".", "ends in the middle"},
      {"\x8e" + little64(uint64_t{1} << 62) + ".", "ends in the middle"},
      {"\x95" + little64(~uint64_t{0}) + "N.", "ends in the middle"},
      {"\x8b" + little32(0x80000000) + ".", "ends in the middle"},
      {text("\xff\xfe") + ".", "not UTF-8"},
      {"\x80\x06N.", "protocol is not known"},
      {"K\x01Q.", "not that of a storage"},
      {"(" + text("module") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "K\x06tQ.",
       "not that of a storage"},
      {"(" + text("storage") + "ctorch\nfloat32\n" + text("0") + text("cpu") + "K\x06tQ.",
       "not that of a storage"},
      {"(" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "J\xff\xff\xff\xfftQ.",
       "-1 elements"},
      {"(" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "K\x06(" + text("v") +
           "K\x05K\x02ttQ.",
       "view of storage '0' reaches outside"},
  };
  for (const auto& [body, message] : cases) EXPECT_THAT(error_of(body), HasSubstr(message)) << message;
  EXPECT_FALSE(pickle::load_pickle(share("")).ok());
  EXPECT_FALSE(pickle::load_pickle(share("(dp0\n.")).ok()) << "protocol 0";
}

TEST(Pickle, DeepNestingAndCyclesAreData) {
  std::string deep = "N";
  for (int i = 0; i < 1000000; ++i) deep += "\x85";
  EXPECT_EQ(error_of(deep + "."), "");
  EXPECT_EQ(error_of("]q\x01h\x01"
                     "a."),
            "")
      << "a list inside itself";
}

TEST(Pickle, WorkIsBounded) {
  EXPECT_THAT(error_of(std::string(pickle::kMaxOpcodes + 10, 'N')), HasSubstr("more than"));
  // One long text, encoded over and over.
  const std::string encodings =
      "c_codecs\nencode\nq\x01(" + text(std::string(1 << 20, 'a')) + text("latin1") + "tq\x02";
  std::string repeated = encodings;
  for (int i = 0; i < 1000; ++i) repeated += "h\x01h\x02R";
  EXPECT_THAT(error_of(repeated), HasSubstr("more than"));
}

TEST(TorchSave, TensorsStayInsideTheirStorage) {
  auto load = [](const std::string& pickle_text) -> std::string {
    auto parsed = pickle::load_pickle(share(pickle_text));
    if (!parsed.ok()) return parsed.error().to_string();
    const pickle::Tensor* tensor = parsed->root->tensor();
    const Status status = check_layout(tensor->layout, tensor->storage->elements);
    return status.ok() ? "" : status.error().to_string();
  };
  EXPECT_EQ(load(tensor_pickle("K\x01", "K\x05\x85", "K\x01\x85")), "");
  EXPECT_THAT(load(tensor_pickle("K\x02", "K\x05\x85", "K\x01\x85")),
              HasSubstr("reaches outside its storage"));
  EXPECT_THAT(load(tensor_pickle("K\x01", "K\x02\x85", "J\xff\xff\xff\xff\x85")),
              HasSubstr("negative stride"));
  const std::string huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
  EXPECT_THAT(load(tensor_pickle("K\x01", huge + "\x85", huge + "\x85")),
              HasSubstr("reaches outside its storage"));
  EXPECT_THAT(load(tensor_pickle(huge, "K\x05\x85", "K\x01\x85")), HasSubstr("reaches outside its storage"));
}

}  // namespace
}  // namespace tenon
