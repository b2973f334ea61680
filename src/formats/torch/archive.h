// The container of PyTorch's zip files (.pt2, TorchScript, torch.save): records below one root folder, which
// is the file's stem, or "archive" when it was saved to a buffer. First stop of every torch reader.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/shared_bytes.h"
#include "formats/zip/zip_reader.h"
#include "tenon/error.h"

namespace tenon {

/// Records by their names without the root folder: "data.pkl", "data/weights/weight_0". Copies share the
/// bytes.
class TorchArchive {
 public:
  /// What ZipReader::open refuses, archives without entries, entries outside the root folder of the first
  /// one, and big-endian files (kUnsupported). Errors carry no file name.
  static Result<TorchArchive> open(SharedBytes archive);
  /// The same for a file, which errors name.
  static Result<TorchArchive> open_file(const std::string& path);

  bool has(std::string_view record) const { return find(record) != nullptr; }
  /// The contents, checksum verified. A stored record is a view of the archive, aligned to 64 bytes by
  /// PyTorch's own writer (and by nobody else: check before casting). Fails with kMalformed when there is no
  /// such record.
  Result<SharedBytes> read(std::string_view record) const;
  /// The size of a record's contents; 0 when it is not there.
  uint64_t size(std::string_view record) const;
  /// Of the whole archive.
  size_t size_bytes() const { return zip_.size_bytes(); }
  /// The names of all records that begin with `prefix`, in the order of the archive.
  std::vector<std::string> list(std::string_view prefix = {}) const;

 private:
  const ZipEntry* find(std::string_view record) const { return zip_.find(root_ + std::string(record)); }

  ZipReader zip_;
  std::string root_;  // with its trailing slash; empty when the entries share no folder
};

}  // namespace tenon
