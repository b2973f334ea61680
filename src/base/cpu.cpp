#include "base/cpu.h"

#include <algorithm>
#include <cstdlib>

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

}  // namespace

std::string_view isa_name(Isa isa) {
  return kNames[static_cast<size_t>(isa)];
}

Isa available_isa() {
  static const Isa isa = choose();
  return isa;
}

}  // namespace tenon
