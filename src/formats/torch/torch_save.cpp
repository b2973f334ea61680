#include "formats/torch/torch_save.h"

#include <algorithm>
#include <cstring>

#include "base/little_endian.h"
#include "base/try.h"

namespace tenon {

namespace {

/// 0x1950A86A20F9469CFC6C, the number in the first pickle of a legacy file, as a pickle stores it.
constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr int64_t kLegacyProtocol = 1001;
constexpr size_t kStorageAlignment = 16;

size_t element_bytes(const pickle::Storage& storage) {
  return storage.type == nullptr ? 1 : storage.type->bytes;
}

/// Takes the next pickle off a legacy file.
Result<pickle::Pickle> next_pickle(SharedBytes& rest) {
  pickle::Pickle pickle = TENON_TRY(pickle::load_pickle(rest));
  rest = rest.part(pickle.size_bytes, rest.size() - pickle.size_bytes);
  return pickle;
}

Error bad_legacy(std::string_view what) {
  return fail(ErrorCode::kMalformed, "the torch.save file {}", what);
}

/// The three pickles before the object: magic number, protocol, facts about the machine that wrote the file.
Status skip_legacy_preamble(SharedBytes& rest) {
  const pickle::Pickle magic = TENON_TRY(next_pickle(rest));
  const auto* number = magic.root->as<pickle::BigInt>();
  if (number == nullptr || number->data != kLegacyMagic) return bad_legacy("lacks its magic number");
  const pickle::Pickle protocol = TENON_TRY(next_pickle(rest));
  const int64_t* version = protocol.root->as<int64_t>();
  if (version == nullptr || *version != kLegacyProtocol) return bad_legacy("has an unknown protocol number");
  const pickle::Pickle system = TENON_TRY(next_pickle(rest));
  const auto* facts = system.root->as<pickle::Dict>();
  const pickle::Value* order = facts == nullptr ? nullptr : facts->find("little_endian");
  const bool* is_little = order == nullptr ? nullptr : order->as<bool>();
  if (is_little == nullptr) return bad_legacy("does not say in which order its bytes are");
  if (!*is_little) return fail(ErrorCode::kUnsupported, "the tensors are stored in big-endian order");
  return {};
}

}  // namespace

bool TorchSave::recognises_legacy(std::span<const std::byte> bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min<size_t>(bytes.size(), 32));
  return head.starts_with('\x80') && head.find(kLegacyMagic) != std::string_view::npos;
}

Result<TorchSave> TorchSave::open(SharedBytes file) {
  if (ZipReader::recognises(file.bytes)) return open(TENON_TRY(TorchArchive::open(std::move(file))));
  return open_legacy(std::move(file));
}

Result<TorchSave> TorchSave::open(TorchArchive archive) {
  TorchSave save;
  save.pickle_ = TENON_TRY(pickle::load_pickle(TENON_TRY(archive.read("data.pkl"))));
  save.budget_bytes_ = expansion_limit_bytes(archive.size_bytes());
  save.archive_ = std::move(archive);
  return save;
}

Result<TorchSave> TorchSave::open_legacy(SharedBytes file) {
  TorchSave save;
  save.is_legacy_ = true;
  save.budget_bytes_ = expansion_limit_bytes(file.size());
  SharedBytes rest = std::move(file);
  TENON_TRY(skip_legacy_preamble(rest));
  save.pickle_ = TENON_TRY(next_pickle(rest));
  const pickle::Pickle keys = TENON_TRY(next_pickle(rest));
  const auto* list = keys.root->as<pickle::Sequence>();
  if (list == nullptr) return bad_legacy("has no list of storages");

  std::unordered_map<std::string_view, const pickle::Storage*> described;
  for (const pickle::Storage& storage : save.pickle_.arena->storages)
    described.emplace(storage.key, &storage);
  for (const pickle::Value* item : list->items) {
    const auto* key = item->as<std::string_view>();
    const auto found = key == nullptr ? described.end() : described.find(*key);
    if (found == described.end()) return bad_legacy("lists a storage that no tensor uses");
    if (rest.size() < sizeof(int64_t)) return bad_legacy("is truncated");
    const auto count = load_little<int64_t>(rest.data());
    if (count != found->second->elements) {
      return fail(ErrorCode::kMalformed, "storage '{}' holds {} elements where its tensors expect {}", *key,
                  count, found->second->elements);
    }
    const size_t size = element_bytes(*found->second);
    if (static_cast<uint64_t>(count) > (rest.size() - sizeof(int64_t)) / size)
      return bad_legacy("is truncated");
    const size_t size_bytes = static_cast<size_t>(count) * size;
    if (!save.legacy_storages_.emplace(*key, rest.part(sizeof(int64_t), size_bytes)).second) {
      return bad_legacy("lists a storage twice");
    }
    rest = rest.part(sizeof(int64_t) + size_bytes, rest.size() - sizeof(int64_t) - size_bytes);
  }
  if (rest.size() != 0) return bad_legacy("goes on after its last storage");
  return save;
}

Result<SharedBytes> TorchSave::storage_bytes(const pickle::Storage& storage) {
  const std::string key(storage.key);
  if (const auto found = storages_.find(key); found != storages_.end()) return found->second;
  SharedBytes bytes;
  if (is_legacy_) {
    const auto found = legacy_storages_.find(key);
    if (found == legacy_storages_.end())
      return fail(ErrorCode::kMalformed, "the file has no storage '{}'", key);
    bytes = found->second;
  } else {
    bytes = TENON_TRY(archive_.read("data/" + key));
  }
  if (reinterpret_cast<uintptr_t>(bytes.data()) % kStorageAlignment != 0) {
    Tensor copy = Tensor::allocate(DataType::kUInt8, {static_cast<int64_t>(bytes.size())});
    if (bytes.size() != 0) std::memcpy(copy.mutable_raw(), bytes.data(), bytes.size());
    bytes = {{copy.raw(), copy.bytes()}, copy.owner()};
  }
  storages_.emplace(key, bytes);
  return bytes;
}

Result<Tensor> TorchSave::load(const pickle::Tensor& tensor) {
  if (!tensor.unsupported.empty()) return fail(ErrorCode::kUnsupported, "the tensor {}", tensor.unsupported);
  const pickle::Storage& storage = *tensor.storage;
  const TensorKey key{storage.key, storage.view_offset, tensor.type->type, tensor.layout};
  if (const auto found = tensors_.find(key); found != tensors_.end()) return found->second;
  SharedBytes bytes = TENON_TRY(storage_bytes(storage));
  const size_t size = element_bytes(storage);
  if (static_cast<uint64_t>(storage.elements) > bytes.size() / size) {
    return fail(ErrorCode::kMalformed, "storage '{}' holds {} bytes, too few for {} elements", storage.key,
                bytes.size(), storage.elements);
  }
  const auto first = static_cast<size_t>(storage.is_view ? storage.view_offset : 0);
  const auto count = static_cast<size_t>(storage.is_view ? storage.view_elements : storage.elements);
  bytes = bytes.part(first * size, count * size);
  Tensor loaded = TENON_TRY(load_strided(tensor.type->type, tensor.layout, bytes, budget_bytes_));
  tensors_.emplace(key, loaded);
  return loaded;
}

}  // namespace tenon
