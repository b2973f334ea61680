#include "formats/zip/zip_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>

#include "base/little_endian.h"

namespace tenon {
namespace {

using ::testing::HasSubstr;

std::string deflate(const std::string& contents) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, contents.size()) + 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(contents.data()));
  stream.avail_in = static_cast<uInt>(contents.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// Writes archives from the fields of APPNOTE.TXT, so that a test can falsify any of them.
class ZipBuilder {
 public:
  struct Entry {
    std::string name;
    std::string contents = {};
    bool deflated = false;
    uint16_t flags = 0;
    uint16_t method_override = 0xFFFF;
    bool zip64 = false;         // sizes in the zip64 extra field of both headers
    size_t padding = 0;         // bytes appended to what is stored
    bool sizes_follow = false;  // bit 3: zeros in the local header, a data descriptor after the contents
  };

  size_t add(const Entry& entry) {
    const size_t local = bytes_.size();
    const std::string stored =
        (entry.deflated ? deflate(entry.contents) : entry.contents) + std::string(entry.padding, '\0');
    const auto crc = static_cast<uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(entry.contents.data()),
                                                   static_cast<uInt>(entry.contents.size())));
    const uint16_t method =
        entry.method_override != 0xFFFF ? entry.method_override : (entry.deflated ? 8 : 0);
    const auto flags = static_cast<uint16_t>(entry.flags | (entry.sizes_follow ? 8 : 0));
    std::string extra;
    if (entry.zip64) {
      put16(extra, 1);
      put16(extra, 16);
      put64(extra, entry.contents.size());
      put64(extra, stored.size());
    }
    auto put_common = [&](std::string& out, bool local_zeros) {
      put16(out, 45);
      put16(out, flags);
      put16(out, method);
      put32(out, 0);
      put32(out, local_zeros ? 0 : crc);
      put32(out, local_zeros ? 0 : entry.zip64 ? 0xFFFFFFFF : static_cast<uint32_t>(stored.size()));
      put32(out, local_zeros ? 0 : entry.zip64 ? 0xFFFFFFFF : static_cast<uint32_t>(entry.contents.size()));
      put16(out, static_cast<uint16_t>(entry.name.size()));
      put16(out, static_cast<uint16_t>(extra.size()));
    };
    put32(bytes_, 0x04034b50);
    put_common(bytes_, entry.sizes_follow);
    bytes_ += entry.name + extra + stored;
    if (entry.sizes_follow) {
      put32(bytes_, 0x08074b50);
      put32(bytes_, crc);
      put32(bytes_, static_cast<uint32_t>(stored.size()));
      put32(bytes_, static_cast<uint32_t>(entry.contents.size()));
    }
    central_starts_.push_back(directory_.size());
    put32(directory_, 0x02014b50);
    put16(directory_, 45);
    put_common(directory_, false);
    put16(directory_, 0);
    put16(directory_, 0);
    put16(directory_, 0);
    put32(directory_, 0);
    put32(directory_, static_cast<uint32_t>(local));
    directory_ += entry.name + extra;
    return local;
  }

  std::string finish(bool zip64 = false, const std::string& comment = {}) {
    const size_t offset = bytes_.size();
    const size_t count = central_starts_.size();
    for (size_t& start : central_starts_) start += offset;
    bytes_ += directory_;
    if (zip64) {
      const size_t end = bytes_.size();
      put32(bytes_, 0x06064b50);
      put64(bytes_, 44);
      put32(bytes_, 45);
      put64(bytes_, 0);
      put64(bytes_, count);
      put64(bytes_, count);
      put64(bytes_, directory_.size());
      put64(bytes_, offset);
      put32(bytes_, 0x07064b50);
      put32(bytes_, 0);
      put64(bytes_, end);
      put32(bytes_, 1);
    }
    put32(bytes_, 0x06054b50);
    put32(bytes_, 0);
    put16(bytes_, zip64 ? 0xFFFF : static_cast<uint16_t>(count));
    put16(bytes_, zip64 ? 0xFFFF : static_cast<uint16_t>(count));
    put32(bytes_, zip64 ? 0xFFFFFFFF : static_cast<uint32_t>(directory_.size()));
    put32(bytes_, zip64 ? 0xFFFFFFFF : static_cast<uint32_t>(offset));
    put16(bytes_, static_cast<uint16_t>(comment.size()));
    return bytes_ + comment;
  }

  /// Where central header `i` begins; valid after finish().
  size_t central(size_t i) const { return central_starts_[i]; }

  template <class T>
  static void patch(std::string& archive, size_t at, T value) {
    std::memcpy(archive.data() + at, &value, sizeof(T));
  }

 private:
  template <class T>
  static void put(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  static void put16(std::string& out, uint16_t value) { put(out, value); }
  static void put32(std::string& out, uint32_t value) { put(out, value); }
  static void put64(std::string& out, uint64_t value) { put(out, value); }

  std::string bytes_;
  std::string directory_;
  std::vector<size_t> central_starts_;
};

