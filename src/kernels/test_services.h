// Services for tests of kernels: the real thread pool, and scratch memory that lasts as long as the object.
#pragma once

#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/services.h"

namespace tenon::kernels {

class TestServices {
 public:
  explicit TestServices(int threads) {
    services_.parallel_for = [threads](int64_t count, int64_t grain,
                                       FunctionRef<void(int64_t, int64_t)> body) {
      tenon::parallel_for(threads, count, grain, body);
    };
    services_.threads = threads;
    services_.scratch = [this](size_t bytes) {
      std::lock_guard lock(mutex_);
      auto* memory = static_cast<std::byte*>(::operator new(bytes, kAlignment));
      memory_.emplace_back(memory, [](std::byte* p) { ::operator delete(p, kAlignment); });
      return memory;
    };
  }
  const Services& get() const { return services_; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  Services services_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<std::byte>> memory_;
};

}  // namespace tenon::kernels
