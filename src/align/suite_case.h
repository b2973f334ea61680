// One case of a suite in ONNX's test layout.
#pragma once

#include <chrono>
#include <string>

#include "tenon/suite.h"

namespace tenon {

/// Runs the case in `folder`. Never fails: what goes wrong is the case's status and message.
SuiteCase run_suite_case(const std::string& folder, const SuiteOptions& options);

}  // namespace tenon
