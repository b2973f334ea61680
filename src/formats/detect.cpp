#include "formats/detect.h"

#include <algorithm>

#include "formats/engine/engine_file.h"
#include "formats/torch/archive.h"
#include "formats/torch/safetensors.h"
#include "formats/torch/torch_save.h"

namespace tenon {

namespace {

FileFormat detect_zip(std::span<const std::byte> file) {
  const auto archive = TorchArchive::open({file, nullptr});
  // Big-endian files are sound archives, refused with a message of their own by whoever opens them.
  if (!archive.ok()) {
    return archive.error().code == ErrorCode::kUnsupported ? FileFormat::kTorchSave : FileFormat::kDamagedZip;
  }
  if (archive->has("constants.pkl")) return FileFormat::kTorchScript;
  if (archive->has("archive_format") || archive->has("models/model.json") ||
      archive->has("serialized_exported_program.json")) {
    return FileFormat::kTorchExport;
  }
  if (archive->has("data.pkl")) return FileFormat::kTorchSave;
  const std::vector<std::string> records = archive->list();
  const bool arrays = std::all_of(records.begin(), records.end(),
                                  [](const std::string& name) { return name.ends_with(".npy"); });
  return arrays ? FileFormat::kNpz : FileFormat::kZip;
}

/// True when the first field of a protobuf message can be one of ModelProto (onnx.proto): its number and wire
/// type fit, and a length stays inside the file.
bool begins_as_model_proto(std::string_view text) {
  // ir_version, producer_name, producer_version, domain, model_version, doc_string, graph, opset_import,
  // metadata_props; training_info (20) and functions (25) have tags of two bytes.
  constexpr std::string_view kVarintTags = "\x08\x28";
  constexpr std::string_view kLengthTags = "\x12\x1a\x22\x32\x3a\x42\x72";
  size_t at = 1;
  bool is_length = kLengthTags.find(text[0]) != std::string_view::npos;
  if (text.starts_with("\xa2\x01") || text.starts_with("\xca\x01")) {
    is_length = true;
    at = 2;
  }
  if (!is_length && kVarintTags.find(text[0]) == std::string_view::npos) return false;
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7, ++at) {
    if (at >= text.size()) return !is_length && text.size() < 11;
    const auto byte = static_cast<unsigned char>(text[at]);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) {
      // The version of the format is a small number; a text that begins with a tag's character is told by
      // that.
      return is_length ? value <= text.size() : text[0] != '\x08' || value < 1000;
    }
  }
  return false;
}

bool is_text(std::string_view head) {
  return std::all_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte < 0x7F) || c == '\n' || c == '\r' || c == '\t';
  });
}

}  // namespace

FileFormat detect_format(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (text.empty()) return FileFormat::kEmpty;
  if (EngineFile::recognises(file)) return FileFormat::kEngine;
  if (ZipReader::recognises(file)) return detect_zip(file);
  if (TorchSave::recognises_legacy(file)) return FileFormat::kTorchLegacy;
  if (text.starts_with("\x93NUMPY")) return FileFormat::kNpy;
  if (text.starts_with("\x89HDF\r\n")) return FileFormat::kHdf5;
  if (text.starts_with("version https://git-lfs")) return FileFormat::kGitLfs;
  if (recognises_safetensors(file)) return FileFormat::kSafetensors;
  if (text.starts_with('\x80') && text.size() > 1 && text[1] <= 5) return FileFormat::kPickle;
  if (text.size() > 262 && text.substr(257, 5) == "ustar") return FileFormat::kTar;
  if (is_text(text.substr(0, 512))) return FileFormat::kText;
  if (begins_as_model_proto(text)) return FileFormat::kOnnx;
  return FileFormat::kUnknown;
}

Result<FileFormat> detect_file(const std::string& path) {
  auto file = TENON_TRY(MappedFile::open(path));
  return detect_format(file->bytes());
}

std::string_view format_name(FileFormat format) {
  switch (format) {
    case FileFormat::kUnknown:
      return "of no format known to tenon";
    case FileFormat::kEmpty:
      return "empty";
    case FileFormat::kOnnx:
      return "an ONNX model";
    case FileFormat::kEngine:
      return "a tenon engine";
    case FileFormat::kTorchExport:
      return "a program of torch.export";
    case FileFormat::kTorchScript:
      return "a TorchScript archive";
    case FileFormat::kTorchSave:
      return "a file of torch.save";
    case FileFormat::kTorchLegacy:
      return "a file of torch.save in its old form";
    case FileFormat::kSafetensors:
      return "a safetensors file";
    case FileFormat::kNpz:
      return "an npz file";
    case FileFormat::kNpy:
      return "an npy file";
    case FileFormat::kZip:
      return "a zip archive";
    case FileFormat::kDamagedZip:
      return "a damaged zip archive";
    case FileFormat::kPickle:
      return "a plain Python pickle";
    case FileFormat::kTar:
      return "a tar archive";
    case FileFormat::kHdf5:
      return "an HDF5 file";
    case FileFormat::kGitLfs:
      return "a Git LFS pointer instead of the file itself (run git lfs pull)";
    case FileFormat::kText:
      return "a text";
  }
  return "of no format known to tenon";
}

}  // namespace tenon
