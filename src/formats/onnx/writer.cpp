#include "formats/onnx/writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <map>
#include <new>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "base/try.h"
#include "formats/onnx/build.h"
#include "formats/onnx/tensor_data.h"

namespace tenon::onnx {

namespace {

using wire::Message;

constexpr uint64_t kMessageBytesMax = INT32_MAX;  // protobuf's own limit
constexpr std::string_view kDataSignature = "external data of an ONNX model, written by tenon\n";
constexpr uint64_t kDataAlignmentBytes = 4096;  // a page, so that readers can map each tensor
constexpr uint64_t kSmallAlignmentBytes = 64;   // for tensors that are smaller than a page

class KeepReferences : public DataPlacement {
 public:
  std::optional<StringPairs> place(const TensorData& tensor, Role) override {
    if (tensor.encoding != TensorData::Encoding::kExternal) return std::nullopt;
    return tensor.external_data;
  }
};

class Inline : public DataPlacement {
 public:
  std::optional<StringPairs> place(const TensorData&, Role) override { return std::nullopt; }
};

/// Gives large initializers a place in one data file; tensors that share their bytes share the place.
class OneDataFile : public DataPlacement {
 public:
  struct Item {
    uint64_t offset;
    const Tensor* tensor;
  };
  OneDataFile(std::string location, size_t bytes_min)
      : location_(std::move(location)), bytes_min_(bytes_min) {}

  std::optional<StringPairs> place(const TensorData& tensor, Role role) override {
    const Tensor& value = tensor.value;
    if (role != Role::kInitializer || value.is_string() || value.size() == 0) return std::nullopt;
    const auto length = packed_bytes(value.type(), value.size());
    if (!length.ok() || *length < bytes_min_) return std::nullopt;
    auto [known, is_new] = places_.try_emplace({value.raw(), *length, element_bits(value.type())}, 0);
    if (is_new) {
      const uint64_t alignment = *length < kDataAlignmentBytes ? kSmallAlignmentBytes : kDataAlignmentBytes;
      known->second = (end_ + alignment - 1) / alignment * alignment;
      end_ = known->second + *length;
      items_.push_back({known->second, &value});
    }
    return StringPairs{{"location", location_},
                       {"offset", std::to_string(known->second)},
                       {"length", std::to_string(*length)}};
  }

  const std::vector<Item>& items() const { return items_; }
  /// How long the data file becomes.
  uint64_t bytes() const { return end_; }

 private:
  std::string location_;
  size_t bytes_min_;
  uint64_t end_ = kDataSignature.size();
  std::map<std::tuple<const std::byte*, uint64_t, int>, uint64_t> places_;
  std::vector<Item> items_;
};

/// kUsage when there is a file at `path` that no writer of this kind has made.
Status check_data_target(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return {};
  const Error refusal =
      with_hint(at_file(fail(ErrorCode::kUsage, "exists and is no external data that tenon wrote"), path),
                "move the file away or choose another name for the model");
  if (!S_ISREG(status.st_mode)) return refusal;
  const auto file = TENON_TRY(MappedFile::open(path));
  if (!file->text().starts_with(kDataSignature)) return refusal;
  return {};
}

/// Writes bytes in pieces, and says how many of all are written.
class Output {
 public:
  Output(uint64_t bytes, const ProgressFunction& progress) : bytes_(bytes), progress_(progress) {}

  Status write(AtomicFile& file, std::string_view bytes) {
    while (!bytes.empty()) {
      tell(progress_, "MB written", written_ / kMegabyte, (bytes_ + kMegabyte - 1) / kMegabyte);
      const std::string_view piece = bytes.substr(0, kPieceBytes);
      TENON_TRY(file.write(piece));
      written_ += piece.size();
      bytes.remove_prefix(piece.size());
    }
    return {};
  }

 private:
  static constexpr size_t kPieceBytes = size_t{16} << 20;
  static constexpr uint64_t kMegabyte = 1'000'000;

