// Tells file formats apart by their content, never by their name. The first step of every command that takes
// files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tenon/error.h"

namespace tenon {

enum class FileFormat : uint8_t {
  kUnknown,
  kEmpty,
  kOnnx,
  kEngine,       ///< What `tenon build` makes.
  kTorchExport,  ///< .pt2, any layout
  kTorchScript,
  kTorchSave,    ///< torch.save as a zip archive
  kTorchLegacy,  ///< torch.save before torch 1.6
  kSafetensors,
  kNpz,
  kNpy,
  kZip,         ///< A sound zip archive with none of the above in it.
  kDamagedZip,  ///< Begins as a zip archive; opening it says what is wrong.
  kPickle,      ///< A pickle that torch.save did not write.
  kTar,         ///< torch.save before torch 0.1.10, among others.
  kHdf5,
  kGitLfs,  ///< The small text that stands for a file kept by Git LFS.
  kText,    ///< HTML, JSON and the like.
};

/// The format of a whole file. Looks at its beginning and, for zip archives, at the directory; a file that is
/// cut short or damaged further in still counts as what it begins as.
FileFormat detect_format(std::span<const std::byte> file);

/// The same of the file at `path`; errors are those of MappedFile::open.
Result<FileFormat> detect_file(const std::string& path);

/// For messages: "an ONNX model", "a TorchScript archive".
std::string_view format_name(FileFormat format);

}  // namespace tenon
