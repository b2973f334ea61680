// The engine file: a compiled model with its packed weights, mapped when it is opened and shared by all
// processes that open it. This is the container; what the steps mean is known to src/engine alone.
//
//     signature | weights and packed weights, each 64-byte aligned | plan | footer
//
// The plan is two ONNX models of the newest opset (as compiled, and as given), whose initializers refer to
// the file as external data, and a JSON object; the footer says where they are, and their checksum.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "base/try.h"
#include "ir/model.h"
#include "kernels/packing.h"
#include "tenon/progress.h"

namespace tenon {

/// Where packed weights lie in the file.
struct PackedRange {
  uint64_t offset = 0;  ///< In bytes from the beginning of the file.
  uint64_t floats = 0;
};

/// One step: the kernel row that was chosen, and the weights that it packed.
struct StepRecord {
  /// A kernel row that was timed for the step.
  struct Timed {
    std::string row;
    double time_ms = 0;
  };
  std::string row;
  std::vector<PackedRange> packed;
  std::vector<Timed> timed;
};

/// What an engine file says of itself.
struct EngineRecord {
  std::string build;  ///< The tenon that made it.
  std::string isa;
  std::string cpu;
  std::string origin;  ///< TypedModel::origin, and so on.
  std::vector<std::string> warnings;
  std::vector<StepRecord> steps;
};

/// The models and packed weights that go into a file.
struct EngineParts {
  const onnx::Model* compiled = nullptr;
  const onnx::Model* original = nullptr;
  std::vector<std::vector<kernels::PackedFloats>> packed;  ///< By step.
};

/// Writes everything; commit() gives the file its name. `record.steps[i].packed` is not read: it follows from
/// `parts`.
Result<AtomicFile> write_engine_file(const std::string& path, EngineRecord record, const EngineParts& parts,
                                     const ProgressFunction& progress);

class EngineFile {
 public:
  static bool recognises(std::span<const std::byte> file);
  /// Maps the file and checks its plan: kMalformed when it is damaged or cut short. The weights are not read.
  static Result<EngineFile> open(const std::string& path);

  const EngineRecord& record() const { return record_; }
  uint64_t bytes() const { return file_->size(); }
  /// The models, parsed and not verified; their weights are views of the file.
  Result<onnx::Model> compiled() const { return parse(compiled_); }
  Result<onnx::Model> original() const { return parse(original_); }
  /// A view of the file. Every range of the record lies in it.
  kernels::PackedFloats packed(const PackedRange& range) const;
  /// Reads all of the file: kMalformed when the weights are not those that were written.
  Status verify() const;

 private:
  struct Range {
    uint64_t begin = 0, end = 0;
  };
  EngineFile() = default;
  Result<onnx::Model> parse(Range range) const;
  Status read_plan();

  std::shared_ptr<const MappedFile> file_;
  Range compiled_, original_, data_;
  uint32_t data_checksum_ = 0;
  EngineRecord record_;
};

}  // namespace tenon
