// Sides that a Python found on this machine runs: PyTorch's programs, and models by ONNX Runtime.
#pragma once

#include "align/side.h"

namespace tenon::alignment {

enum class Package { kTorch, kOnnxRuntime };

/// The path of a Python that has the package: `wanted`, or when that is empty the one that $TENON_PYTHON
/// names, that of the active virtual environment, or python3 of $PATH. kUnavailable when there is none.
Result<std::string> find_python(const std::string& wanted, Package package);

/// A model file run by that Python: all samples in one process, in prepare(). The model is also read by
/// tenon, for its names and for the search of a cause; where that fails the other side has to know the
/// inputs.
Result<std::unique_ptr<Side>> python_side(const std::string& file, const std::string& python, Package package,
                                          const AlignOptions& options);

}  // namespace tenon::alignment
