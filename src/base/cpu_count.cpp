// usable_cpu_count: the CPUs that affinity and control groups leave to this process.
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "base/control_groups.h"
#include "base/thread_pool.h"

namespace tenon {

namespace {

int affinity_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(CPU_COUNT(&set), 1);
  return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
}

/// The quota of one control group as a number of CPUs, or 0 when it has none. `folder` ends without a slash.
double group_quota(const std::string& folder) {
  double quota = 0;
  double period = 0;
  if (std::ifstream file(folder + "/cpu.max"); file) {  // version 2: "200000 100000" or "max 100000"
    std::string first;
    if (file >> first >> period && first != "max") quota = std::strtod(first.c_str(), nullptr);
  } else if (std::ifstream quota_file(folder + "/cpu.cfs_quota_us"); quota_file) {  // version 1
    std::ifstream period_file(folder + "/cpu.cfs_period_us");
    if (!(quota_file >> quota && period_file >> period)) return 0;
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

double cgroup_quota() {
  double least = 0;
  visit_control_groups("cpu", [&](const std::string& folder) {
    const double quota = group_quota(folder);
    if (quota > 0) least = least > 0 ? std::min(least, quota) : quota;
  });
  return least;
}

}  // namespace

int usable_cpu_count() {
  int cpus = affinity_count();
  double quota = cgroup_quota();
  if (quota > 0 && quota < cpus) cpus = std::max(1, static_cast<int>(quota + 0.999));
  return cpus;
}

}  // namespace tenon
