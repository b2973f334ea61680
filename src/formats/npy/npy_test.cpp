#include "tenon/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "formats/npy/npy_array.h"
#include "formats/npy/npy_header.h"
#include "tensor/element.h"

namespace tenon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string path_of(const std::string& name) {
  return std::string(TENON_SOURCE_DIR) + "/tests/data/npy/" + name;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

SharedBytes share(const std::string& text) {
  auto owner = std::make_shared<std::string>(text);
  return {std::as_bytes(std::span(*owner)), owner};
}

/// A folder that is removed with the test.
class NpyTest : public ::testing::Test {
 protected:
  NpyTest() : folder_(std::filesystem::temp_directory_path() / ("tenon_npy_" + std::to_string(getpid()))) {
    std::filesystem::create_directory(folder_);
  }
  ~NpyTest() override { std::filesystem::remove_all(folder_); }

  std::string out(const std::string& name) const { return (folder_ / name).string(); }
  std::string written(const std::string& name, const std::string& text) const {
    std::ofstream(out(name), std::ios::binary) << text;
    return out(name);
  }

 private:
  std::filesystem::path folder_;
};

/// Whether an array is what make_npy.py's values() makes.
void expect_values(const NamedValue& value) {
  SCOPED_TRACE(value.name);
  const Tensor& tensor = value.value.tensor();
  EXPECT_EQ(data_type_name(tensor.type()), value.name);
  ASSERT_EQ(tensor.shape(), (Shape{2, 3, 4}));
  for (int64_t i = 0; i < 24; ++i) {
    if (tensor.type() == DataType::kBool) {
      EXPECT_EQ(tensor.data<uint8_t>()[i], i % 3 == 0);
    } else if (compute_kind(tensor.type()) == ComputeKind::kComplex) {
      auto number = static_cast<double>(i);
      EXPECT_EQ(load_element<std::complex<double>>(tensor, i), std::complex<double>(number, -number));
    } else {
      EXPECT_EQ(load_element<double>(tensor, i), static_cast<double>(i));
    }
  }
}

TEST_F(NpyTest, ReadsEveryTypeInEveryOrder) {
  for (const auto& [name, count] :
       {std::pair("types.npz", 15), std::pair("types_deflated.npz", 15), std::pair("types_fortran.npz", 15),
        std::pair("types_big_endian.npz", 14)}) {
    SCOPED_TRACE(name);
    auto values = read_npz(path_of(name));
    ASSERT_TRUE(values.ok()) << values.error().to_string();
    EXPECT_EQ(values->size(), static_cast<size_t>(count));
    for (const NamedValue& value : *values) expect_values(value);
  }
}

TEST_F(NpyTest, ReadsStrings) {
  auto values = read_npz(path_of("strings.npz"));
  ASSERT_TRUE(values.ok()) << values.error().to_string();
  ASSERT_EQ(values->size(), 5U);
  for (size_t i = 0; i < 3; ++i) {
    const Tensor& text = (*values)[i].value.tensor();
    EXPECT_EQ(text.shape(), (Shape{2, 2}));
    EXPECT_THAT(text.strings(), ElementsAre("a", "né", "日本語", "🐈 cat"));
  }
  EXPECT_THAT((*values)[3].value.tensor().strings(), ElementsAre("ab", "", std::string("\xff\0\1", 3)));
  EXPECT_EQ((*values)[4].name, "/a/b:0");
  EXPECT_EQ((*values)[4].value.tensor().data<float>()[0], 1.5F);
}

TEST_F(NpyTest, ReadsEachVersionScalarsAndEmptyArrays) {
  for (const char* name : {"version_2.npy", "version_3.npy"}) {
    auto tensor = read_npy(path_of(name));
    ASSERT_TRUE(tensor.ok()) << tensor.error().to_string();
    expect_values({"int16", *tensor});
  }
  auto scalar = read_npy(path_of("scalar.npy"));
  ASSERT_TRUE(scalar.ok());
  EXPECT_EQ(scalar->rank(), 0);
  EXPECT_EQ(scalar->data<double>()[0], 2.5);
  auto empty = read_npy(path_of("zero_size.npy"));
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->shape(), (Shape{0, 3}));
  auto none = read_npz(path_of("empty.npz"));
  ASSERT_TRUE(none.ok()) << none.error().to_string();
  EXPECT_TRUE(none->empty());
}

