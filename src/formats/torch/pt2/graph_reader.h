// Graphs and arguments of the JSON that torch.export writes (torch/_export/serde/schema.py, version 8).
#pragma once

#include <string>
#include <unordered_map>

#include "formats/torch/pt2/json.h"
#include "ir/aten/program.h"

namespace tenon::pt2 {

/// tenon's element type for a number of the file's own numbering (7 is float32); kUndefined for complex32.
/// kMalformed for numbers that the numbering does not have.
Result<DataType> data_type_from_file(int64_t number);

/// Reads the graphs of one program. Holds the symbolic expressions met so far: programs repeat few of them
/// often.
class GraphReader {
 public:
  Result<aten::Graph> graph(JsonValue value);
  Result<aten::Argument> argument(JsonValue value);
  Result<aten::TensorMeta> tensor_meta(JsonValue value);

 private:
  struct Expression {
    aten::SymExpr expr;
    SymInt as_int;
    size_t tree_bytes;
  };
  static constexpr size_t kMaxExpressionBytes = size_t{512} << 20;

  Result<aten::Node> node(JsonValue value);
  Result<aten::SymValue> sym_value(JsonValue value, aten::SymValue::Kind kind);
  Result<const Expression*> expression(const JsonObject& object);
  Result<SymInt> sym_int(JsonValue value);
  Result<SymShape> sym_ints(JsonValue value, std::string_view what);

  /// Counts memory that expressions take; kLimit when it is too much.
  Status charge(size_t bytes);

  std::unordered_map<std::string, Expression> expressions_;
  size_t budget_bytes_ = kMaxExpressionBytes;
};

}  // namespace tenon::pt2
