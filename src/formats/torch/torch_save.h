// Files of torch.save: an object as a pickle, and beside it the storages of its tensors. Two containers: a
// zip archive (data.pkl, data/KEY), and the one before torch 1.6 (pickles one after another, then raw
// storages).
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "formats/torch/archive.h"
#include "formats/torch/pickle.h"

namespace tenon {

/// One saved object and access to the bytes of its tensors. Tensors made from it keep what they need alive.
class TorchSave {
 public:
  /// True when the bytes begin as a file of the old container does.
  static bool recognises_legacy(std::span<const std::byte> bytes);

  /// Reads the pickle of either container. Errors carry no file name.
  static Result<TorchSave> open(SharedBytes file);
  /// The same for the object in an archive that is open already.
  static Result<TorchSave> open(TorchArchive archive);

  /// What was saved; valid as long as this lives.
  const pickle::Value& root() const { return *pickle_.root; }

  /// The elements of a tensor found below root(): row-major, a view of the file where the storage lies
  /// aligned and the strides allow it. Tensors that share elements in PyTorch share bytes. kUnsupported for
  /// what has no counterpart (quantized, sparse, ...), kMalformed when the tensor reaches outside its
  /// storage.
  Result<Tensor> load(const pickle::Tensor& tensor);

 private:
  static Result<TorchSave> open_legacy(SharedBytes file);
  /// The whole storage with that key, aligned for any element.
  Result<SharedBytes> storage_bytes(const pickle::Storage& storage);

  using TensorKey = std::tuple<std::string, int64_t, DataType, StridedLayout>;

  pickle::Pickle pickle_;
  TorchArchive archive_;
  bool is_legacy_ = false;
  std::unordered_map<std::string, SharedBytes> legacy_storages_;  // as they lie in the file
  std::unordered_map<std::string, SharedBytes> storages_;         // those that were read
  std::map<TensorKey, Tensor> tensors_;
  size_t budget_bytes_ = 0;
};

}  // namespace tenon
