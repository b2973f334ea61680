// How much memory tenon may take, for the whole process.
#pragma once

#include <cstdint>

namespace tenon {

/// Bytes that the library's tensors and the memory of running sessions may take together; what would exceed
/// them fails with kOutOfMemory before any of it is touched. Mapped files, the structure of models and
/// decoded pictures do not count. At first the memory that the machine and its control groups leave to the
/// process.
uint64_t memory_limit_bytes();
/// 0 brings the first limit back. Memory that is taken already stays.
void set_memory_limit_bytes(uint64_t bytes);

/// Bytes taken at present.
uint64_t memory_used_bytes();

}  // namespace tenon
