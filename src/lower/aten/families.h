// The families of ATen operators: one table of handlers a file of this folder. find_handler looks into all of
// them; a new family is a line here and one in families.cpp.
#pragma once

#include <span>

#include "lower/context.h"

namespace tenon::lower {

std::span<const Handler> symbolic_handlers();  ///< symbolic.cpp: sym_size, arithmetic on symbolic scalars

}  // namespace tenon::lower
