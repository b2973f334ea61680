// Session: a model made ready to run. Opened once, then run any number of times, from any number of threads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tenon/error.h"
#include "tenon/progress.h"
#include "tenon/tensor.h"

namespace tenon {

struct SessionOptions {
  /// Threads that one run may use; 0: as many as the process has CPUs (affinity and control groups counted).
  /// Results have the same bits for any number.
  int threads = 0;
  /// Names of passes that shall not run ("tenon inspect --passes" lists them); "all" for none at all.
  std::vector<std::string> disabled_passes;
  /// Run everything by the plain reference operators: slow, and the measure for everything else.
  bool references_only = false;
  /// Beginnings of kernels' names ("conv_winograd2"): such a kernel takes every step that it can, whether it
  /// is expected to be the fastest or not. "tenon inspect --why" shows names.
  std::vector<std::string> preferred_kernels;
  /// The architecture that the weights of a state dict belong to ("resnet18"); other files hold their own.
  std::string arch;
  /// Open an engine that was tuned on another CPU of the same instruction set: right, and perhaps slower.
  bool any_cpu = false;
  ProgressFunction progress;  ///< Told of reading the file and making it ready to run.
};

/// One dimension of a declared shape.
struct Dimension {
  std::optional<int64_t> size;  ///< Set when the model fixes it.
  std::string text;             ///< "224", "batch", "2*n + 1"; "?" when nothing is known.
  /// Of an input: the bounds that an exported PyTorch program has for an open dimension.
  std::optional<int64_t> min, max;
  /// Of an input: a small size that a run takes. Those of all inputs fit together.
  int64_t example = 1;
};

/// What is known of a value before a run.
struct ValueDescription {
  enum class Kind : uint8_t { kUnknown, kTensor, kSequence, kOptional, kMap };
  std::string name;
  Kind kind = Kind::kUnknown;
  std::string type;                             ///< "float32[batch,3,224,224]", "seq(float32[?])"
  DataType element = DataType::kUndefined;      ///< Of a tensor.
  std::optional<std::vector<Dimension>> shape;  ///< Of a tensor whose rank is known.
  bool has_default = false;                     ///< An input that may be left out.
  /// The value lies inside a fused step, or was optimised away: asking for it makes a run compute it once
  /// more, by the reference operators.
  bool recomputed = false;
};

/// What one step of a run took.
struct StepTime {
  std::string_view node;  ///< The node that gave the step its kernel; valid as long as the session.
  std::string_view op;
  std::string_view kernel;  ///< The kernel row that ran, or "reference".
  double time_ms = 0;
};

/// Settings and state of a single run, apart from the session that threads share.
class RunContext {
 public:
  /// The run ends with kCancelled soon after this moment.
  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }
  std::optional<std::chrono::steady_clock::time_point> deadline() const { return deadline_; }
  /// Makes the run end with kCancelled; may be called from another thread.
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  /// Where operators that draw random numbers, and were given no seed by the model, start from.
  void set_random_seed(uint64_t seed) { random_seed_ = seed; }
  uint64_t random_seed() const { return random_seed_; }
  /// Fills `profile()` with the time of each step.
  void enable_profile() { profiling_ = true; }
  bool profiling() const { return profiling_; }
  std::vector<StepTime>& profile() { return profile_; }
  /// Is told of each step.
  void set_progress(ProgressFunction progress) { progress_ = std::move(progress); }
  const ProgressFunction& progress() const { return progress_; }

 private:
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::atomic<bool> cancelled_{false};
  uint64_t random_seed_ = 0;
  bool profiling_ = false;
  std::vector<StepTime> profile_;
  ProgressFunction progress_;
};

/// Bytes that a session needs.
struct MemoryReport {
  uint64_t weight_bytes = 0;  ///< Constants as the model holds them, mapped from its file where possible.
  uint64_t packed_bytes = 0;  ///< Constants that kernels keep in a layout of their own.
  /// Activations of one run by the plan for the inputs last seen (or the declared ones, when they are fixed);
  /// values whose size depends on data come on top. 0 when nothing has been planned yet.
  uint64_t activation_bytes = 0;
};

class Session {
 public:
  /// Opens a file, told apart by its content: an engine, .onnx, .pt2, or with `arch` a state dict. Passes and
  /// references belong to building, so the options about them are kUsage for an engine. Errors name the file,
  /// and the node and operator at fault.
  static Result<std::shared_ptr<Session>> open(const std::string& path, const SessionOptions& options = {});

  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::vector<ValueDescription>& inputs() const;
  const std::vector<ValueDescription>& outputs() const;
  /// Every value that a run can be asked for: inputs, outputs, constants and intermediate values, sorted by
  /// name.
  std::vector<ValueDescription> values() const;
  /// The value of that name, or nullopt.
  std::optional<ValueDescription> find_value(std::string_view name) const;

  /// Runs the model. `inputs` holds each input once, in any order; those with a default may be left out.
  /// Returns the values named in `outputs` in that order, a name as often as it was asked for, or the model's
  /// outputs when `outputs` is empty. Which values are asked for does not change the bits of the others.
  /// Outputs may share memory with inputs or with the session, which then stays alive as long as they.
  /// Errors: kUsage for unknown, missing or repeated names, kMismatch for types and shapes, kCancelled.
  Result<std::vector<NamedValue>> run(const std::vector<NamedValue>& inputs,
                                      const std::vector<std::string>& outputs = {},
                                      RunContext* context = nullptr) const;

  /// The same into values of the caller: each output names a value, and one that holds a tensor of that
  /// value's type and shape has its elements written (no input, and nothing that reads while the run goes on,
  /// shares its memory). Others become new values. When the outputs are the model's, all in order, all
  /// tensors are given, and every step has a fast kernel, a run allocates no memory from the second one on.
  Status run_into(std::span<const NamedValue> inputs, std::span<NamedValue> outputs,
                  RunContext* context = nullptr) const;

  int threads() const;
  MemoryReport memory() const;
  /// Things about the model that a user should know, each one sentence.
  const std::vector<std::string>& warnings() const;

  /// For the library's own parts, which make sessions from models in memory.
  struct State;
  explicit Session(std::unique_ptr<State> state);
  const State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tenon
