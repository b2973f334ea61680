#include "formats/torch/state_dict.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/try.h"
#include "formats/detect.h"
#include "formats/torch/safetensors.h"
#include "formats/torch/torch_save.h"

namespace tenon {

namespace {

/// Under which key training scripts keep the weights beside optimizer and epoch, the likelier first.
constexpr std::array<std::string_view, 10> kWrapperKeys = {
    "state_dict", "model_state_dict", "model",          "net",      "network", "module",
    "weights",    "params",           "state_dict_ema", "model_ema"};
/// What DataParallel and torch.compile put before every name.
constexpr std::array<std::string_view, 2> kWrapperPrefixes = {"module.", "_orig_mod."};
constexpr int kMaxNesting = 4;
constexpr size_t kMaxListed = 5;

/// "'a', 'b', 'c' and 4 more".
std::string list_names(const std::vector<std::string_view>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMaxListed); ++i) {
    text += fmt::format("{}'{}'", i == 0 ? "" : ", ", names[i]);
  }
  if (names.size() > kMaxListed) text += fmt::format(" and {} more", names.size() - kMaxListed);
  return text;
}

bool holds_tensors(const pickle::Dict& dict) {
  return std::any_of(dict.entries.begin(), dict.entries.end(),
                     [](const auto& entry) { return entry.second->tensor() != nullptr; });
}

std::string_view key_text(const pickle::Value& key) {
  const auto* text = key.as<std::string_view>();
  return text == nullptr ? "(a key that is no text)" : *text;
}

/// The dict of tensors inside a saved object.
Result<const pickle::Dict*> find_weights(const pickle::Value& root, std::vector<std::string>& notes) {
  const auto* dict = root.as<pickle::Dict>();
  if (dict == nullptr) {
    return with_hint(fail(ErrorCode::kUnsupported, "holds {}, not a state dict", root.kind_name()),
                     "save the weights: torch.save(model.state_dict(), path)");
  }
  for (int depth = 0; depth < kMaxNesting; ++depth) {
    const pickle::Dict* inner = nullptr;
    for (std::string_view key : kWrapperKeys) {
      const pickle::Value* value = dict->find(key);
      inner = value == nullptr ? nullptr : value->as<pickle::Dict>();
      if (inner == nullptr) continue;
      notes.push_back(fmt::format("took the weights from the checkpoint's entry '{}'", key));
      break;
    }
    if (inner == nullptr) break;
    dict = inner;
  }
  if (holds_tensors(*dict)) return dict;
  if (dict->entries.empty()) return fail(ErrorCode::kUnsupported, "holds an empty state dict");
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : dict->entries) keys.push_back(key_text(*key));
  return fail(ErrorCode::kUnsupported, "holds no state dict: there is no tensor among its entries {}",
              list_names(keys));
}

Result<StateDict> from_torch_save(TorchSave save) {
  StateDict result;
  const pickle::Dict* weights = TENON_TRY(find_weights(save.root(), result.notes));
  std::unordered_set<std::string_view> names;
  std::vector<std::string_view> left_out;
  for (const auto& [key, value] : weights->entries) {
    const auto* name = key->as<std::string_view>();
    if (name == nullptr || value->tensor() == nullptr) {
      left_out.push_back(key_text(*key));
      continue;
    }
    if (!names.insert(*name).second)
      return fail(ErrorCode::kMalformed, "the state dict has '{}' twice", *name);
    auto tensor = save.load(*value->tensor());
    if (!tensor.ok()) {
      tensor.error().message = fmt::format("'{}': {}", *name, tensor.error().message);
      return std::move(tensor.error());
    }
    result.entries.push_back({std::string(*name), std::move(*tensor)});
  }
  if (!left_out.empty()) {
    result.notes.push_back(fmt::format("left out what is no tensor: {}", list_names(left_out)));
  }
  return result;
}

void remove_prefixes(StateDict& state_dict) {
  for (bool removed = true; removed;) {
    removed = false;
    for (std::string_view prefix : kWrapperPrefixes) {
      const bool all =
          std::all_of(state_dict.entries.begin(), state_dict.entries.end(), [&](const auto& entry) {
            return entry.name.size() > prefix.size() && entry.name.starts_with(prefix);
          });
      if (!all || state_dict.entries.empty()) continue;
      for (StateDict::Entry& entry : state_dict.entries) entry.name.erase(0, prefix.size());
      state_dict.notes.push_back(fmt::format("removed the prefix '{}' of all names", prefix));
      removed = true;
    }
  }
}

Result<StateDict> read_by_format(SharedBytes file) {
  const FileFormat format = detect_format(file.bytes);
  switch (format) {
    case FileFormat::kTorchSave:
    case FileFormat::kTorchLegacy:
      return from_torch_save(TENON_TRY(TorchSave::open(std::move(file))));
    case FileFormat::kSafetensors:
      return read_safetensors(std::move(file));
    case FileFormat::kDamagedZip: {
      const auto archive = TorchArchive::open(std::move(file));
      return archive.ok() ? fail(ErrorCode::kMalformed, "the zip archive holds no data.pkl")
                          : archive.error();
    }
    case FileFormat::kTorchScript:
    case FileFormat::kTorchExport:
      return with_hint(fail(ErrorCode::kUnsupported, "is {}, not a state dict", format_name(format)),
                       "leave --arch out: the file brings its own architecture");
    default:
      return with_hint(fail(ErrorCode::kMalformed, "is {}, not a state dict", format_name(format)),
                       "expected a file of torch.save or safetensors");
  }
}

}  // namespace

const Tensor* StateDict::find(std::string_view name) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &found->tensor;
}

Result<StateDict> read_state_dict(SharedBytes file) {
  StateDict state_dict = TENON_TRY(read_by_format(std::move(file)));
  remove_prefixes(state_dict);
  return state_dict;
}

Result<StateDict> read_state_dict(const std::string& path) {
  auto state_dict = read_state_dict(share_bytes(TENON_TRY(MappedFile::open(path))));
  if (!state_dict.ok()) return at_file(std::move(state_dict.error()), path);
  return state_dict;
}

}  // namespace tenon
