// NumPy's fixed-width strings: 'U', UTF-32 padded with zeros, and 'S', bytes padded with NULs.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "formats/npy/npy_header.h"
#include "tenon/error.h"

namespace tenon {

/// One element as a tensor's string: 'U' as UTF-8. kMalformed for what is no Unicode.
Result<std::string> decode_npy_string(const NpyType& type, std::span<const std::byte> item);

/// An array of strings as NumPy lays it out: its descr ("<U5", "|S12") and its elements.
struct NpyStrings {
  std::string descr;
  std::string data;
};

/// Fails with kLimit when padding all strings to the longest takes more than 2 GiB.
Result<NpyStrings> encode_npy_strings(std::span<const std::string> strings);

}  // namespace tenon
