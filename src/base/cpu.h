// Which vector instructions this machine has, and which of them tenon is allowed to use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tenon {

/// Levels in ascending order; each includes the ones before it.
enum class Isa : uint8_t {
  kPortable,  ///< What the compiler may assume of every x86-64 (or of another architecture).
  kAvx2,      ///< AVX2 and FMA.
  kAvx512,    ///< AVX-512 F, BW, CD, DQ, VL.
};

std::string_view isa_name(Isa isa);
/// The highest level that the CPU and the environment variable TENON_ISA (portable, avx2, avx512) both allow.
/// Read once; an unknown name in TENON_ISA is ignored.
Isa available_isa();
/// Vendor, family and model of this CPU: "AuthenticAMD family 25 model 17". Kernels that were timed on one
/// may not be the fastest on another.
const std::string& cpu_name();
/// Size of the second-level cache of one core; a common size where the system does not say.
int64_t second_cache_bytes();

}  // namespace tenon
