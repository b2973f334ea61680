// Reads the arguments of a node by their schema names, with the defaults that exported files leave out filled
// in. What lowering uses to look at a node; nothing else interprets schema defaults.
#pragma once

#include <complex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/aten/program.h"
#include "lower/aten/schema.h"

namespace tenon::aten {

/// A Python number.
using Number = std::variant<bool, int64_t, double, std::complex<double>, SymIntRef, SymFloatRef, SymBoolRef>;

/// Looks at one node of one graph; both must outlive it. Every accessor takes the schema's argument name and
/// gives kInvalidModel when the argument is missing without default or holds another kind, kUnsupported when
/// it is symbolic where a plain value is asked for. Errors carry the node's name and target.
class ArgumentReader {
 public:
  /// `node` may call any operator: one without schema has only the arguments that were given. Higher-order
  /// operators name no arguments: use at().
  ArgumentReader(const Graph& graph, const Node& node);

  const Node& node() const { return node_; }
  /// The name of the operator without namespace and overload: "conv2d".
  std::string_view op() const;
  /// True when the argument was given or has a default that is not None.
  bool has(std::string_view name) const;
  /// The argument as it stands, or its default. Null when it is neither given nor has a default.
  Result<Argument> argument(std::string_view name) const;
  /// The argument at a position, for operators without names.
  Result<Argument> at(size_t position) const;

  Result<std::string> tensor(std::string_view name) const;  ///< Name of a tensor value.
  Result<std::optional<std::string>> optional_tensor(std::string_view name) const;  ///< nullopt for None.
  Result<std::vector<std::string>> tensors(std::string_view name) const;            ///< "" for None elements.
  Result<int64_t> integer(std::string_view name) const;
  Result<std::optional<int64_t>> optional_integer(std::string_view name) const;
  /// A list of plain integers; one integer for int[2] stands for two.
  Result<std::vector<int64_t>> integers(std::string_view name) const;
  Result<std::optional<std::vector<int64_t>>> optional_integers(std::string_view name) const;
  /// Integers that may be symbolic, as expressions over the program's symbols.
  Result<SymInt> sym_integer(std::string_view name) const;
  Result<std::optional<SymInt>> optional_sym_integer(std::string_view name) const;
  Result<SymShape> sym_integers(std::string_view name) const;
  Result<std::optional<SymShape>> optional_sym_integers(std::string_view name) const;
  /// The same as items, that keep the names of the values they come from.
  Result<SymIntList> sym_items(std::string_view name) const;
  /// A float; integers and bools are converted.
  Result<double> number(std::string_view name) const;
  Result<std::optional<double>> optional_number(std::string_view name) const;
  Result<std::optional<std::vector<double>>> optional_numbers(std::string_view name) const;
  Result<Number> scalar(std::string_view name) const;  ///< ATen's Scalar, with its Python type.
  Result<std::optional<Number>> optional_scalar(std::string_view name) const;
  Result<bool> boolean(std::string_view name) const;
  Result<std::optional<bool>> optional_boolean(std::string_view name) const;
  Result<std::vector<bool>> booleans(std::string_view name) const;
  Result<std::string> string(std::string_view name) const;
  Result<std::optional<std::string>> optional_string(std::string_view name) const;
  Result<std::optional<DataType>> optional_dtype(std::string_view name) const;
  Result<std::optional<MemoryFormat>> optional_memory_format(std::string_view name) const;
  Result<const Graph*> graph(size_t position) const;  ///< A subgraph, by position.

  /// The tensor's metadata, or kInvalidModel when the graph has none.
  Result<const TensorMeta*> meta(const std::string& tensor_name) const;
  /// The name of output `index` as a tensor.
  Result<std::string> output(size_t index = 0) const;

 private:
  Error wrong(std::string_view name, const Argument& found, std::string_view expected) const;
  const Graph& graph_;
  const Node& node_;
  const Schema* schema_;
};

}  // namespace tenon::aten
