// Which operators exist and which of them tenon runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tenon/error.h"

namespace tenon {

struct OperatorInfo {
  struct Parameter {
    std::string name;
    std::string types;  ///< "float32, float64, ..." as the newest version allows
    bool optional = false;
    bool variadic = false;
  };
  struct Attribute {
    std::string name;
    std::string kind;           ///< "int", "ints", "float", "string", "tensor", "graph", ...
    std::string default_value;  ///< Empty when there is none.
    bool required = false;
  };
  std::string domain;  ///< "" is ai.onnx.
  std::string name;
  std::vector<int> versions;  ///< Opsets that changed it, oldest first.
  bool deprecated = false;    ///< In the newest version.
  bool supported = false;     ///< tenon reads it, at every version, and runs it.
  std::vector<std::string>
      kernels;  ///< Fast kernel rows, in order of preference; the reference always exists.
  std::vector<Parameter> inputs, outputs;  ///< Of the version in force at the opset asked for.
  std::vector<Attribute> attributes;
};

/// Every operator of the standard at an opset of ai.onnx (0: the newest), sorted by domain and name; those
/// that did not exist then are left out.
std::vector<OperatorInfo> list_operators(int opset = 0);

/// One operator by name, in any domain. kUsage with the names that come near when there is none.
Result<OperatorInfo> describe_operator(std::string_view name, int opset = 0);

/// ATen operators that export can lower: "aten.conv2d.default", sorted.
std::vector<std::string> list_aten_operators();

}  // namespace tenon
