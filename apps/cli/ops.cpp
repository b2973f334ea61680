// tenon ops [OP]: which operators exist, since which opset, with which types.
#include "tenon/ops.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "commands.h"
#include "terminal.h"
#include "text.h"

namespace tenon::cli {

namespace {

struct OpsArguments {
  std::string name;
  int opset = 0;
  bool aten = false;
  bool json = false;
};

nlohmann::ordered_json to_json(const OperatorInfo& info) {
  auto parameters = [](const std::vector<OperatorInfo::Parameter>& list) {
    auto out = nlohmann::ordered_json::array();
    for (const auto& p : list)
      out.push_back(
          {{"name", p.name}, {"types", p.types}, {"optional", p.optional}, {"variadic", p.variadic}});
    return out;
  };
  auto attributes = nlohmann::ordered_json::array();
  for (const auto& a : info.attributes)
    attributes.push_back(
        {{"name", a.name}, {"kind", a.kind}, {"required", a.required}, {"default", a.default_value}});
  return {{"domain", info.domain},
          {"name", info.name},
          {"versions", info.versions},
          {"deprecated", info.deprecated},
          {"supported", info.supported},
          {"kernels", info.kernels},
          {"inputs", parameters(info.inputs)},
          {"outputs", parameters(info.outputs)},
          {"attributes", attributes}};
}

std::string versions_text(const OperatorInfo& info) {
  std::string out;
  for (int version : info.versions) out += (out.empty() ? "" : " ") + std::to_string(version);
  return out;
}

void print_one(const OperatorInfo& info) {
  std::printf("%s%s%s: %s\n", info.domain.c_str(), info.domain.empty() ? "" : ".", info.name.c_str(),
              info.supported ? "supported" : "not supported");
  std::printf("  opset versions: %s%s\n", versions_text(info).c_str(),
              info.deprecated ? " (deprecated)" : "");
  auto parameters = [](const char* what, const std::vector<OperatorInfo::Parameter>& list) {
    for (const auto& p : list)
      print_wrapped(fmt::format("  {:<9} {}{}: {}", what, p.name,
                                p.optional   ? " (optional)"
                                : p.variadic ? "..."
                                             : "",
                                p.types),
                    14);
  };
  parameters("input", info.inputs);
  parameters("output", info.outputs);
  for (const auto& a : info.attributes)
    std::printf("  attribute %s: %s%s%s\n", a.name.c_str(), a.kind.c_str(), a.required ? ", required" : "",
                a.default_value.empty() ? "" : (", default " + a.default_value).c_str());
  for (const std::string& kernel : info.kernels) std::printf("  kernel    %s\n", kernel.c_str());
  if (info.supported) std::printf("  kernel    reference\n");
}

int list_all(const OpsArguments& arguments) {
  auto operators = list_operators(arguments.opset);
  if (arguments.json) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& info : operators) list.push_back(to_json(info));
    print({{"operators", list}});
    return 0;
  }
  size_t supported = 0;
  for (const auto& info : operators) {
    supported += info.supported;
    std::string name = info.domain.empty() ? info.name : info.domain + "." + info.name;
    std::printf("%s %-36s %s\n", info.supported ? "yes" : "no ", name.c_str(), versions_text(info).c_str());
  }
  std::printf("%zu of %zu operators are supported\n", supported, operators.size());
  return 0;
}

int run_ops(const OpsArguments& arguments) {
  if (arguments.aten) {
    auto targets = list_aten_operators();
    if (arguments.json)
      print({{"aten", targets}});
    else
      for (const std::string& target : targets) std::printf("%s\n", target.c_str());
    return 0;
  }
  if (arguments.name.empty()) return list_all(arguments);
  auto info = describe_operator(arguments.name, arguments.opset);
  if (!info.ok()) return report(info.error(), arguments.json);
  if (arguments.json)
    print(to_json(*info));
  else
    print_one(*info);
  return info->supported ? 0 : 1;
}

}  // namespace

void add_ops_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<OpsArguments>();
  CLI::App* command = app.add_subcommand("ops", "List operators: versions, attributes, types, kernels");
  command->footer("Example:\n  tenon ops Conv --opset 17");
  command->add_option("op", arguments->name, "One operator; without it all are listed");
  command->add_option("--opset", arguments->opset, "The opset of ai.onnx to describe (0: the newest)")
      ->check(CLI::Range(0, 28));
  command->add_flag("--aten", arguments->aten, "List the ATen operators that export can lower");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  command->callback([arguments, &status] { status = run_ops(*arguments); });
}

}  // namespace tenon::cli
