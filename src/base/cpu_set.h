// Which CPUs the threads of a job run on. A scheduler may leave two of them on one CPU while another is idle,
// for as long as they run; then they share its time, and each waits for the other.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tenon {

/// The CPU that the thread runs on; -1 when that cannot be known.
int current_cpu();

/// A set of CPUs that threads add to at the same time.
class CpuSet {
 public:
  static constexpr int kMaxCpus = 1024;

  void clear();
  /// Adds a CPU; false when it is there already, or its number is not below kMaxCpus.
  bool add(int cpu);
  bool contains(int cpu) const;

 private:
  std::array<std::atomic<uint64_t>, kMaxCpus / 64> bits_{};
};

/// Moves the thread to a CPU that it may use and that is not in the set; false, and nothing done, when there
/// is none. Which CPUs it may use stays as it is: the scheduler can move it again.
bool move_to_other_cpu(const CpuSet& taken);

}  // namespace tenon
