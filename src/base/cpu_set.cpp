#include "base/cpu_set.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace tenon {

void CpuSet::clear() {
  for (auto& word : bits_) word.store(0, std::memory_order_relaxed);
}

bool CpuSet::add(int cpu) {
  if (cpu < 0 || cpu >= kMaxCpus) return false;
  const uint64_t bit = uint64_t{1} << (cpu % 64);
  return (bits_[static_cast<size_t>(cpu / 64)].fetch_or(bit, std::memory_order_relaxed) & bit) == 0;
}

bool CpuSet::contains(int cpu) const {
  if (cpu < 0 || cpu >= kMaxCpus) return false;
  return (bits_[static_cast<size_t>(cpu / 64)].load(std::memory_order_relaxed) >> (cpu % 64) & 1) != 0;
}

#if defined(__linux__)

int current_cpu() {
  return sched_getcpu();
}

bool move_to_other_cpu(const CpuSet& taken) {
  static_assert(CpuSet::kMaxCpus == CPU_SETSIZE);
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
  cpu_set_t others;
  CPU_ZERO(&others);
  for (int cpu = 0; cpu < CpuSet::kMaxCpus; ++cpu)
    if (CPU_ISSET(cpu, &allowed) && !taken.contains(cpu)) CPU_SET(cpu, &others);
  if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return false;
  sched_setaffinity(0, sizeof allowed, &allowed);
  return true;
}

#else

int current_cpu() {
  return -1;
}

bool move_to_other_cpu(const CpuSet&) {
  return false;
}

#endif

}  // namespace tenon
