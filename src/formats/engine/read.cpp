#include <simdjson.h>

#include <cstring>

#include "formats/engine/engine_file.h"
#include "formats/engine/layout.h"
#include "formats/onnx/reader.h"

namespace tenon {

namespace {

namespace dom = simdjson::dom;
using namespace engine_file;

constexpr size_t kMaxJsonDepth = 8;
constexpr uint64_t kMaxJsonBytes = uint64_t{64} << 20;

Error damaged(std::string_view what) {
  return with_hint(fail(ErrorCode::kMalformed, "the engine file is damaged: {}", what),
                   "build it again from the model");
}

/// A text, or an array of texts.
bool read(dom::element from, std::string& to) {
  std::string_view text;
  if (from.get(text) != simdjson::SUCCESS) return false;
  to = text;
  return true;
}

bool read(dom::element from, std::vector<std::string>& to) {
  dom::array array;
  if (from.get(array) != simdjson::SUCCESS) return false;
  for (dom::element item : array)
    if (!read(item, to.emplace_back())) return false;
  return true;
}

/// [offset, floats] of weights that lie before `end`.
bool read(dom::element from, uint64_t end, PackedRange& to) {
  dom::array pair;
  if (from.get(pair) != simdjson::SUCCESS || pair.size() != 2) return false;
  if (pair.at(0).get(to.offset) != simdjson::SUCCESS || pair.at(1).get(to.floats) != simdjson::SUCCESS)
    return false;
  return to.offset % kAlignment == 0 && to.offset <= end && to.floats <= (end - to.offset) / sizeof(float);
}

bool read(dom::element from, StepRecord::Timed& to) {
  dom::element row;
  return from["row"].get(row) == simdjson::SUCCESS && read(row, to.row) &&
         from["time_ms"].get(to.time_ms) == simdjson::SUCCESS;
}

bool read(dom::element from, uint64_t end, StepRecord& to) {
  dom::element row;
  dom::array packed, timed;
  if (from["row"].get(row) != simdjson::SUCCESS || !read(row, to.row)) return false;
  if (from["packed"].get(packed) != simdjson::SUCCESS) return false;
  for (dom::element range : packed)
    if (!read(range, end, to.packed.emplace_back())) return false;
  if (from["timed"].get(timed) != simdjson::SUCCESS) return false;
  for (dom::element candidate : timed)
    if (!read(candidate, to.timed.emplace_back())) return false;
  return true;
}

}  // namespace

bool EngineFile::recognises(std::span<const std::byte> file) {
  return std::string_view(reinterpret_cast<const char*>(file.data()), file.size()).starts_with(kSignature);
}

Result<EngineFile> EngineFile::open(const std::string& path) {
  EngineFile engine;
  engine.file_ = TENON_TRY(MappedFile::open(path));
  Status status = engine.read_plan();
  if (!status.ok()) return at_file(std::move(status.error()), path);
  return engine;
}

Status EngineFile::read_plan() {
  const std::string_view text = file_->text();
  if (!recognises(file_->bytes())) return fail(ErrorCode::kMalformed, "the file is no engine");
  if (text.size() < kSignature.size() + sizeof(Footer)) return damaged("it is cut short");
  const uint64_t end = text.size() - sizeof(Footer);
  Footer footer;
  std::memcpy(&footer, text.data() + end, sizeof(footer));
  if (std::string_view(footer.signature, sizeof(footer.signature)) != kFooterSignature)
    return damaged("it is cut short");
  if (footer.version != kVersion)
    return with_hint(fail(ErrorCode::kUnsupported, "the engine file has version {} of its format, not {}",
                          footer.version, kVersion),
                     "build it again from the model");
  if (footer.plan < kSignature.size() || footer.plan > footer.original || footer.original > footer.json ||
      footer.json > end || end - footer.json > kMaxJsonBytes)
    return damaged("its parts do not lie inside");
  if (checksum(0, text.substr(footer.plan, end + kFooterSummed - footer.plan)) != footer.checksum)
    return damaged("the checksum of its plan is wrong");
  compiled_ = {footer.plan, footer.original};
  original_ = {footer.original, footer.json};
  data_ = {kSignature.size(), footer.plan};

  dom::parser parser;
  dom::element object;
  if (parser.allocate(end - footer.json, kMaxJsonDepth) != simdjson::SUCCESS)
    return fail(ErrorCode::kOutOfMemory, "not enough memory to read the engine file");
  if (parser.parse(text.data() + footer.json, end - footer.json).get(object) != simdjson::SUCCESS)
    return damaged("its plan is no JSON");
  dom::array steps;
  uint64_t sum = 0;
  const auto field = [&](std::string_view key, auto& to) {
    dom::element element;
    return object[key].get(element) == simdjson::SUCCESS && read(element, to);
  };
  if (!field("build", record_.build) || !field("isa", record_.isa) || !field("cpu", record_.cpu) ||
      !field("origin", record_.origin) || !field("warnings", record_.warnings) ||
      object["data_crc32"].get(sum) != simdjson::SUCCESS || object["steps"].get(steps) != simdjson::SUCCESS)
    return damaged("its plan lacks something");
  data_checksum_ = static_cast<uint32_t>(sum);
  for (dom::element step : steps)
    if (!read(step, footer.plan, record_.steps.emplace_back())) return damaged("a step of its plan is wrong");
  return {};
}

Result<onnx::Model> EngineFile::parse(Range range) const {
  onnx::ReadOptions options;
  options.data_file = file_;
  return onnx::parse_model(file_->bytes().subspan(range.begin, range.end - range.begin), file_, "", options);
}

kernels::PackedFloats EngineFile::packed(const PackedRange& range) const {
  const auto* floats = reinterpret_cast<const float*>(file_->data() + range.offset);
  return {std::shared_ptr<const float>(file_, floats), range.floats};
}

Status EngineFile::verify() const {
  constexpr uint64_t kPieceBytes = uint64_t{16} << 20;
  uint32_t sum = 0;
  for (uint64_t at = data_.begin; at < data_.end; at += kPieceBytes)
    sum = checksum(sum, file_->text().substr(at, std::min(kPieceBytes, data_.end - at)));
  if (sum != data_checksum_) return at_file(damaged("the checksum of its weights is wrong"), file_->path());
  return {};
}

}  // namespace tenon
