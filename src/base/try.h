// Short forms for code that returns Result<T>.
#pragma once

#include <fmt/format.h>

#include "tenon/error.h"

/// Evaluates an expression of type Result<T>: yields the T, or returns the Error from the enclosing function.
/// May be nested: TENON_TRY(f(TENON_TRY(g()))).
#define TENON_TRY(expression) TENON_TRY_NAMED(expression, __COUNTER__)
#define TENON_TRY_NAMED(expression, number) TENON_TRY_JOINED(expression, number)
#define TENON_TRY_JOINED(expression, number)                                          \
  __extension__({                                                                     \
    auto tenon_result_##number = (expression);                                        \
    if (!tenon_result_##number.ok()) return std::move(tenon_result_##number.error()); \
    std::move(tenon_result_##number).value();                                         \
  })

namespace tenon {

/// An Error with a formatted message.
template <class... Args>
Error fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  Error error;
  error.code = code;
  error.message = fmt::format(format, std::forward<Args>(args)...);
  return error;
}

/// `error` with the fields that are still empty filled in: the trail an error takes on its way up.
Error at_file(Error error, std::string_view file);
Error at_node(Error error, std::string_view node, std::string_view op);
Error with_hint(Error error, std::string hint);

}  // namespace tenon
