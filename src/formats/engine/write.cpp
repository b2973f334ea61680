#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "base/atomic_file.h"
#include "base/progress.h"
#include "formats/engine/engine_file.h"
#include "formats/engine/layout.h"
#include "formats/onnx/build.h"
#include "formats/onnx/tensor_data.h"
#include "tensor/element.h"

namespace tenon {

namespace {

using namespace engine_file;

/// Smaller constants stay in the models.
constexpr uint64_t kDataBytesMin = 1024;

uint64_t aligned(uint64_t offset, uint64_t bytes) {
  const uint64_t alignment = bytes < kPageBytes ? kAlignment : kPageBytes;
  return (offset + alignment - 1) / alignment * alignment;
}

/// What lies between the signature and the plan: places are given first, and the bytes written later.
class Data final : public onnx::DataPlacement {
 public:
  /// Tensors that share their bytes, in either model, share the place.
  std::optional<onnx::StringPairs> place(const onnx::TensorData& tensor, Role role) override {
    const Tensor& value = tensor.value;
    if (role != Role::kInitializer || value.is_string()) return std::nullopt;
    const auto length = onnx::packed_bytes(value.type(), value.size());
    if (!length.ok() || *length < kDataBytesMin) return std::nullopt;
    auto [known, is_new] = places_.try_emplace({value.raw(), *length, element_bits(value.type())}, 0);
    if (is_new) {
      known->second = reserve(*length);
      items_.push_back({known->second, value, {}});
    }
    return onnx::StringPairs{{"location", "engine"},
                             {"offset", std::to_string(known->second)},
                             {"length", std::to_string(*length)}};
  }
  uint64_t place(const kernels::PackedFloats& floats) {
    const uint64_t offset = reserve(floats.bytes());
    items_.push_back({offset, std::nullopt, floats});
    return offset;
  }

  /// Writes everything, and returns its checksum.
  Result<uint32_t> write(AtomicFile& file, const ProgressFunction& progress) const {
    constexpr uint64_t kMegabyte = 1'000'000;
    constexpr size_t kPieceBytes = size_t{16} << 20;
    uint32_t sum = 0;
    const std::string zeros(kPageBytes, '\0');
    const auto put = [&](std::string_view bytes) -> Status {
      while (!bytes.empty()) {
        tell(progress, "MB written", file.position() / kMegabyte, end_ / kMegabyte + 1);
        const std::string_view piece = bytes.substr(0, kPieceBytes);
        sum = checksum(sum, piece);
        TENON_TRY(file.write(piece));
        bytes.remove_prefix(piece.size());
      }
      return {};
    };
    for (const Item& item : items_) {
      TENON_TRY(put(std::string_view(zeros).substr(0, item.offset - file.position())));
      std::string scratch;
      TENON_TRY(put(item.tensor ? onnx::raw_elements(*item.tensor, scratch)
                                : std::string_view(reinterpret_cast<const char*>(item.packed.data()),
                                                   item.packed.bytes())));
    }
    return sum;
  }

 private:
  struct Item {
    uint64_t offset;
    std::optional<Tensor> tensor;
    kernels::PackedFloats packed;  // without a tensor
  };
  uint64_t reserve(uint64_t bytes) {
    const uint64_t offset = aligned(end_, bytes);
    end_ = offset + bytes;
    return offset;
  }

  uint64_t end_ = kSignature.size();
  std::map<std::tuple<const std::byte*, uint64_t, int>, uint64_t> places_;
  std::vector<Item> items_;
};

std::string to_json(const EngineRecord& record, uint32_t data_checksum) {
  nlohmann::json steps = nlohmann::json::array();
  for (const StepRecord& step : record.steps) {
    nlohmann::json packed = nlohmann::json::array();
    for (const PackedRange& range : step.packed) packed.push_back({range.offset, range.floats});
    nlohmann::json timed = nlohmann::json::array();
    for (const StepRecord::Timed& row : step.timed)
      timed.push_back({{"row", row.row}, {"time_ms", row.time_ms}});
    steps.push_back({{"row", step.row}, {"packed", std::move(packed)}, {"timed", std::move(timed)}});
  }
  const nlohmann::json object = {{"build", record.build},       {"isa", record.isa},
                                 {"cpu", record.cpu},           {"origin", record.origin},
                                 {"warnings", record.warnings}, {"data_crc32", data_checksum},
                                 {"steps", std::move(steps)}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Result<AtomicFile> write_engine_file(const std::string& path, EngineRecord record, const EngineParts& parts,
                                     const ProgressFunction& progress) {
  Data data;
  const onnx::wire::Message compiled = build_model(*parts.compiled, data);
  const onnx::wire::Message original = build_model(*parts.original, data);
  for (size_t s = 0; s < record.steps.size(); ++s) {
    record.steps[s].packed.clear();
    for (const kernels::PackedFloats& floats : parts.packed[s])
      record.steps[s].packed.push_back({data.place(floats), floats.size()});
  }

  AtomicFile file = TENON_TRY(AtomicFile::create(path));
  TENON_TRY(file.write(kSignature));
  const uint32_t data_checksum = TENON_TRY(data.write(file, progress));

  Footer footer;
  uint32_t sum = 0;
  const auto put = [&](std::string_view bytes) {
    sum = checksum(sum, bytes);
    return file.write(bytes);
  };
  footer.plan = file.position();
  TENON_TRY(compiled.write_pieces(put));
  footer.original = file.position();
  TENON_TRY(original.write_pieces(put));
  footer.json = file.position();
  TENON_TRY(put(to_json(record, data_checksum)));
  std::memcpy(footer.signature, kFooterSignature.data(), sizeof(footer.signature));
  std::string_view bytes(reinterpret_cast<const char*>(&footer), sizeof(footer));
  footer.checksum = checksum(sum, bytes.substr(0, kFooterSummed));
  TENON_TRY(file.write(bytes));
  TENON_TRY(file.finish());
  return file;
}

}  // namespace tenon
