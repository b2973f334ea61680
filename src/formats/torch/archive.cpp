#include "formats/torch/archive.h"

#include <algorithm>

#include "base/mapped_file.h"
#include "base/try.h"

namespace tenon {

Result<TorchArchive> TorchArchive::open(SharedBytes bytes) {
  TorchArchive archive;
  archive.zip_ = TENON_TRY(ZipReader::open(std::move(bytes)));
  const std::vector<ZipEntry>& entries = archive.zip_.entries();
  if (entries.empty()) return fail(ErrorCode::kMalformed, "the zip archive is empty");
  const std::string_view first = entries.front().name;
  const std::string_view root = first.substr(0, first.find('/') + 1);
  const bool shared = std::all_of(entries.begin(), entries.end(),
                                  [root](const ZipEntry& entry) { return entry.name.starts_with(root); });
  if (shared && first.find('/') != std::string_view::npos) archive.root_ = root;
  if (archive.has("byteorder")) {
    const SharedBytes order = TENON_TRY(archive.read("byteorder"));
    if (order.text() == "big") {
      return with_hint(fail(ErrorCode::kUnsupported, "the tensors are stored in big-endian order"),
                       "save the file again on a little-endian machine");
    }
    if (order.text() != "little")
      return fail(ErrorCode::kMalformed, "record 'byteorder' is neither little nor big");
  }
  return archive;
}

Result<TorchArchive> TorchArchive::open_file(const std::string& path) {
  auto archive = open(share_bytes(TENON_TRY(MappedFile::open(path))));
  if (!archive.ok()) return at_file(std::move(archive.error()), path);
  return archive;
}

Result<SharedBytes> TorchArchive::read(std::string_view record) const {
  const ZipEntry* entry = find(record);
  if (entry == nullptr) return fail(ErrorCode::kMalformed, "the archive has no record '{}'", record);
  return zip_.read(*entry);
}

uint64_t TorchArchive::size(std::string_view record) const {
  const ZipEntry* entry = find(record);
  return entry == nullptr ? 0 : entry->size;
}

std::vector<std::string> TorchArchive::list(std::string_view prefix) const {
  std::vector<std::string> names;
  for (const ZipEntry& entry : zip_.entries()) {
    const std::string_view name = entry.name.substr(root_.size());
    if (name.starts_with(prefix)) names.emplace_back(name);
  }
  return names;
}

}  // namespace tenon
