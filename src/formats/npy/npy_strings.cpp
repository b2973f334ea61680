#include "formats/npy/npy_strings.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/try.h"

namespace tenon {

namespace {

constexpr size_t kMaxBytes = size_t{2} << 30;

bool is_code_point(uint32_t value) {
  return value < 0xd800 || (value > 0xdfff && value <= 0x10ffff);
}

void append_utf8(std::string& out, uint32_t point) {
  auto byte = [&](uint32_t bits) { out += static_cast<char>(bits); };
  if (point < 0x80) {
    byte(point);
    return;
  }
  int tail = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  uint32_t lead = tail == 1 ? 0xc0 : tail == 2 ? 0xe0 : 0xf0;
  byte(lead | point >> (6 * tail));
  while (tail-- > 0) byte(0x80 | (point >> (6 * tail) & 0x3f));
}

/// The code points of a UTF-8 string without NUL, or nothing.
std::optional<std::u32string> decode_utf8(std::string_view text) {
  std::u32string points;
  for (size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i++]);
    int tail = lead < 0x80 ? 0 : lead >> 5 == 0x06 ? 1 : lead >> 4 == 0x0e ? 2 : lead >> 3 == 0x1e ? 3 : -1;
    if (tail < 0 || lead == 0) return std::nullopt;
    uint32_t point = tail == 0 ? lead : lead & (0x3fU >> tail);
    for (int k = 0; k < tail; ++k, ++i) {
      if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80) return std::nullopt;
      point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
    }
    constexpr uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[tail] || !is_code_point(point)) return std::nullopt;
    points += static_cast<char32_t>(point);
  }
  return points;
}

Result<size_t> padded_bytes(size_t count, size_t width) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, width, &bytes) || bytes > kMaxBytes)
    return fail(ErrorCode::kLimit,
                "{} strings of up to {} bytes would take more than {} bytes in a NumPy file", count, width,
                kMaxBytes);
  return bytes;
}

Result<NpyStrings> encode_bytes(std::span<const std::string> strings) {
  size_t width = 1;
  for (const std::string& text : strings) width = std::max(width, text.size());
  size_t bytes = TENON_TRY(padded_bytes(strings.size(), width));
  NpyStrings result{fmt::format("|S{}", width), std::string(bytes, '\0')};
  for (size_t i = 0; i < strings.size(); ++i) result.data.replace(i * width, strings[i].size(), strings[i]);
  return result;
}

}  // namespace

Result<std::string> decode_npy_string(const NpyType& type, std::span<const std::byte> item) {
  std::string text;
  if (type.kind == NpyKind::kBytes) {
    text.assign(reinterpret_cast<const char*>(item.data()), item.size());
    text.resize(text.find_last_not_of('\0') + 1);
    return text;
  }
  std::u32string points;
  for (size_t i = 0; i + 4 <= item.size(); i += 4) {
    uint32_t point = 0;
    for (size_t k = 0; k < 4; ++k)
      point = point << 8 | std::to_integer<uint32_t>(item[i + (type.big_endian ? k : 3 - k)]);
    if (!is_code_point(point))
      return fail(ErrorCode::kMalformed, "the npy array has text that is not Unicode");
    points += static_cast<char32_t>(point);
  }
  points.resize(points.find_last_not_of(U'\0') + 1);
  for (char32_t point : points) append_utf8(text, point);
  return text;
}

Result<NpyStrings> encode_npy_strings(std::span<const std::string> strings) {
  std::vector<std::u32string> texts;
  size_t width = 1;
  for (const std::string& text : strings) {
    auto points = decode_utf8(text);
    if (!points) return encode_bytes(strings);
    width = std::max(width, points->size());
    texts.push_back(std::move(*points));
  }
  size_t bytes = TENON_TRY(padded_bytes(strings.size(), 4 * width));
  NpyStrings result{fmt::format("<U{}", width), std::string(bytes, '\0')};
  for (size_t i = 0; i < texts.size(); ++i) {
    size_t at = 4 * width * i;
    for (char32_t point : texts[i])
      for (int k = 0; k < 4; ++k) result.data[at++] = static_cast<char>(point >> (8 * k) & 0xff);
  }
  return result;
}

}  // namespace tenon