TEST_F(NpyTest, WritesTheBytesThatNumPyWrites) {
  for (const char* name : {"float32.npy", "vector.npy", "scalar.npy", "zero_size.npy", "text.npy",
                           "bytes.npy", "bfloat16.npy"}) {
    SCOPED_TRACE(name);
    auto tensor = read_npy(path_of(name));
    ASSERT_TRUE(tensor.ok()) << tensor.error().to_string();
    ASSERT_TRUE(write_npy(out("written.npy"), *tensor).ok());
    EXPECT_EQ(contents(out("written.npy")), contents(path_of(name)));
  }
}

TEST_F(NpyTest, WritesArchivesThatReadBackTheSame) {
  auto values = read_npz(path_of("types.npz"));
  ASSERT_TRUE(values.ok());
  values->push_back({"/layer:0/out=\\", Tensor::scalar(int64_t{7})});
  ASSERT_TRUE(write_npz(out("a.npz"), *values).ok());
  auto again = read_npz(out("a.npz"));
  ASSERT_TRUE(again.ok()) << again.error().to_string();
  ASSERT_EQ(again->size(), values->size());
  EXPECT_EQ(again->back().name, "/layer:0/out=\\");
  again->pop_back();
  for (const NamedValue& value : *again) expect_values(value);
}

TEST_F(NpyTest, WidensTypesThatNumPyLacks) {
  Tensor int4 = Tensor::allocate(DataType::kInt4, {3});
  for (int64_t i = 0; i < 3; ++i) store_element<int64_t>(int4, i, i - 8);
  Tensor float8 = Tensor::allocate(DataType::kFloat8E4M3FN, {2});
  for (int64_t i = 0; i < 2; ++i) store_element<double>(float8, i, i == 0 ? -1.5 : 448.0);
  ASSERT_TRUE(write_npz(out("w.npz"), {{"int4", int4}, {"float8", float8}}).ok());
  auto values = read_npz(out("w.npz"));
  ASSERT_TRUE(values.ok());
  EXPECT_EQ((*values)[0].value.tensor().type(), DataType::kInt8);
  EXPECT_THAT(to_ints((*values)[0].value.tensor()), ElementsAre(-8, -7, -6));
  EXPECT_EQ((*values)[1].value.tensor().type(), DataType::kFloat32);
  EXPECT_THAT(to_doubles((*values)[1].value.tensor()), ElementsAre(-1.5, 448.0));
}

