// Test tool: runs models held in memory, for tests/ops/versions. Standard input holds requests, each one line
// of JSON, {"kinds":["tensor",...],"sizes":[model,input...],"opsets":[11,...],"engine":true}, and then the
// bytes of the model and of its inputs (an input of size 0 is omitted). The answer is one line of JSON and
// then bytes, whose sizes it gives in order: what the references make, what the engine makes, and the model
// emitted at each opset.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/try.h"
#include "formats/onnx/reader.h"
#include "formats/onnx/value_file.h"
#include "formats/onnx/writer.h"
#include "ops/core/emit.h"
#include "ops/core/evaluate.h"
#include "ops/core/registry.h"
#include "ops/core/upgrade.h"
#include "runtime/session_state.h"

namespace {

using namespace tenon;
using Json = nlohmann::ordered_json;

Json type_json(const ValueType& type) {
  constexpr const char* kKinds[] = {"unknown", "tensor", "sequence", "optional", "map"};
  Json out = {{"kind", kKinds[static_cast<size_t>(type.kind)]}};
  if (type.kind == ValueType::Kind::kTensor || type.kind == ValueType::Kind::kMap)
    out["element"] = static_cast<int>(type.element);
  if (type.shape) {
    out["shape"] = Json::array();
    for (const SymInt& dim : *type.shape) {
      if (auto number = dim.constant())
        out["shape"].push_back(*number);
      else
        out["shape"].push_back(dim.to_string());
    }
  }
  if (type.inner) out["inner"] = type_json(*type.inner);
  return out;
}

Json error_json(const Error& error) {
  return {{"error", error.to_string()}, {"unsupported", error.code == ErrorCode::kUnsupported}};
}

// ["sum", 8] of a definition: how far its fast rows may be from its reference.
Json tolerance_json(const ops::Tolerance& tolerance) {
  constexpr const char* kKinds[] = {"exact", "ulp", "sum"};
  return {kKinds[static_cast<size_t>(tolerance.kind)], tolerance.value};
}

std::string read_bytes(size_t size) {
  std::string bytes(size, '\0');
  std::cin.read(bytes.data(), static_cast<std::streamsize>(size));
  return bytes;
}

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

onnx::ValueKind kind_from(const std::string& name) {
  if (name == "sequence") return onnx::ValueKind::kSequence;
  if (name == "optional") return onnx::ValueKind::kOptional;
  if (name == "map") return onnx::ValueKind::kMap;
  return onnx::ValueKind::kTensor;
}

struct Request {
  std::vector<std::string> kinds;
  std::vector<std::string> blobs;  // the model, then its inputs
  std::vector<int> opsets;
  bool engine = false;
};

struct Answer {
  Json header = Json::object();
  std::vector<std::string> blobs;
};

Result<std::vector<std::optional<Value>>> parse_inputs(const Request& request) {
  std::vector<std::optional<Value>> values;
  for (size_t i = 1; i < request.blobs.size(); ++i) {
    values.emplace_back();
    if (request.blobs[i].empty()) continue;
    auto named =
        TENON_TRY(onnx::parse_value(as_bytes(request.blobs[i]), nullptr, kind_from(request.kinds[i - 1])));
    values.back() = std::move(named.value);
  }
  return values;
}

Json add_values(Answer& answer, const Result<std::vector<Value>>& values) {
  if (!values.ok()) return error_json(values.error());
  for (const Value& value : *values) {
    auto bytes = onnx::serialize_value(value, "");
    if (!bytes.ok()) return error_json(bytes.error());
    answer.blobs.push_back(std::move(*bytes));
  }
  return {{"count", values->size()}};
}

Result<std::vector<Value>> run_engine(const TypedModel& typed, const std::vector<const Value*>& arguments) {
  SessionOptions options;
  options.threads = 1;
  auto session = TENON_TRY(make_session(typed, options));
  std::vector<NamedValue> inputs;
  for (size_t i = 0; i < arguments.size(); ++i)
    if (arguments[i]) inputs.push_back({typed.graph.value(typed.graph.inputs[i]).name, *arguments[i]});
  std::vector<Value> outputs;
  for (NamedValue& named : TENON_TRY(session->run(inputs))) outputs.push_back(std::move(named.value));
  return outputs;
}

Status answer_request(const Request& request, Answer& answer) {
  const onnx::Model model = TENON_TRY(onnx::parse_model(as_bytes(request.blobs[0]), nullptr, "/nonexistent"));
  const TypedModel typed = TENON_TRY(ops::upgrade(model));
  answer.header["types"] = Json::array();
  for (ValueId id : typed.graph.outputs)
    answer.header["types"].push_back(type_json(typed.graph.value(id).type));

  answer.header["tolerances"] = Json::array();
  for (const Node& node : typed.graph.nodes)
    answer.header["tolerances"].push_back(tolerance_json(ops::op_def(node.op).tolerance));

  const auto values = TENON_TRY(parse_inputs(request));
  std::vector<const Value*> arguments;
  for (size_t i = 0; i < typed.graph.inputs.size(); ++i)
    arguments.push_back(i < values.size() && values[i] ? &*values[i] : nullptr);
  answer.header["reference"] = add_values(answer, ops::evaluate(typed.graph, arguments));
  if (request.engine) answer.header["engine"] = add_values(answer, run_engine(typed, arguments));

  answer.header["emitted"] = Json::array();
  for (int opset : request.opsets) {
    auto bytes = [&]() -> Result<std::string> {
      return onnx::serialize(TENON_TRY(ops::emit(typed, {.opset = opset})));
    }();
    answer.header["emitted"].push_back(bytes.ok() ? Json{{"count", 1}} : error_json(bytes.error()));
    if (bytes.ok()) answer.blobs.push_back(std::move(*bytes));
  }
  return {};
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    const Json json = Json::parse(line);
    Request request{json["kinds"], {}, json["opsets"], json["engine"]};
    for (const Json& size : json["sizes"]) request.blobs.push_back(read_bytes(size));
    Answer answer;
    const Status status = answer_request(request, answer);
    if (!status.ok()) answer.header.update(error_json(status.error()));
    answer.header["sizes"] = Json::array();
    for (const std::string& blob : answer.blobs) answer.header["sizes"].push_back(blob.size());
    std::cout << answer.header.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    for (const std::string& blob : answer.blobs)
      std::cout.write(blob.data(), static_cast<std::streamsize>(blob.size()));
    std::cout.flush();
  }
  return 0;
}
