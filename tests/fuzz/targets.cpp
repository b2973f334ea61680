#include "targets.h"

#include <array>
#include <chrono>
#include <memory>
#include <vector>

#include "formats/npy/npy_array.h"
#include "formats/onnx/reader.h"
#include "formats/onnx/value_file.h"
#include "formats/onnx/writer.h"
#include "formats/torch/pickle.h"
#include "formats/torch/pt2/reader.h"
#include "formats/torch/safetensors.h"
#include "formats/torch/state_dict.h"
#include "formats/zip/zip_reader.h"
#include "ir/aten/sym_expr.h"
#include "ir/verify_model.h"
#include "lower/lower.h"
#include "ops/core/inline_functions.h"
#include "ops/core/upgrade.h"
#include "runtime/session_state.h"
#include "tenon/classify.h"
#include "tenon/image.h"
#include "tenon/memory.h"
#include "tenon/values.h"

namespace tenon::fuzz {

namespace {

using Bytes = std::span<const std::byte>;

/// A copy that ends where the input ends, so that sanitizers see a read past it.
SharedBytes share(Bytes bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  return {Bytes(*owner), owner};
}

std::string_view text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr int64_t kRunElements = 1 << 12;
constexpr uint64_t kMemoryBytes = 64 << 20;

/// Opens a session and, when its inputs are small, runs it.
void open_and_run(TypedModel model) {
  SessionOptions options;
  options.threads = 1;
  auto session = make_session(std::move(model), options);
  if (!session.ok()) return;
  int64_t elements = 0;
  for (const ValueDescription& input : (*session)->inputs()) {
    int64_t count = 1;
    for (const Dimension& dimension : input.shape.value_or(std::vector<Dimension>())) {
      const int64_t size = dimension.size.value_or(1);
      if (size < 0 || size > kRunElements) return;
      count *= size;
      if (count > kRunElements) return;
    }
    elements += count;
  }
  if (elements > kRunElements) return;
  auto inputs = random_inputs(**session, {});
  if (!inputs.ok()) return;
  RunContext context;
  context.set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(200));
  (void)(*session)->run(*inputs, {}, &context).ok();
}

void run_onnx(Bytes bytes) {
  const SharedBytes file = share(bytes);
  // A folder that does not exist: external data is parsed, and never found.
  auto model = onnx::parse_model(file.bytes, file.owner, "/nonexistent");
  if (!model.ok()) return;
  (void)onnx::serialize(*model).ok();
  if (!onnx::verify(*model).ok()) return;
  auto flat = ops::inline_functions(std::move(*model));
  if (!flat.ok()) return;
  auto typed = ops::upgrade(std::move(*flat));
  if (typed.ok()) open_and_run(std::move(*typed));
}

void run_value(Bytes bytes) {
  for (auto kind : {onnx::ValueKind::kTensor, onnx::ValueKind::kSequence, onnx::ValueKind::kOptional,
                    onnx::ValueKind::kMap}) {
    const SharedBytes file = share(bytes);
    auto value = onnx::parse_value(file.bytes, file.owner, kind, "/nonexistent");
    if (value.ok()) (void)onnx::serialize_value(value->value, value->name).ok();
  }
}

void lower_and_run(Result<aten::Program> program) {
  if (!program.ok()) return;
  auto functional = aten::functionalise(std::move(*program));
  if (!functional.ok()) return;
  auto typed = lower::lower(*functional);
  if (typed.ok()) open_and_run(std::move(*typed));
}

void run_pt2(Bytes bytes) {
  auto archive = TorchArchive::open(share(bytes));
  if (archive.ok() && is_pt2(*archive)) lower_and_run(read_pt2(*archive));
}

/// The program without its archive, whose checksums keep a fuzzer from looking inside.
void run_pt2_json(Bytes bytes) {
  lower_and_run(read_pt2_json(text(bytes)));
}

void run_srepr(Bytes bytes) {
  (void)aten::parse_srepr(text(bytes)).ok();
}

void run_torch_save(Bytes bytes) {
  (void)read_state_dict(share(bytes)).ok();
}

void run_pickle(Bytes bytes) {
  (void)pickle::load_pickle(share(bytes)).ok();
}

void run_safetensors(Bytes bytes) {
  (void)read_safetensors(share(bytes)).ok();
}

void run_npy(Bytes bytes) {
  auto tensor = decode_npy(share(bytes));
  if (tensor.ok()) (void)encode_npy(*tensor).ok();
}

void run_zip(Bytes bytes) {
  auto zip = ZipReader::open(share(bytes), ZipNames::kKeys);
  if (!zip.ok()) return;
  for (const ZipEntry& entry : zip->entries()) {
    auto contents = zip->read(entry);
    if (contents.ok()) run_npy(contents->bytes);
  }
}

void run_image(Bytes bytes) {
  const SharedBytes file = share(bytes);
  DecodeOptions options;
  options.max_pixels = 1 << 20;
  (void)decode_image(file.bytes, options).ok();
}

void run_labels(Bytes bytes) {
  (void)parse_labels(text(bytes)).ok();
}

constexpr std::array kTargets = {
    Target{"onnx", run_onnx},     Target{"value", run_value},
    Target{"pt2", run_pt2},       Target{"pt2_json", run_pt2_json},
    Target{"srepr", run_srepr},   Target{"torch_save", run_torch_save},
    Target{"pickle", run_pickle}, Target{"safetensors", run_safetensors},
    Target{"npy", run_npy},       Target{"zip", run_zip},
    Target{"image", run_image},   Target{"labels", run_labels},
};

}  // namespace

void run_limited(const Target& target, std::span<const std::byte> bytes) {
  set_memory_limit_bytes(memory_used_bytes() + kMemoryBytes);
  target.run(bytes);
  set_memory_limit_bytes(0);
}

std::span<const Target> targets() {
  return kTargets;
}

const Target* find_target(std::string_view name) {
  for (const Target& target : kTargets)
    if (target.name == name) return &target;
  return nullptr;
}

}  // namespace tenon::fuzz
