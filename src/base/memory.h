// Where the memory of tensors and of running sessions comes from, so that it is counted in one place and held
// to tenon/memory.h's limit.
#pragma once

#include <cstddef>
#include <memory>

#include "tenon/memory.h"

namespace tenon {

/// 64-byte aligned bytes; contents not set. Throws std::bad_alloc, also beyond the limit.
std::byte* take_memory(size_t bytes);
/// Gives back what take_memory returned for the same number of bytes.
void give_back_memory(std::byte* memory, size_t bytes) noexcept;

/// take_memory that gives itself back.
std::shared_ptr<std::byte> share_memory(size_t bytes);

}  // namespace tenon
