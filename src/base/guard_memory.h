// The border between code that may throw std::bad_alloc and the public interface, which never throws.
#pragma once

#include <new>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include "base/try.h"

namespace tenon {

/// What `body` returns, a Result; or kOutOfMemory with `message` when an allocation in it failed.
template <class F>
std::invoke_result_t<F> guard_memory(F&& body, std::string_view message = "memory ran out") {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kOutOfMemory, "{}", message);
  } catch (const std::length_error&) {
    return fail(ErrorCode::kOutOfMemory, "more memory is needed than can be addressed");
  }
}

}  // namespace tenon