TEST_F(NpyTest, RefusesWhatATensorCannotHold) {
  for (const auto& [name, part] :
       {std::pair("object.npy", "pickled"), std::pair("structured.npy", "structured"),
        std::pair("date.npy", "<M8[D]"), std::pair("long_double.npy", "<f16")}) {
    auto tensor = read_npy(path_of(name));
    ASSERT_FALSE(tensor.ok()) << name;
    EXPECT_EQ(tensor.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(tensor.error().message, HasSubstr(part));
    EXPECT_EQ(tensor.error().file, path_of(name));
  }
  EXPECT_THAT(read_npy(path_of("types.npz")).error().message, HasSubstr("archive"));
  EXPECT_THAT(read_npz(path_of("vector.npy")).error().message, HasSubstr("single array"));
}

TEST_F(NpyTest, RefusesToWriteWhatAnArchiveCannotHold) {
  Tensor one = Tensor::scalar(1.0F);
  EXPECT_EQ(write_npz(out("x.npz"), {{"a", one}, {"a", one}}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(write_npz(out("x.npz"), {{std::string("a\0b", 3), one}}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(write_npz(out("x.npz"), {{"a", Sequence{}}}).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(write_npz(out("x.npz"), {{"a", Tensor()}}).error().code, ErrorCode::kUsage);
  EXPECT_FALSE(std::filesystem::exists(out("x.npz")));
  EXPECT_FALSE(write_npy(out("no/such/folder.npy"), one).ok());
}

/// A version 1 file around a header of that text.
std::string npy_with(const std::string& header, const std::string& data = "") {
  std::string file("\x93NUMPY\1\0", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  return file + header + data;
}

TEST_F(NpyTest, ReadsHeadersAsPythonWouldEvaluateThem) {
  for (const char* header : {"{'descr':'<i4','fortran_order':False,'shape':(1,)}",
                             "{ \"shape\" : ( 1L , ) , 'fortran_order' : False , 'descr' : '<i4' , }\n"}) {
    auto tensor = decode_npy(share(npy_with(header, std::string("\5\0\0\0", 4))));
    ASSERT_TRUE(tensor.ok()) << header << tensor.error().to_string();
    EXPECT_THAT(tensor->span<int32_t>(), ElementsAre(5));
  }
}

TEST_F(NpyTest, RefusesHostileHeaders) {
  const std::string huge = std::to_string(INT64_MAX);
  for (const std::string& header : std::vector<std::string>{
           "",
           "{",
           "{}",
           "[]",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2)} x",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2.5,)}",
           "{'descr': '<f4', 'fortran_order': None, 'shape': (2,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
           "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}",
           "{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '', 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '<U99999999999', 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '<U4294967295', 'fortran_order': False, 'shape': (" + huge + ",)}",
           "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (" + huge + ", " + huge + ")}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (" + huge + ",)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"}) {
    auto tensor = decode_npy(share(npy_with(header, "12345678")));
    EXPECT_FALSE(tensor.ok()) << header;
  }
  std::string deep = "{'descr': '<f4', 'fortran_order': True, 'shape': (";
  for (int i = 0; i < 65; ++i) deep += "1,";
  EXPECT_EQ(decode_npy(share(npy_with(deep + ")}", "1234"))).error().code, ErrorCode::kLimit);
  auto empty = decode_npy(
      share(npy_with("{'descr': '<f4', 'fortran_order': True, 'shape': (0, " + huge + ", " + huge + ")}")));
  EXPECT_TRUE(empty.ok());
  EXPECT_FALSE(decode_npy(share(npy_with("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}",
                                         std::string("\0\xd8\0\0", 4))))
                   .ok());  // a surrogate
}

TEST_F(NpyTest, SurvivesTruncationAtEveryByte) {
  for (const char* name : {"version_2.npy", "text.npy", "bfloat16.npy"}) {
    std::string bytes = contents(path_of(name));
    for (size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(decode_npy(share(bytes.substr(0, size))).ok()) << name << " at " << size;
  }
  std::string bytes = contents(path_of("strings.npz"));
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(read_npz(written("cut.npz", bytes.substr(0, size))).ok()) << size;
}

TEST_F(NpyTest, SurvivesFlippedBits) {
  for (const char* name : {"version_3.npy", "text.npy", "bytes.npy"}) {
    std::string bytes = contents(path_of(name));
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      auto tensor = decode_npy(share(flipped));
      if (tensor.ok()) {
        EXPECT_EQ(element_count(tensor->shape()).value(), tensor->size());
      } else {
        EXPECT_FALSE(tensor.error().message.empty());
      }
    }
  }
  std::string bytes = contents(path_of("strings.npz"));
  for (size_t bit = 0; bit < 8 * bytes.size(); bit += 7) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    auto values = read_npz(written("flipped.npz", flipped));
    if (values.ok()) EXPECT_EQ(values->size(), 5U);
  }
}

}  // namespace
}  // namespace tenon
