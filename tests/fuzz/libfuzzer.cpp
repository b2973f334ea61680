// libFuzzer's entry for one target, TENON_FUZZ_TARGET.
#include <cstdint>

#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const tenon::fuzz::Target* const target = tenon::fuzz::find_target(TENON_FUZZ_TARGET);
  tenon::fuzz::run_limited(*target, std::as_bytes(std::span(data, size)));
  return 0;
}
