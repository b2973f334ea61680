// The names that a pickle may use, and what those that Python would call mean: each builds plain data.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "formats/torch/pickle.h"

namespace tenon::pickle {

/// The global of that module and name, or nothing when it is not allowed. Python 2's module names are known.
std::optional<Global> find_global(std::string_view module, std::string_view name);

/// What calling `global` with `arguments` gives, as a new value of `arena`. Adds to `steps` the elements that
/// it copies. kMalformed when the global cannot be called or the arguments do not fit it.
Result<Value*> reduce(Global global, std::span<const Value* const> arguments, Arena& arena, size_t& steps);

/// The storage that a persistent id stands for: ("storage", class, key, location, elements[, view]).
Result<Value*> load_persistent(const Value& id, Arena& arena);

}  // namespace tenon::pickle
