// Values for a model's inputs and outputs: from files, to files, and drawn at random.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tenon/error.h"
#include "tenon/session.h"
#include "tenon/tensor.h"

namespace tenon {

/// Reads a value of the kind that `as` describes from a .npy file or a message of onnx-data.proto (as in
/// ONNX's test layout, input_0.pb), told apart by content. The name in the file is not looked at.
Result<Value> read_value_file(const std::string& path, const ValueDescription& as);

/// Writes the message of onnx-data.proto that fits the value's kind.
Status write_value_file(const std::string& path, const Value& value, const std::string& name);

/// Files that appear together: each is written beside its target, and commit() gives all of them their names.
/// When one cannot be written, or without commit(), none of them appears and none replaces an older file.
class OutputFiles {
 public:
  OutputFiles();
  OutputFiles(OutputFiles&&) noexcept;
  OutputFiles& operator=(OutputFiles&&) noexcept;
  ~OutputFiles();

  /// As write_value_file.
  Status add_value(const std::string& path, const Value& value, const std::string& name);
  /// As write_npz.
  Status add_npz(const std::string& path, const std::vector<NamedValue>& values);
  /// Once, after the last file was added.
  Status commit();

 private:
  struct Files;
  std::unique_ptr<Files> files_;
};

struct RandomOptions {
  uint64_t seed = 0;
  /// What a first dimension that the model leaves open becomes; 0: its example (Dimension), as other open
  /// dimensions do.
  int64_t batch = 0;
};

/// A tensor for an input: floats uniform in [0, 1), integers in [0, 10), bools even. The elements depend on
/// the seed, the input's name and their place alone. kUsage for inputs that are no tensors or whose type or
/// rank the model does not say, and when `batch` contradicts a first dimension that the model fixes.
Result<NamedValue> random_input(const ValueDescription& input, const RandomOptions& options);
/// One for each input without a default. Sizes that depend on an open first dimension follow it.
Result<std::vector<NamedValue>> random_inputs(const Session& session, const RandomOptions& options);

}  // namespace tenon
