// Prints the limits of this machine as JSON: tenon_machine_limits THREADS...
#include <charconv>
#include <cstdio>
#include <string_view>

#include "kernels/limits/machine.h"

int main(int argc, char** argv) {
  using namespace tenon;
  using namespace tenon::kernels;
  const Isa isa = available_isa();
  std::printf("{\"limits\": [");
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    int threads = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
    if (error != std::errc() || end != text.data() + text.size() || threads < 1) {
      std::fprintf(stderr, "usage: tenon_machine_limits THREADS...\n");
      return 2;
    }
    std::printf(R"(%s{"threads": %d, "isa": "%s", "fma_gflops": %.1f, "read_gbps": %.1f})", i > 1 ? ", " : "",
                threads, isa_name(isa).data(), fma_peak_gflops(isa, threads), read_bandwidth_gbps(threads));
  }
  std::printf("]}\n");
  return 0;
}
