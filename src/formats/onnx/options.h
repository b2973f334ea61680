// What a caller may ask of the ONNX reader and writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/mapped_file.h"
#include "tenon/progress.h"

namespace tenon::onnx {

struct ReadOptions {
  /// Follow symbolic links and accept hard links in the path of external data (Hugging Face caches are made
  /// of symbolic links). Off: both are refused, so that a model cannot read outside of its own folder.
  bool allow_links = false;
  /// The file that all external data lies in, whatever location the model names. Null: files by their
  /// locations.
  std::shared_ptr<const MappedFile> data_file = nullptr;
  /// Memory for the structure of a model (nodes, names, attributes), apart from the elements of its tensors.
  size_t structure_bytes_max = size_t{512} << 20;
};

/// Graphs inside of attributes of graphs: deeper nesting is refused. It is what protobuf's own limit of 100
/// nested messages leaves room for, so no other reader takes deeper models either.
inline constexpr int kSubgraphDepthMax = 32;
/// Types inside of types (a sequence of maps of ...).
inline constexpr int kTypeDepthMax = 16;

struct WriteOptions {
  enum class ExternalData : uint8_t {
    kAuto,    ///< Inline while the file stays below 2 GiB, which is as much as protobuf can hold; else
              ///< external.
    kNever,   ///< Inline; kUnsupported when that is too large.
    kAlways,  ///< Initializers of `external_bytes_min` and more go to a file beside the model.
    kKeep,    ///< Tensors that were external when read keep their reference; no data file is written.
  };
  ExternalData external_data = ExternalData::kAuto;
  size_t external_bytes_min = 1024;
  ProgressFunction progress = {};  ///< Told of the megabytes that are written.
};

}  // namespace tenon::onnx
