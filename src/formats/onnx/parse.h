// Parsing of ONNX messages into the structures of ir/model.h: the parts that the readers of models and of
// value files share. Internal to src/formats/onnx.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/try.h"
#include "formats/onnx/external_data.h"
#include "formats/onnx/options.h"
#include "formats/onnx/wire.h"
#include "ir/model.h"

namespace tenon::onnx {

/// State of one parse.
class ParseContext {
 public:
  /// `whole` is the outermost message; `owner` keeps it alive, or is null when tensors must copy.
  ParseContext(std::string_view whole, std::shared_ptr<const void> owner, std::string base_dir,
               const ReadOptions& options)
      : origin_(whole.data()),
        owner_(std::move(owner)),
        files_(std::move(base_dir), options),
        budget_(options.structure_bytes_max) {}

  const char* origin() const { return origin_; }
  const std::shared_ptr<const void>& owner() const { return owner_; }
  ExternalFiles& files() { return files_; }
  /// The fields of a submessage.
  Result<wire::Reader> reader(const wire::Field& message) const;

  /// Counts memory that a parsed structure takes; kLimit when it is too much.
  Status charge(size_t bytes);

  Status text(const wire::Field& field, std::string& out, PresentFields& present);
  Status text(const wire::Field& field, std::string& out);
  Status integer(const wire::Field& field, int64_t& out, PresentFields& present);
  Status append_text(const wire::Field& field, std::vector<std::string>& out);
  Status append_integers(const wire::Field& field, std::vector<int64_t>& out);
  Status append_floats(const wire::Field& field, std::vector<float>& out);
  /// A StringStringEntryProto.
  Status append_pair(const wire::Field& field, StringPairs& out);
  Status keep(const wire::Field& field, UnknownFields& out);
  /// The content of a length-delimited field.
  Result<std::string_view> content(const wire::Field& field) const;
  Error wrong_type(const wire::Field& field) const;

  int graph_depth = 0;  ///< Of the graph being parsed: 0 for the main graph.

 private:
  const char* origin_;
  std::shared_ptr<const void> owner_;
  ExternalFiles files_;
  size_t budget_;
};

Result<TensorData> parse_tensor(ParseContext& context, const wire::Field& message);
Result<SparseTensorData> parse_sparse_tensor(ParseContext& context, const wire::Field& message);
Result<Type> parse_type(ParseContext& context, const wire::Field& message, int depth = 0);
Result<ValueInfo> parse_value_info(ParseContext& context, const wire::Field& message);
Result<Attribute> parse_attribute(ParseContext& context, const wire::Field& message);
Result<Node> parse_node(ParseContext& context, const wire::Field& message);
Result<Graph> parse_graph(ParseContext& context, const wire::Field& message);

/// The folder of a file, where its external data lies: "" for the current folder.
std::string folder_of(const std::string& path);

}  // namespace tenon::onnx
