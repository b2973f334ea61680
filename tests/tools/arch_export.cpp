// Test tool: weights of a known architecture to ONNX.
// Arguments: ARCHITECTURE WEIGHTS OUT.onnx OPSET [BATCH,CHANNELS,HEIGHT,WIDTH]
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "arch/architecture.h"
#include "base/try.h"
#include "formats/onnx/writer.h"
#include "formats/torch/state_dict.h"
#include "ops/core/emit.h"

namespace {

using namespace tenon;

Status convert(int count, char** arguments) {
  const StateDict state_dict = TENON_TRY(read_state_dict(arguments[2]));
  ArchitectureOptions options;
  if (count > 5) {
    options.input_shape.emplace();
    std::istringstream shape(arguments[5]);
    for (std::string dim; std::getline(shape, dim, ',');) options.input_shape->push_back(std::stoll(dim));
  }
  const TypedModel model = TENON_TRY(build_architecture(arguments[1], state_dict, options));
  for (const std::string& warning : model.warnings) std::printf("%s\n", warning.c_str());
  const onnx::Model emitted = TENON_TRY(ops::emit(model, {.opset = std::atoi(arguments[4])}));
  return onnx::write_model(emitted, arguments[3]);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) return 2;
  const Status status = convert(count, arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.error().to_string().c_str());
  return exit_status(status.error().code);
}
