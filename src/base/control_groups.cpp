#include "base/control_groups.h"

#include <fstream>

namespace tenon {

namespace {

void visit_upwards(const std::string& mount, std::string group,
                   FunctionRef<void(const std::string& folder)> visit) {
  for (;;) {
    visit(mount + group);
    const size_t slash = group.rfind('/');
    if (group.empty() || slash == std::string::npos) return;
    group.resize(slash);
  }
}

}  // namespace

void visit_control_groups(std::string_view controller, FunctionRef<void(const std::string& folder)> visit) {
  std::ifstream file("/proc/self/cgroup");
  const std::string name(controller);
  for (std::string line; std::getline(file, line);) {  // "0::/a/b" or "4:cpu,cpuacct:/a/b"
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string group = line.substr(second + 1);
    if (controllers == ",,")
      visit_upwards("/sys/fs/cgroup", std::move(group), visit);
    else if (controllers.find("," + name + ",") != std::string::npos)
      visit_upwards("/sys/fs/cgroup/" + name, std::move(group), visit);
  }
}

}  // namespace tenon