  uint64_t bytes_;
  uint64_t written_ = 0;
  const ProgressFunction& progress_;
};

Status write_data_file(AtomicFile& file, const std::vector<OneDataFile::Item>& items, Output& output) {
  TENON_TRY(file.write(kDataSignature));
  for (const OneDataFile::Item& item : items) {
    const uint64_t alignment =
        item.offset % kDataAlignmentBytes == 0 ? kDataAlignmentBytes : kSmallAlignmentBytes;
    TENON_TRY(file.pad_to(alignment));
    std::string scratch;
    TENON_TRY(output.write(file, raw_elements(*item.tensor, scratch)));
  }
  return {};
}

Result<AtomicFile> prepare_message(const Message& message, const std::string& path, Output& output) {
  AtomicFile file = TENON_TRY(AtomicFile::create(path));
  TENON_TRY(message.write_pieces([&](std::string_view piece) { return output.write(file, piece); }));
  return file;
}

Status write_message(const Message& message, const std::string& path, const ProgressFunction& progress) {
  Output output(message.size(), progress);
  AtomicFile file = TENON_TRY(prepare_message(message, path, output));
  return file.commit();
}

Error too_large(uint64_t bytes) {
  return fail(ErrorCode::kUnsupported, "the model takes {} bytes, and an ONNX file holds at most {}", bytes,
              kMessageBytesMax);
}

Status write_with_data_file(const Model& model, const std::string& path, const WriteOptions& options) {
  const std::string data_path = path + ".data";
  const std::string location = data_path.substr(data_path.rfind('/') + 1);
  if (location.find('\\') != std::string::npos)
    return fail(ErrorCode::kUsage, "external data cannot have a backslash in its name");
  OneDataFile placement(location, options.external_bytes_min);
  const Message message = build_model(model, placement);
  if (message.size() > kMessageBytesMax)
    return with_hint(too_large(message.size()), "tensors in attributes cannot be external data");
  if (placement.items().empty()) return write_message(message, path, options.progress);

  TENON_TRY(check_data_target(data_path));
  const bool is_new = access(data_path.c_str(), F_OK) != 0;
  AtomicFile data = TENON_TRY(
      AtomicFile::create(data_path, is_new ? AtomicFile::IfExists::kFail : AtomicFile::IfExists::kReplace));
  Output output(message.size() + placement.bytes(), options.progress);
  TENON_TRY(write_data_file(data, placement.items(), output));
  AtomicFile model_file = TENON_TRY(prepare_message(message, path, output));
  std::array files = {std::move(data), std::move(model_file)};
  return commit_all(files);
}

Status write_model_unguarded(const Model& model, const std::string& path, const WriteOptions& options) {
  using ExternalData = WriteOptions::ExternalData;
  if (options.external_data == ExternalData::kAlways) return write_with_data_file(model, path, options);
  KeepReferences keep;
  Inline all_inline;
  const bool keeps = options.external_data == ExternalData::kKeep;
  const Message message = build_model(model, keeps ? static_cast<DataPlacement&>(keep) : all_inline);
  if (message.size() <= kMessageBytesMax) return write_message(message, path, options.progress);
  if (options.external_data == ExternalData::kAuto) return write_with_data_file(model, path, options);
  return with_hint(too_large(message.size()), "ask for external data");
}

}  // namespace

Status write_model(const Model& model, const std::string& path, const WriteOptions& options) {
  try {
    Status status = write_model_unguarded(model, path, options);
    if (!status.ok()) return at_file(std::move(status.error()), path);
    return status;
  } catch (const std::bad_alloc&) {
    return at_file(fail(ErrorCode::kOutOfMemory, "not enough memory to write the model"), path);
  }
}

Result<std::string> serialize(const Model& model) {
  try {
    KeepReferences keep;
    const Message message = build_model(model, keep);
    if (message.size() > kMessageBytesMax) return too_large(message.size());
    return message.to_string();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kOutOfMemory, "not enough memory to write the model");
  }
}

}  // namespace tenon::onnx
