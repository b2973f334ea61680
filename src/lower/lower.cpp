#include "lower/lower.h"

#include <algorithm>

#include "base/progress.h"
#include "lower/context.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// The name that a user would give to a leaf: "logits" for "['logits']" and ".logits", nothing for "" and
// "[0]".
std::string name_of_leaf(const std::string& path) {
  size_t end = path.size();
  if (end > 4 && path.compare(end - 2, 2, "']") == 0) {
    size_t begin = path.rfind("['");
    if (begin != std::string::npos) return path.substr(begin + 2, end - begin - 4);
  }
  size_t dot = path.rfind('.');
  return dot == std::string::npos || path.find('[', dot) != std::string::npos ? "" : path.substr(dot + 1);
}

class ProgramLowering {
 public:
  ProgramLowering(const aten::FunctionalProgram& functional, const ProgressFunction& progress)
      : functional_(functional), program_(functional.program()), progress_(progress) {}

  Result<TypedModel> run() {
    model_.name = "main";
    model_.origin = "torch.export " + program_.torch_version;
    model_.warnings = functional_.warnings();
    Lowering lowering(model_.graph, nullptr);
    lowering.set_ranges(&program_.ranges);
    TENON_TRY(add_user_inputs(lowering));
    TENON_TRY(add_weights(lowering));
    TENON_TRY(lowering.run(program_.graph, progress_));
    TENON_TRY(add_outputs(lowering));
    keep_ranges();
    return std::move(model_);
  }

 private:
  bool is_user_input(size_t i) const {
    using Kind = aten::InputSpec::Kind;
    Kind kind = program_.input_specs[i].kind;
    const aten::Argument& input = program_.graph.inputs[i];
    return kind == Kind::kUserInput && (input.get<aten::TensorRef>() || input.get<aten::SymIntRef>() ||
                                        input.get<aten::SymFloatRef>() || input.get<aten::SymBoolRef>());
  }

  // The names that the program gives to its user inputs, in order.
  static std::string program_name(const aten::Argument& input) {
    if (const auto* reference = input.get<aten::TensorRef>()) return reference->name;
    if (const auto* reference = input.get<aten::SymIntRef>()) return reference->name;
    if (const auto* reference = input.get<aten::SymFloatRef>()) return reference->name;
    if (const auto* reference = input.get<aten::SymBoolRef>()) return reference->name;
    return "";
  }

  Status add_user_inputs(Lowering& lowering) {
    for (size_t i = 0; i < program_.graph.inputs.size(); ++i) {
      if (!is_user_input(i)) continue;
      const aten::Argument& input = program_.graph.inputs[i];
      const std::string name = program_name(input);
      ValueType type;
      if (input.get<aten::TensorRef>()) {
        const aten::TensorMeta* meta = program_.graph.find_tensor(name);
        if (!meta || meta->type == DataType::kUndefined)
          return fail(ErrorCode::kUnsupported, "input '{}' has an element type that ONNX does not have",
                      name);
        type = ValueType::tensor(meta->type, meta->sizes);
      } else {
        DataType element = input.get<aten::SymIntRef>()     ? DataType::kInt64
                           : input.get<aten::SymFloatRef>() ? DataType::kFloat32
                                                            : DataType::kBool;
        type = ValueType::tensor(element, SymShape{});
      }
      lowering.bind(name, lowering.graph().add_input(name, std::move(type)));
    }
    return {};
  }

  // The ranges of the sizes that inputs have.
  void keep_ranges() {
    for (ValueId id : model_.graph.inputs) {
      const auto& shape = model_.graph.value(id).type.shape;
      for (const SymInt& dimension : shape.value_or(SymShape()))
        if (auto range = program_.ranges.find(dimension.to_string()); range != program_.ranges.end())
          model_.ranges.insert(*range);
    }
  }

  Status add_weights(Lowering& lowering) {
    std::map<std::string, ValueId> made;
    for (size_t i = 0; i < program_.graph.inputs.size(); ++i) {
      const aten::InputSpec& spec = program_.input_specs[i];
      using Kind = aten::InputSpec::Kind;
      if (spec.kind != Kind::kParameter && spec.kind != Kind::kBuffer && spec.kind != Kind::kTensorConstant)
        continue;
      const auto* reference = program_.graph.inputs[i].get<aten::TensorRef>();
      const aten::Weight* weight = program_.find_weight(spec.target);
      if (!reference || !weight)
        return fail(ErrorCode::kInvalidModel, "the file holds no weight called '{}'", spec.target);
      const std::string& owner = weight->shared_with.empty() ? spec.target : weight->shared_with;
      auto [it, fresh] = made.try_emplace(owner, kNoValue);
      if (fresh) it->second = lowering.graph().add_constant(owner, weight->tensor);
      lowering.bind(reference->name, it->second);
    }
    return {};
  }