SharedBytes share(const std::string& text) {
  auto owner = std::make_shared<std::string>(text);
  return {std::as_bytes(std::span<const char>(*owner)), owner};
}

/// Opens and reads everything; the first error, or "".
std::string error_of(const std::string& archive) {
  auto reader = ZipReader::open(share(archive));
  if (!reader.ok()) return reader.error().to_string();
  for (const ZipEntry& entry : reader->entries()) {
    auto contents = reader->read(entry);
    if (!contents.ok()) return contents.error().to_string();
  }
  return {};
}

std::string read_text(const std::string& archive, std::string_view name) {
  auto reader = ZipReader::open(share(archive));
  EXPECT_TRUE(reader.ok()) << reader.error().to_string();
  const ZipEntry* entry = reader->find(name);
  EXPECT_NE(entry, nullptr);
  auto contents = reader->read(*entry);
  EXPECT_TRUE(contents.ok()) << contents.error().to_string();
  return std::string(contents->text());
}

const std::string kLong(5000, 'a');

TEST(ZipReader, ReadsEveryWayOfStoring) {
  for (bool zip64 : {false, true}) {
    ZipBuilder builder;
    builder.add({.name = "r/"});
    builder.add({.name = "r/stored", .contents = "one"});
    builder.add({.name = "r/deflated", .contents = kLong, .deflated = true});
    builder.add({.name = "r/wide", .contents = "two", .zip64 = true});
    builder.add({.name = "r/follow", .contents = "three", .sizes_follow = true});
    builder.add({.name = "r/empty"});
    builder.add({.name = "r/empty deflated", .deflated = true});
    const std::string archive = builder.finish(zip64, "a comment");
    EXPECT_EQ(read_text(archive, "r/stored"), "one");
    EXPECT_EQ(read_text(archive, "r/deflated"), kLong);
    EXPECT_EQ(read_text(archive, "r/wide"), "two");
    EXPECT_EQ(read_text(archive, "r/follow"), "three");
    EXPECT_EQ(read_text(archive, "r/empty"), "");
    EXPECT_EQ(read_text(archive, "r/empty deflated"), "");
    auto reader = ZipReader::open(share(archive));
    EXPECT_EQ(reader->entries().size(), 6u) << "the folder is no entry";
    EXPECT_EQ(reader->find("r/none"), nullptr);
  }
}

TEST(ZipReader, StoredEntriesAreViews) {
  ZipBuilder builder;
  builder.add({.name = "a", .contents = "text"});
  const SharedBytes archive = share(builder.finish());
  auto reader = ZipReader::open(archive);
  auto contents = reader->read(*reader->find("a"));
  EXPECT_GE(contents->data(), archive.data());
  EXPECT_LT(contents->data(), archive.data() + archive.size());
  EXPECT_EQ(contents->owner, archive.owner);
}

TEST(ZipReader, ChecksumsAreCheckedUnlessNoneIsThere) {
  ZipBuilder builder;
  const size_t first = builder.add({.name = "a", .contents = "text"});
  const size_t second = builder.add({.name = "b", .contents = "more"});
  std::string archive = builder.finish();
  std::string damaged = archive;
  damaged[first + 31] = 'T';
  EXPECT_THAT(error_of(damaged), HasSubstr("'a' is damaged: its checksum"));
  for (size_t at : {first + 14, second + 14, builder.central(0) + 16, builder.central(1) + 16}) {
    ZipBuilder::patch<uint32_t>(archive, at, 0);
  }
  EXPECT_EQ(error_of(archive), "");
}

TEST(ZipReader, TruncatedAtEveryByteIsAnError) {
  for (bool zip64 : {false, true}) {
    ZipBuilder builder;
    builder.add({.name = "r/a", .contents = "one"});
    builder.add({.name = "r/b", .contents = kLong, .deflated = true});
    const std::string archive = builder.finish(zip64);
    for (size_t size = 0; size < archive.size(); ++size) {
      EXPECT_NE(error_of(archive.substr(0, size)), "") << size;
    }
  }
}

