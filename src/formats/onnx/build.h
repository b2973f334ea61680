// Building of ONNX messages from the structures of ir/model.h: the parts that the writers of models and of
// value files share. Internal to src/formats/onnx. A message refers to the elements of the tensors that it
// was built from.
#pragma once

#include <optional>

#include "formats/onnx/wire.h"
#include "ir/model.h"

namespace tenon::onnx {

/// Decides where the elements of tensors go.
class DataPlacement {
 public:
  enum class Role : uint8_t { kInitializer, kOther };
  virtual ~DataPlacement() = default;
  /// The external_data of the message for a tensor whose elements shall lie outside of the model; nullopt to
  /// keep them inline.
  virtual std::optional<StringPairs> place(const TensorData& tensor, Role role) = 0;
};

/// A TensorProto with `external` as its external_data, or with its elements inline.
wire::Message build_tensor(const TensorData& tensor,
                           const std::optional<StringPairs>& external = std::nullopt);
wire::Message build_sparse_tensor(const SparseTensorData& tensor, DataPlacement& placement);
wire::Message build_type(const Type& type);
wire::Message build_value_info(const ValueInfo& info);
wire::Message build_model(const Model& model, DataPlacement& placement);

void add_text(wire::Message& message, uint32_t number, const std::string& text, PresentFields present);
void add_number(wire::Message& message, uint32_t number, int64_t value, PresentFields present);
void add_pairs(wire::Message& message, uint32_t number, const StringPairs& pairs);

/// The elements of a tensor as raw_data and external files hold them. `scratch` keeps them when they must be
/// made; else they are those of the tensor. Not for strings.
std::string_view raw_elements(const Tensor& tensor, std::string& scratch);

}  // namespace tenon::onnx
