// aten::Program: an exported PyTorch program in memory, as read from a .pt2 file (torch.export) or built from
// TorchScript. The first stage of the flow .pt2 / .pt -> aten::Program -> aten::FunctionalProgram ->
// TypedModel. It says what the file says: nodes call ATen operators by name, arguments equal to their schema
// default are left out (ArgumentReader of lower/aten/schema.h fills them in), and nodes may still mutate
// their inputs.
#pragma once

#include <complex>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "ir/aten/pytree.h"
#include "ir/aten/sym_expr.h"
#include "tenon/tensor.h"
#include "tensor/size_range.h"
#include "tensor/sym_int.h"

namespace tenon::aten {

struct Graph;
struct Argument;

/// Memory layouts and memory formats by PyTorch's names; kUnknown is written by nobody but allowed.
enum class Layout : uint8_t {
  kUnknown,
  kSparseCoo,
  kSparseCsr,
  kSparseCsc,
  kSparseBsr,
  kSparseBsc,
  kMkldnn,
  kStrided
};
enum class MemoryFormat : uint8_t { kUnknown, kContiguous, kChannelsLast, kChannelsLast3d, kPreserve };

struct Device {
  std::string type;  ///< "cpu", "cuda", "meta", ...
  std::optional<int64_t> index;
};

/// No value: Python's None.
struct None {};
/// A tensor by its name in the graph. Never empty.
struct TensorRef {
  std::string name;
};
/// A list of tensors by name; an empty name is None (only in lists of optional tensors).
struct TensorList {
  std::vector<std::string> names;
};
/// Symbolic scalars by their name in the graph: outputs of nodes such as aten.sym_size.int, or graph inputs.
struct SymIntRef {
  std::string name;
};
struct SymFloatRef {
  std::string name;
};
struct SymBoolRef {
  std::string name;
};
/// A list of numbers of which at least one is symbolic: each item is a name, or, when the name is empty,
/// `value`.
template <class T>
struct SymItem {
  std::string name;
  T value{};
  bool is_symbolic() const { return !name.empty(); }
};
using SymIntList = std::vector<SymItem<int64_t>>;
using SymFloatList = std::vector<SymItem<double>>;
using SymBoolList = std::vector<SymItem<bool>>;
/// A subgraph owned by the node: a branch of cond, the body of while_loop, scan or map, a wrapped region.
struct GraphRef {
  std::string name;  ///< "true_graph_0", "submod_1": unique among the graphs of one parent at most.
  std::shared_ptr<Graph> graph;
};
struct CustomObject {
  std::string name;
  std::string class_name;
};
/// An operator given as an argument.
struct OperatorRef {
  std::string target;
};
using Dictionary = std::map<std::string, Argument>;

/// One value given to or made by a node, a graph input or a graph output. Numbers that are not symbolic are
/// always the plain alternatives, however the file wrote them. Empty lists are TensorList when the file does
/// not say of what; accessors treat any empty list alike.
struct Argument {
  using Variant =
      std::variant<None, TensorRef, TensorList, bool, int64_t, double, std::complex<double>, std::string,
                   std::vector<bool>, std::vector<int64_t>, std::vector<double>, std::vector<std::string>,
                   SymIntRef, SymFloatRef, SymBoolRef, SymIntList, SymFloatList, SymBoolList, DataType,
                   MemoryFormat, Layout, Device, GraphRef, CustomObject, OperatorRef, std::vector<TensorList>,
                   std::vector<std::vector<int64_t>>, std::vector<std::vector<double>>, Dictionary>;
  Variant value;

  Argument() = default;
  template <class T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Argument>)
  Argument(T&& alternative) : value(std::forward<T>(alternative)) {}  // NOLINT: implicit by design

  template <class T>
  const T* get() const {
    return std::get_if<T>(&value);
  }
  template <class T>
  T* get() {
    return std::get_if<T>(&value);
  }
  bool is_none() const { return std::holds_alternative<None>(value); }
};

/// "tensor", "list of integers", ...: what an argument holds, for messages.
std::string_view kind_name(const Argument& argument);

/// What is known of a tensor value before the program runs.
struct TensorMeta {
  DataType type = DataType::kUndefined;  ///< kUndefined: complex32 or unknown, for which tenon has no type.
  SymShape sizes;
  SymShape strides;       ///< In elements; empty when unknown.
  SymInt storage_offset;  ///< In elements.
  Layout layout = Layout::kStrided;
  Device device;
  bool requires_grad = false;
};

/// What is known of a symbolic integer, float or boolean before the program runs.
struct SymValue {
  enum class Kind : uint8_t { kInt, kFloat, kBool } kind = Kind::kInt;
  SymExpr expr;   ///< Over the program's symbols ("s77", unbacked "u0").
  SymInt as_int;  ///< kInt: the same as a SymInt; a symbol named by the expression's text if it has no such
                  ///< form.
  std::optional<double> hint;  ///< The value for the example inputs.
};

struct NamedArgument {
  std::string name;  ///< The schema's argument name; empty for higher-order operators.
  Argument value;
  bool keyword = false;
};

