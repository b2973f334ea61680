#include "engine/layout.h"

#include "base/thread_pool.h"
#include "kernels/layout/blocked.h"
#include "ops/core/services.h"

namespace tenon {

namespace {

using ops::Layout;

kernels::BlockedShape blocked_shape(const StoredAs& stored, const Shape& plain) {
  return {plain[0], stored.channels, plain[2] * plain[3], stored.lanes};
}

void store(const StoredAs& stored, const Tensor& plain, Tensor& to, const kernels::Services& services) {
  kernels::to_blocked(blocked_shape(stored, plain.shape()), plain.data<float>(), to.mutable_data<float>(),
                      services);
}

void restore(const StoredAs& stored, const Tensor& from, Tensor& plain, const kernels::Services& services) {
  kernels::to_plain(blocked_shape(stored, plain.shape()), from.data<float>(), plain.mutable_data<float>(),
                    services);
}

kernels::Services services_for(int threads) {
  return {[threads](int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
            parallel_for(threads, count, grain, body);
          },
          nullptr, threads};
}

class ReorderedKernel final : public ops::Kernel {
 public:
  ReorderedKernel(std::unique_ptr<const ops::Kernel> kernel, std::vector<StoredAs> given,
                  std::vector<StoredAs> taken, ReorderMemory memory)
      : kernel_(std::move(kernel)), given_(std::move(given)), taken_(std::move(taken)), memory_(memory) {}

  Status run(ops::KernelContext& context) const override {
    const kernels::Services services = ops::kernel_services(context);
    InlineVector<Value, 4> reordered(given_.size());
    InlineVector<const Value*, 4> inputs(given_.size());
    for (size_t i = 0; i < given_.size(); ++i) {
      inputs[i] = &context.value(i);
      if (given_[i].layout == taken_[i].layout) continue;
      const Tensor& tensor = context.input(i);
      const bool blocks = taken_[i].layout == Layout::kBlocked;
      Shape shape = blocks ? stored_shape(taken_[i], tensor.shape()) : plain_shape(given_[i], tensor.shape());
      Tensor copy = memory_for(std::move(shape), context, services);
      if (blocks)
        store(taken_[i], tensor, copy, services);
      else
        restore(given_[i], tensor, copy, services);
      reordered[i] = std::move(copy);
      inputs[i] = &reordered[i];
    }
    ops::KernelContext inner = context.with_inputs(inputs);
    return kernel_->run(inner);
  }

 private:
  Tensor memory_for(Shape shape, ops::KernelContext& context, const kernels::Services& services) const {
    if (memory_ == ReorderMemory::kOutput)
      return context.services().allocate_output(0, DataType::kFloat32, std::move(shape));
    if (memory_ == ReorderMemory::kOwn) return Tensor::allocate(DataType::kFloat32, std::move(shape));
    size_t count = 1;
    for (int64_t size : shape) count *= static_cast<size_t>(size);
    std::byte* memory = services.scratch(count * sizeof(float));
    return Tensor::view(DataType::kFloat32, std::move(shape), memory, nullptr);
  }

  std::unique_ptr<const ops::Kernel> kernel_;
  std::vector<StoredAs> given_, taken_;
  ReorderMemory memory_;
};

}  // namespace

bool can_block(const ValueType& type) {
  return type.is_tensor() && type.element == DataType::kFloat32 && type.shape && type.shape->size() == 4 &&
         (*type.shape)[1].constant().has_value();
}

Shape stored_shape(const StoredAs& stored, const Shape& shape) {
  if (stored.layout == Layout::kPlain) return shape;
  return {shape[0], (stored.channels + stored.lanes - 1) / stored.lanes, shape[2], shape[3], stored.lanes};
}

Shape plain_shape(const StoredAs& stored, const Shape& shape) {
  if (stored.layout == Layout::kPlain) return shape;
  return {shape[0], stored.channels, shape[2], shape[3]};
}

Tensor stored_copy(const StoredAs& stored, const Tensor& plain, int threads) {
  if (stored.layout == Layout::kPlain) return plain;
  Tensor copy = Tensor::allocate(DataType::kFloat32, stored_shape(stored, plain.shape()));
  store(stored, plain, copy, services_for(threads));
  return copy;
}

Tensor plain_copy(const StoredAs& stored, const Tensor& from, int threads) {
  if (stored.layout == Layout::kPlain) return from;
  Tensor copy = Tensor::allocate(DataType::kFloat32, plain_shape(stored, from.shape()));
  plain_copy_into(stored, from, copy, threads);
  return copy;
}

void plain_copy_into(const StoredAs& stored, const Tensor& from, Tensor& to, int threads) {
  restore(stored, from, to, services_for(threads));
}

std::unique_ptr<ops::Kernel> reorder_inputs(std::unique_ptr<const ops::Kernel> kernel,
                                            std::vector<StoredAs> given, std::vector<StoredAs> taken,
                                            ReorderMemory memory) {
  return std::make_unique<ReorderedKernel>(std::move(kernel), std::move(given), std::move(taken), memory);
}

}  // namespace tenon
