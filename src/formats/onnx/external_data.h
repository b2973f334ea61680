// External data of ONNX: tensors whose bytes lie in other files of the model's folder. The only place that
// opens such files, and thus the only guard against models that name files outside of their folder.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "base/mapped_file.h"
#include "formats/onnx/options.h"
#include "ir/model.h"
#include "tenon/error.h"

namespace tenon::onnx {

/// Where a tensor's bytes lie, from the pairs of TensorProto.external_data.
struct ExternalReference {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

/// Checks the pairs: location is there, is relative, stays below the folder (no "..", NUL, backslash); offset
/// and length are plain decimal numbers; no key is unknown or stands twice. Else kMalformed.
Result<ExternalReference> parse_external_reference(const StringPairs& pairs);

/// The external files of one model, each mapped once.
class ExternalFiles {
 public:
  /// `base_dir` is the model's folder ("" for the current one). Not opened before the first use.
  ExternalFiles(std::string base_dir, const ReadOptions& options)
      : base_dir_(std::move(base_dir)), allow_links_(options.allow_links), only_file_(options.data_file) {}

  /// The tensor of a type and shape behind a reference: a view of the mapped file where alignment allows.
  /// kNotFound when the file does not exist, kMalformed when the range does not lie in the file or does not
  /// have the size that type and shape demand, kLimit when what had to be copied is more than
  /// expansion_limit_bytes of the files.
  Result<Tensor> read(const ExternalReference& reference, DataType type, Shape shape);

 private:
  Result<std::shared_ptr<const MappedFile>> open(const std::string& location);
  Status charge(uint64_t bytes);

  std::string base_dir_;
  bool allow_links_;
  std::shared_ptr<const MappedFile> only_file_;
  std::map<std::string, std::shared_ptr<const MappedFile>, std::less<>> files_;
  uint64_t budget_bytes_ = 0;
};

}  // namespace tenon::onnx
