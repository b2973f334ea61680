// Test tool: reads ONNX files and writes them again. Each line of standard input is "model IN OUT",
// "external IN OUT" (initializers to a data file), or "KIND IN OUT" for values (tensor, sequence, optional,
// map); fields are separated by tabs. Each line of standard output is "ok" or the error.
#include <cstdio>
#include <iostream>
#include <string>

#include "base/try.h"
#include "formats/onnx/reader.h"
#include "formats/onnx/value_file.h"
#include "formats/onnx/writer.h"

namespace {

using namespace tenon;

Status copy_model(const std::string& in, const std::string& out, onnx::WriteOptions::ExternalData mode) {
  const onnx::Model model = TENON_TRY(onnx::read_model(in));
  return onnx::write_model(model, out, {.external_data = mode});
}

Status copy_value(const std::string& in, const std::string& out, onnx::ValueKind kind) {
  const NamedValue value = TENON_TRY(onnx::read_value(in, kind));
  return onnx::write_value(out, value.value, value.name);
}

Status copy(const std::string& line) {
  const size_t first = line.find('\t');
  const size_t second = line.find('\t', first + 1);
  if (second == std::string::npos) return fail(ErrorCode::kUsage, "three fields are needed");
  const std::string what = line.substr(0, first);
  const std::string in = line.substr(first + 1, second - first - 1);
  const std::string out = line.substr(second + 1);
  if (what == "model") return copy_model(in, out, onnx::WriteOptions::ExternalData::kKeep);
  if (what == "inline") return copy_model(in, out, onnx::WriteOptions::ExternalData::kNever);
  if (what == "external") return copy_model(in, out, onnx::WriteOptions::ExternalData::kAlways);
  if (what == "tensor") return copy_value(in, out, onnx::ValueKind::kTensor);
  if (what == "sequence") return copy_value(in, out, onnx::ValueKind::kSequence);
  if (what == "optional") return copy_value(in, out, onnx::ValueKind::kOptional);
  if (what == "map") return copy_value(in, out, onnx::ValueKind::kMap);
  return fail(ErrorCode::kUsage, "unknown kind {}", what);
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const Status status = copy(line);
    std::cout << (status.ok() ? std::string("ok") : status.error().to_string()) << std::endl;
  }
  return 0;
}
