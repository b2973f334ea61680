// Values in files of their own, as in ONNX's test layout (input_0.pb): a TensorProto, or SequenceProto,
// OptionalProto or MapProto of onnx-data.proto. The bytes do not say which of them they are: the caller knows
// the type.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/atomic_file.h"
#include "formats/onnx/options.h"
#include "tenon/error.h"
#include "tenon/tensor.h"

namespace tenon::onnx {

enum class ValueKind : uint8_t { kTensor, kSequence, kOptional, kMap };

/// Reads the file at `path` as a message of that kind; tensors are views of the mapped file where alignment
/// allows. External data is looked for beside the file. Errors as of read_model; sparse tensors are
/// kUnsupported.
Result<NamedValue> read_value(const std::string& path, ValueKind kind, const ReadOptions& options = {});

/// Reads one value from memory, as parse_model reads a model.
Result<NamedValue> parse_value(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                               ValueKind kind, const std::string& base_dir = "",
                               const ReadOptions& options = {});

/// Writes the message that the value's kind calls for.
Status write_value(const std::string& path, const Value& value, const std::string& name);
/// As write_value, up to the renaming: the caller commits the file.
Result<AtomicFile> prepare_value(const std::string& path, const Value& value, const std::string& name);
Result<std::string> serialize_value(const Value& value, const std::string& name);

}  // namespace tenon::onnx
