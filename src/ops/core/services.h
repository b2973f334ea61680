// The services of a running step in the form that src/kernels takes them.
#pragma once

#include "kernels/services.h"
#include "ops/core/kernel.h"

namespace tenon::ops {

/// Valid as long as the context.
inline kernels::Services kernel_services(KernelContext& context) {
  RunServices* services = &context.services();
  return {[services](int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
            services->parallel_for(count, grain, body);
          },
          [services](size_t bytes) { return services->scratch(bytes); }, services->threads()};
}

}  // namespace tenon::ops
