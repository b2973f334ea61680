// The parts of a ZIP archive that say where its entries are: end records, central directory, local headers.
#pragma once

#include <span>
#include <vector>

#include "formats/zip/zip_reader.h"

namespace tenon {

/// All entries of the central directory, folders included, each checked against its local header; what
/// ZipReader::open promises but for repeated names and the limit on what deflated entries take.
Result<std::vector<ZipEntry>> read_zip_directory(std::span<const std::byte> archive, ZipNames names);

}  // namespace tenon
