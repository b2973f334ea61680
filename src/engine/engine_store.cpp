#include "engine/engine_store.h"

#include "base/progress.h"
#include "convert/load.h"
#include "engine/build_id.h"
#include "ops/core/emit.h"

namespace tenon {

namespace {

Error changed(std::string_view what) {
  return with_hint(fail(ErrorCode::kMalformed, "the engine file is damaged: {}", what),
                   "build it again from the model");
}

/// Steps in the order in which they are compiled.
void collect(const EngineGraph& graph, EngineRecord& record, EngineParts& parts) {
  for (const Step& step : graph.steps) {
    record.steps.push_back({std::string(step.row), {}, {}});
    parts.packed.push_back(step.packed);
  }
  for (const auto& body : graph.bodies) collect(*body, record, parts);
}

/// Chooses as a file says.
class StoredChoice final : public Choice {
 public:
  explicit StoredChoice(const EngineFile& file) : file_(file), packing_(file) {}

  bool takes(const ops::Region&, const ops::KernelRow& row) override {
    return next_ < file_.record().steps.size() && file_.record().steps[next_].row == row.name;
  }
  kernels::Packing& packing() override {
    packing_.begin(file_.record().steps[next_]);
    return packing_;
  }
  Status done(const Step& step) override {
    const auto& steps = file_.record().steps;
    if (next_ == steps.size()) return changed("it has too few steps");
    if (steps[next_].row != step.row)
      return changed(fmt::format("step {} cannot run by {}", next_, steps[next_].row));
    bool all_there = step.packed.size() == steps[next_].packed.size();
    for (const kernels::PackedFloats& floats : step.packed) all_there = all_there && floats.data() != nullptr;
    if (!all_there) return changed(fmt::format("step {} has other weights", next_));
    ++next_;
    return {};
  }
  bool is_complete() const { return next_ == file_.record().steps.size(); }

 private:
  /// Hands out the weights of a step, in order.
  class StoredPacking final : public kernels::Packing {
   public:
    explicit StoredPacking(const EngineFile& file) : file_(file) {}
    void begin(const StepRecord& step) {
      step_ = &step;
      next_ = 0;
    }
    kernels::PackedFloats pack(size_t floats, FunctionRef<void(float*)>) override {
      if (next_ == step_->packed.size() || step_->packed[next_].floats != floats) return {nullptr, floats};
      return file_.packed(step_->packed[next_++]);
    }

   private:
    const EngineFile& file_;
    const StepRecord* step_ = nullptr;
    size_t next_ = 0;
  };

  const EngineFile& file_;
  StoredPacking packing_;
  size_t next_ = 0;
};

Result<Isa> check_machine(const EngineRecord& record, bool any_cpu) {
  const auto refuse = [](std::string message, std::string hint) {
    return with_hint(fail(ErrorCode::kUnsupported, "{}", message), std::move(hint));
  };
  if (record.build != build_id())
    return refuse(fmt::format("the engine was built by tenon {}, and this is {}", record.build, build_id()),
                  "build it again from the model");
  for (Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
    if (record.isa != isa_name(isa)) continue;
    if (isa > available_isa())
      return refuse(
          fmt::format("the engine needs {}, and this CPU has {}", record.isa, isa_name(available_isa())),
          "build it again on this machine");
    if (record.cpu != cpu_name() && !any_cpu)
      return refuse(
          fmt::format("the engine was tuned for the CPU {}, and this is {}", record.cpu, cpu_name()),
          "build it again on this machine, or allow other CPUs (--any-cpu)");
    return isa;
  }
  return changed(fmt::format("it needs the unknown instructions '{}'", record.isa));
}

}  // namespace

Result<AtomicFile> store_engine(const Engine& engine, const std::string& path,
                                const std::vector<std::vector<StepRecord::Timed>>& timed,
                                const ProgressFunction& progress) {
  EngineRecord record;
  record.build = build_id();
  record.isa = isa_name(engine.options().isa);
  record.cpu = cpu_name();
  record.origin = engine.original().origin;
  record.warnings = engine.original().warnings;
  EngineParts parts;
  collect(engine.main(), record, parts);
  for (size_t s = 0; s < timed.size(); ++s) record.steps[s].timed = timed[s];
  const onnx::Model compiled = TENON_TRY(ops::emit(engine.model(), {}));
  const onnx::Model original = TENON_TRY(ops::emit(engine.original(), {}));
  parts.compiled = &compiled;
  parts.original = &original;
  return write_engine_file(path, std::move(record), parts, progress);
}

Result<std::shared_ptr<const Engine>> open_engine(const EngineFile& file, const OpenEngineOptions& options) {
  EngineOptions engine_options;
  engine_options.isa = TENON_TRY(check_machine(file.record(), options.any_cpu));
  tell(options.progress, "reading the engine");
  auto original = std::make_shared<const TypedModel>(TENON_TRY(load_original(file)));
  TypedModel compiled = TENON_TRY(load_onnx(TENON_TRY(file.compiled())));
  StoredChoice choice(file);
  auto engine = TENON_TRY(
      Engine::compile(std::move(original), std::move(compiled), engine_options, choice, options.progress));
  if (!choice.is_complete()) return changed("it has too many steps");
  return engine;
}

}  // namespace tenon
