// The fixed parts of an engine file. Shared by its writer and reader.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenon::engine_file {

/// The first bytes; no text and no other format begins so.
inline constexpr std::string_view kSignature = "\x89tenon-engine\r\n\x1a\n";
inline constexpr std::string_view kFooterSignature = "tenon engine end";
/// Of the container. Another number is refused.
inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kAlignment = 64;
inline constexpr size_t kPageBytes = 4096;

/// At the end of the file, little-endian.
struct Footer {
  uint64_t plan = 0;      ///< Where the compiled model begins; the data ends there.
  uint64_t original = 0;  ///< Where the original model begins.
  uint64_t json = 0;      ///< Where the JSON object begins; the footer follows it.
  uint32_t version = kVersion;
  uint32_t checksum = 0;  ///< CRC-32 of everything from `plan` to here, this field excepted.
  char signature[16] = {};
};
static_assert(sizeof(Footer) == 48);
/// The bytes of a footer that the checksum covers.
inline constexpr size_t kFooterSummed = offsetof(Footer, checksum);

inline uint32_t checksum(uint32_t before, std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace tenon::engine_file