  Status add_outputs(Lowering& lowering) {
    Graph& graph = lowering.graph();
    std::vector<std::string> paths = leaf_paths(program_.output_tree);
    size_t position = 0;
    for (size_t i = 0; i < program_.graph.outputs.size(); ++i) {
      using Kind = aten::OutputSpec::Kind;
      const Kind kind = program_.output_specs[i].kind;
      if (kind == Kind::kBufferMutation || kind == Kind::kUserInputMutation ||
          kind == Kind::kParameterMutation) {
        model_.warnings.push_back(
            fmt::format("the program changes '{}' when it runs; the new value is not an output",
                        program_.output_specs[i].target));
        continue;
      }
      if (kind != Kind::kUserOutput && kind != Kind::kLoss) continue;
      const size_t leaf = position++;
      const aten::Argument& argument = program_.graph.outputs[i];
      if (argument.is_none()) continue;
      ValueId id = TENON_TRY(lowering.output_value(argument));
      std::string wish = leaf < paths.size() ? name_of_leaf(paths[leaf]) : "";
      const bool repeated = std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end();
      if (repeated || graph.is_input(id) || graph.value(id).constant) {
        lowering.builder().set_origin("output", nullptr);
        id = TENON_TRY(lowering.builder().add(Op::kIdentity, {id}, {}, "output"));
      }
      if (!wish.empty() && graph.value(id).name != wish) {
        ValueId holder = graph.find(wish);
        bool fixed = holder != kNoValue &&
                     (graph.is_input(holder) || graph.value(holder).constant ||
                      std::find(graph.outputs.begin(), graph.outputs.end(), holder) != graph.outputs.end());
        if (fixed)
          wish = graph.unique_name(wish);
        else if (holder != kNoValue)
          graph.rename(holder, graph.unique_name(wish + "_inner"));
        graph.rename(id, wish);
      }
      graph.outputs.push_back(id);
    }
    return {};
  }

  const aten::FunctionalProgram& functional_;
  const aten::Program& program_;
  const ProgressFunction& progress_;
  TypedModel model_;
};

}  // namespace

std::shared_ptr<const Provenance> provenance_of(const aten::Node& node) {
  auto provenance = std::make_shared<Provenance>();
  provenance->source_line = aten::source_line(node.origin);
  provenance->module_path = aten::module_path(node.origin);
  provenance->target = node.target;
  return provenance;
}

Status Lowering::run(const aten::Graph& source, const ProgressFunction& progress) {
  for (size_t n = 0; n < source.nodes.size(); ++n) {
    tell(progress, "nodes lowered", n, source.nodes.size());
    const aten::Node& node = source.nodes[n];
    builder_.set_origin(node.name, provenance_of(node));
    LowerContext context(*this, source, node);
    HandlerFunction handler = find_handler(node.target);
    if (!handler)
      return with_hint(context.unsupported("this ATen operator has no lowering"),
                       "tenon ops --aten lists the operators that have one");
    Status status = handler(context);
    if (!status.ok()) return at_node(std::move(status.error()), node.name, node.target);
  }
  return {};
}

Result<ValueId> Lowering::output_value(const aten::Argument& argument) {
  if (const auto* reference = argument.get<aten::TensorRef>()) return value(reference->name);
  if (const auto* reference = argument.get<aten::SymIntRef>()) return value(reference->name);
  if (const auto* reference = argument.get<aten::SymFloatRef>()) return value(reference->name);
  if (const auto* reference = argument.get<aten::SymBoolRef>()) return value(reference->name);
  builder_.set_origin("output", nullptr);
  if (const auto* integer = argument.get<int64_t>()) return builder_.constant(Tensor::scalar(*integer));
  if (const auto* real = argument.get<double>()) return builder_.constant_scalar(DataType::kFloat32, *real);
  if (const auto* truth = argument.get<bool>())
    return builder_.constant_scalar(DataType::kBool, *truth ? 1 : 0);
  return fail(ErrorCode::kUnsupported, "an output of the program is {}, which ONNX cannot give",
              aten::kind_name(argument));
}

Result<TypedModel> lower(const aten::FunctionalProgram& program, const ProgressFunction& progress) {
  return ProgramLowering(program, progress).run();
}

}  // namespace tenon::lower