/// Where a node comes from in the user's program.
struct NodeOrigin {
  std::string stack_trace;      ///< Python's traceback text, innermost call last.
  std::string nn_module_stack;  ///< "key,path,type" joined by ';', outermost first.
  std::string torch_fn;         ///< The function that the user called: "relu_2;function.relu".
};

/// 'model.py:12, in forward: return self.conv(x)': the innermost line of a stack trace, or "" when it has
/// none.
std::string source_line(const NodeOrigin& origin);
/// "layer1.0.conv1": the path of the innermost module, or "" at the top.
std::string module_path(const NodeOrigin& origin);
/// "torch.nn.modules.conv.Conv2d": the class of the innermost module.
std::string module_type(const NodeOrigin& origin);

/// One call of an operator.
struct Node {
  std::string name;    ///< Unique within its graph; made from the first output where the file has none.
  std::string target;  ///< "aten.conv2d.default", "_operator.mul", "math.trunc", "higher_order.cond".
  std::vector<NamedArgument> inputs;
  std::vector<Argument>
      outputs;  ///< TensorRef, TensorList, SymIntRef, SymFloatRef, SymBoolRef, CustomObject or None.
  NodeOrigin origin;

  const Argument* find_input(std::string_view argument_name) const;
};

/// A list of nodes in execution order. Names of values are unique within one graph; a subgraph sees none of
/// its parent's values (they come in as operands) and may use the same names for other things.
struct Graph {
  std::vector<Argument>
      inputs;  ///< TensorRef, Sym*Ref, CustomObject, or a plain constant that nothing refers to.
  std::vector<Argument> outputs;  ///< Anything, plain constants and None included.
  std::vector<Node> nodes;
  std::unordered_map<std::string, TensorMeta> tensors;
  std::unordered_map<std::string, SymValue> symbols;  ///< Sym*Ref names -> what is known of them.

  const TensorMeta* find_tensor(const std::string& name) const;
  const SymValue* find_symbol(const std::string& name) const;
};

/// What binds to the graph input at the same position.
struct InputSpec {
  enum class Kind : uint8_t {
    kUserInput,
    kParameter,
    kBuffer,
    kTensorConstant,
    kConstantInput,  ///< A plain Python value that was fixed at export.
    kCustomObject,
    kToken,
  } kind = Kind::kUserInput;
  std::string name;        ///< The graph input's name; of a constant input its argument's name.
  std::string target;      ///< The weight's name in Program::weights: parameter, buffer, tensor constant.
  bool persistent = true;  ///< Buffers: part of the state dict.
};

/// What the graph output at the same position means.
struct OutputSpec {
  enum class Kind : uint8_t {
    kUserOutput,
    kLoss,
    kBufferMutation,     ///< The new value of buffer `target`.
    kParameterMutation,  ///< The new value of parameter `target`.
    kUserInputMutation,  ///< The new value of graph input `target`.
    kGradient,           ///< Of a parameter or user input `target`.
    kToken,
  } kind = Kind::kUserOutput;
  std::string name;  ///< The value's name as the program was traced; empty for a constant. Functionalisation
                     ///< may give the output another value, but its name stays.
  std::string target;
};

/// A parameter, buffer or constant that the file holds.
struct Weight {
  Tensor tensor;            ///< Row major. Shares the mapped file's bytes unless its strides demand a copy.
  std::string shared_with;  ///< The first name (in order of `Program::weights`) of the same elements of the
                            ///< same storage: tied weights. Empty when there is none before it.
  bool is_parameter = false;
};

enum class Dialect : uint8_t {
  kTraining,     ///< As traced: neither decomposed nor functional.
  kAten,         ///< After run_decompositions(): functional, mutations are outputs.
  kTorchScript,  ///< From a TorchScript archive.
};

struct Program {
  Graph graph;
  std::vector<InputSpec> input_specs;    ///< As many as graph.inputs.
  std::vector<OutputSpec> output_specs;  ///< As many as graph.outputs.
  std::map<std::string, Weight> weights;
  SizeRanges ranges;                 ///< Of symbols and of expressions that are sizes.
  PyTree input_tree;                 ///< (args, kwargs); its leaves are the user inputs in order.
  PyTree output_tree;                ///< Its leaves are the user outputs in order.
  std::vector<Value> sample_inputs;  ///< The example inputs' leaves in order; non-tensors are undefined
                                     ///< tensors. Empty when the file holds none.
  Dialect dialect = Dialect::kTraining;
  std::string torch_version;
  std::vector<std::string> guards;  ///< Python conditions on inputs under which the export is valid.

  const Weight* find_weight(const std::string& name) const;
};

/// A listing as a person would want to read it: inputs, weights, one line a node, outputs, subgraphs
/// indented.
std::string to_string(const Program& program);
/// One node, argument or graph in the same form.
std::string to_string(const Argument& argument);
std::string to_string(const Node& node);
std::string to_string(const Graph& graph);

/// Calls `visit` with the name of every value that `argument` refers to, also in lists and dictionaries, so
/// that it can be read or replaced. Operands inside subgraphs are not entered: those have names of their own.
void for_each_name(Argument& argument, const std::function<void(std::string&)>& visit);
void for_each_name(const Argument& argument, const std::function<void(const std::string&)>& visit);

}  // namespace tenon::aten