TEST(ZipReader, FlippedBitsNeverGiveOtherContents) {
  ZipBuilder builder;
  builder.add({.name = "r/a", .contents = "one"});
  builder.add({.name = "r/b", .contents = kLong, .deflated = true});
  const std::string archive = builder.finish(true);
  for (size_t bit = 0; bit < archive.size() * 8; ++bit) {
    std::string flipped = archive;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    auto reader = ZipReader::open(share(flipped));
    if (!reader.ok()) continue;
    for (const ZipEntry& entry : reader->entries()) {
      auto contents = reader->read(entry);
      if (contents.ok()) EXPECT_TRUE(contents->text() == "one" || contents->text() == kLong) << bit;
    }
  }
}

struct Attack {
  const char* what;
  std::string archive;
  const char* message;
};

std::vector<Attack> attacks() {
  std::vector<Attack> result;
  auto build = [](const ZipBuilder::Entry& entry) {
    ZipBuilder builder;
    builder.add(entry);
    return builder.finish();
  };
  for (const char* name : {"../a", "r/../../a", "..", "r/.."}) {
    result.push_back({name, build({.name = name}), "climbs out"});
  }
  result.push_back({"absolute", build({.name = "/a"}), "not a plain relative path"});
  result.push_back({"backslash", build({.name = "r\\a"}), "not a plain relative path"});
  result.push_back({"NUL", build({.name = std::string("a\0b", 3)}), "not a plain relative path"});
  result.push_back({"no name", build({.name = ""}), "without a name"});
  result.push_back({"encrypted", build({.name = "a", .flags = 1}), "encrypted"});
  result.push_back({"strong encryption", build({.name = "a", .flags = 0x41}), "encrypted"});
  result.push_back({"bzip2", build({.name = "a", .method_override = 12}), "method 12"});
  {
    ZipBuilder builder;
    builder.add({.name = "a"});
    builder.add({.name = "a", .contents = "x"});
    result.push_back({"repeated name", builder.finish(), "there twice"});
  }
  {
    ZipBuilder inner;
    inner.add({.name = "b", .contents = "two"});
    ZipBuilder builder;
    builder.add({.name = "a", .contents = inner.finish()});
    builder.add({.name = "b", .contents = "two"});
    std::string archive = builder.finish();
    ZipBuilder::patch<uint32_t>(archive, builder.central(1) + 42,
                                30 + 1);  // the entry inside the contents of "a"
    result.push_back({"an entry inside another", archive, "overlaps with entry 'a'"});
  }
  {
    ZipBuilder builder;
    builder.add({.name = "a", .contents = "one"});
    builder.add({.name = "b", .contents = "two"});
    std::string archive = builder.finish();
    std::string past = archive;
    ZipBuilder::patch<uint32_t>(past, builder.central(1) + 42, 0x7FFFFFFF);
    result.push_back({"offset past the end", past, "outside the archive"});
    std::string more = archive;
    ZipBuilder::patch<uint16_t>(more, more.size() - 22 + 8, 3);
    ZipBuilder::patch<uint16_t>(more, more.size() - 22 + 10, 3);
    result.push_back({"counts too many", more, "fewer entries than it says"});
    std::string fewer = archive;
    ZipBuilder::patch<uint16_t>(fewer, fewer.size() - 22 + 8, 1);
    ZipBuilder::patch<uint16_t>(fewer, fewer.size() - 22 + 10, 1);
    result.push_back({"counts too few", fewer, "more in its central directory"});
    std::string volumes = archive;
    ZipBuilder::patch<uint16_t>(volumes, volumes.size() - 22 + 4, 1);
    result.push_back({"volumes", volumes, "several volumes"});
    std::string ended = archive;
    ZipBuilder::patch<uint16_t>(ended, ended.size() - 2, 22);
    result.push_back({"two end records", ended + archive.substr(archive.size() - 22), "two end records"});
    result.push_back({"something before it", "junk" + archive, "does not end where"});
    std::string renamed = archive;
    renamed[30] = 'c';
    result.push_back({"another local name", renamed, "called 'c' in its local header"});
    for (size_t at : {size_t{6}, size_t{8}, size_t{14}, size_t{18}, size_t{22}}) {
      std::string differs = archive;
      differs[at] = static_cast<char>(differs[at] ^ 8);
      result.push_back({"local header differs", differs, "contradicts the central directory"});
    }
    std::string sizes = archive;
    ZipBuilder::patch<uint32_t>(sizes, builder.central(0) + 24, 4);
    result.push_back({"stored with two sizes", sizes, "its two sizes differ"});
  }
  {
    ZipBuilder builder;
    builder.add({.name = "a", .contents = "one", .zip64 = true});
    std::string archive = builder.finish(true);
    const size_t end64 = archive.size() - 22 - 20 - 56;
    auto lie = [&](const char* what, size_t at, uint64_t value, const char* message) {
      std::string lied = archive;
      ZipBuilder::patch<uint64_t>(lied, at, value);
      result.push_back({what, lied, message});
    };
    lie("zip64 count", end64 + 32, uint64_t{1} << 60, "several volumes");
    lie("zip64 directory size", end64 + 40, ~uint64_t{0}, "does not end where");
    lie("zip64 directory offset", end64 + 48, uint64_t{1} << 63, "does not end where");
    lie("zip64 locator", archive.size() - 22 - 12, ~uint64_t{0} - 10, "no zip64 end record");
    lie("zip64 locator elsewhere", archive.size() - 22 - 12, 0, "no zip64 end record");
    lie("zip64 record size", end64 + 4, 1000, "of a wrong size");
    lie("zip64 entry size", builder.central(0) + 47 + 4, ~uint64_t{0}, "its two sizes differ");
    std::string huge = archive;
    ZipBuilder::patch<uint64_t>(huge, builder.central(0) + 47 + 4, ~uint64_t{0});
    ZipBuilder::patch<uint64_t>(huge, builder.central(0) + 47 + 12, ~uint64_t{0});
    result.push_back({"zip64 entry sizes", huge, "outside the archive"});
    std::string short_extra = archive;
    ZipBuilder::patch<uint16_t>(short_extra, builder.central(0) + 47 + 2, 8);
    result.push_back({"zip64 field too short", short_extra, "lacks a number"});
    std::string contradiction = archive;
    ZipBuilder::patch<uint32_t>(contradiction, archive.size() - 22 + 12, 7);
    result.push_back({"two directory sizes", contradiction, "contradicts itself"});
    std::string counts = archive;
    ZipBuilder::patch<uint64_t>(counts, end64 + 24, uint64_t{1} << 60);
    ZipBuilder::patch<uint64_t>(counts, end64 + 32, uint64_t{1} << 60);
    result.push_back({"zip64 counts", counts, "fewer entries than it says"});
  }
  {
    ZipBuilder builder;
    const size_t local = builder.add({.name = "a", .contents = kLong, .deflated = true});
    const std::string archive = builder.finish();
    for (uint32_t size : {4999u, 5001u, 0u}) {
      std::string lied = archive;
      ZipBuilder::patch<uint32_t>(lied, local + 22, size);
      ZipBuilder::patch<uint32_t>(lied, builder.central(0) + 24, size);
      result.push_back({"inflates to another size", lied, "do not give"});
    }
    std::string bomb = archive;
    ZipBuilder::patch<uint32_t>(bomb, local + 22, 0x7FFFFFFF);
    ZipBuilder::patch<uint32_t>(bomb, builder.central(0) + 24, 0x7FFFFFFF);
    result.push_back({"claims more than deflate can hold", bomb, "can hold"});
  }
  {
    ZipBuilder builder;
    std::vector<size_t> locals;
    for (int i = 0; i < 9; ++i) {
      locals.push_back(
          builder.add({.name = std::to_string(i), .contents = kLong, .deflated = true, .padding = 65536}));
    }
    std::string bomb = builder.finish();
    for (size_t i = 0; i < locals.size(); ++i) {
      ZipBuilder::patch<uint32_t>(bomb, locals[i] + 22, 64 << 20);
      ZipBuilder::patch<uint32_t>(bomb, builder.central(i) + 24, 64 << 20);
    }
    result.push_back({"deflate bomb", bomb, "inflates to more than"});
  }
  return result;
}

TEST(ZipReader, AttacksAreErrors) {
  for (const Attack& attack : attacks()) {
    EXPECT_THAT(error_of(attack.archive), HasSubstr(attack.message)) << attack.what;
  }
}

}  // namespace
}  // namespace tenon
