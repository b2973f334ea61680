#include "base/cpu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::string_view kNames[] = {"portable", "avx2", "avx512"};

Isa detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::kPortable;
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vl");
  return avx512 ? Isa::kAvx512 : Isa::kAvx2;
#else
  return Isa::kPortable;
#endif
}

Isa choose() {
  Isa best = detect();
  if (const char* wish = std::getenv("TENON_ISA")) {
    for (uint8_t i = 0; i < 3; ++i)
      if (kNames[i] == wish) best = std::min(best, Isa{i});
  }
  return best;
}

std::string read_name() {
#if defined(__x86_64__)
  unsigned highest = 0, registers[3] = {}, signature = 0, unused = 0;
  // The vendor's twelve letters come in the order ebx, edx, ecx.
  if (__get_cpuid(0, &highest, &registers[0], &registers[2], &registers[1]) == 0) return "unknown";
  char vendor[sizeof(registers) + 1] = {};
  std::memcpy(vendor, registers, sizeof(registers));
  __get_cpuid(1, &signature, &unused, &unused, &unused);
  unsigned family = signature >> 8 & 15, model = signature >> 4 & 15;
  if (family == 6 || family == 15) model += (signature >> 16 & 15) << 4;
  if (family == 15) family += signature >> 20 & 255;
  return fmt::format("{} family {} model {}", vendor, family, model);
#else
  return "unknown";
#endif
}

int64_t read_second_cache_bytes() {
  constexpr int64_t kLeast = int64_t{256} << 10, kCommon = int64_t{1} << 20, kMost = int64_t{4} << 20;
#ifdef _SC_LEVEL2_CACHE_SIZE
  const int64_t bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#else
  const int64_t bytes = 0;
#endif
  return bytes <= 0 ? kCommon : std::clamp(bytes, kLeast, kMost);
}

}  // namespace

int64_t second_cache_bytes() {
  static const int64_t bytes = read_second_cache_bytes();
  return bytes;
}

const std::string& cpu_name() {
  static const std::string name = read_name();
  return name;
}

std::string_view isa_name(Isa isa) {
  return kNames[static_cast<size_t>(isa)];
}

Isa available_isa() {
  static const Isa isa = choose();
  return isa;
}

}  // namespace tenon
