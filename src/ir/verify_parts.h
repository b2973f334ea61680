// Checks of the parts of a Model that need no knowledge of their surroundings. Used by verify_model.
#pragma once

#include "ir/model.h"
#include "tenon/error.h"

namespace tenon::onnx {

/// No negative dimension; sequences, optionals and maps have an element type; keys of maps are integers or
/// strings.
Status check_type(const Type& type);
/// A name, a value of the attribute's kind, and a reference only within functions.
Status check_attribute(const Attribute& attribute, bool in_function);
/// Values of rank 1, indices as the standard allows (linear, or one row of coordinates per value), in
/// ascending order and within the dimensions.
Status check_sparse(const SparseTensorData& tensor);

}  // namespace tenon::onnx
