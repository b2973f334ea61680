#include "align/python_side.h"

#include <simdjson.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "base/process.h"
#include "convert/load.h"
#include "formats/detect.h"
#include "tenon/npy.h"

namespace tenon::alignment {

namespace {

using namespace std::chrono_literals;

constexpr auto kProbeTime = 30s;
constexpr auto kRunTime = 1800s;

constexpr std::string_view kWorker =
#include "align/python_worker.inc"
    ;

const char* module_of(Package package) {
  return package == Package::kTorch ? "torch" : "onnxruntime";
}
const char* title_of(Package package) {
  return package == Package::kTorch ? "PyTorch" : "ONNX Runtime";
}

bool has_package(const std::string& python, Package package) {
  constexpr const char* kProbe =
      "import importlib.util as u, sys; sys.exit(0 if u.find_spec(sys.argv[1]) and u.find_spec('numpy') else "
      "4)";
  auto probed = run_process({python, "-c", kProbe, module_of(package)}, kProbeTime);
  return probed.ok() && !probed->timed_out && probed->status == 0;
}

/// The line that says what went wrong: the worker's own, or the last one.
std::string reason(const std::string& output) {
  constexpr std::string_view kMark = "tenon-error: ";
  std::string_view text = output;
  if (const size_t mark = text.rfind(kMark); mark != std::string_view::npos) {
    text.remove_prefix(mark + kMark.size());
    return std::string(text.substr(0, text.find('\n')));
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  const size_t line = text.rfind('\n');
  return std::string(line == std::string_view::npos ? text : text.substr(line + 1));
}

class PythonSide final : public Side {
 public:
  PythonSide(std::string file, std::string python, Package package, const AlignOptions& options)
      : file_(std::move(file)),
        python_(std::move(python)),
        package_(package),
        threads_(options.threads),
        progress_(options.progress) {
    LoadOptions load;
    load.arch = options.arch;
    load.progress = options.progress;
    auto model = load_model(file_, load);
    if (model.ok()) describe_model(std::make_shared<const TypedModel>(std::move(*model)));
  }

  std::string runner() const override { return runner_; }
  bool is_foreign() const override { return true; }

  Status prepare(const std::vector<Sample>& samples) override {
    samples_ = samples;
    Answer answer = TENON_TRY(ask(samples, -1));
    runner_ = std::move(answer.runner);
    if (answer.names.size() != output_names_.size()) output_names_ = answer.names;
    for (Sample& outputs : answer.outputs) {
      for (size_t i = 0; i < outputs.size(); ++i) outputs[i].name = output_names_[i];
      outputs_.push_back(std::move(outputs));
    }
    return {};
  }

  Result<Sample> run(size_t k, const Sample&) override { return outputs_[k]; }

  Result<Sample> taps(size_t k) override {
    if (package_ != Package::kTorch) return Sample();
    return std::move(TENON_TRY(ask({samples_[k]}, 0)).taps);
  }

 private:
  struct Answer {
    std::string runner;
    std::vector<std::string> names;
    std::vector<Sample> outputs;
    Sample taps;
  };

  Result<std::string> kind() const {
    if (package_ == Package::kOnnxRuntime) return std::string("onnxruntime");
    auto mapped = TENON_TRY(MappedFile::open(file_));
    return std::string(detect_format(mapped->bytes()) == FileFormat::kTorchScript ? "torchscript" : "torch");
  }

  Result<Answer> ask(const std::vector<Sample>& samples, int taps) const {
    auto folder = TENON_TRY(TemporaryFolder::create());
    nlohmann::json request = {
        {"kind", TENON_TRY(kind())}, {"model", std::filesystem::absolute(file_).string()},
        {"samples", samples.size()}, {"inputs", nlohmann::json::array()},
        {"threads", threads_},       {"taps", taps}};
    for (const NamedValue& input : samples[0]) request["inputs"].push_back(input.name);
    std::vector<NamedValue> arrays;
    for (size_t k = 0; k < samples.size(); ++k)
      for (size_t i = 0; i < samples[k].size(); ++i)
        arrays.push_back({fmt::format("{}/{}", k, i), samples[k][i].value});
    TENON_TRY(write_file(folder.path("request.json"),
                         request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
    TENON_TRY(write_file(folder.path("worker.py"), kWorker));
    if (!arrays.empty()) TENON_TRY(write_npz(folder.path("in.npz"), arrays));
    if (progress_) progress_(fmt::format("running {}", title_of(package_)), 0, 0);
    auto done = TENON_TRY(
        run_process({python_, "-B", "-W", "ignore", folder.path("worker.py"), folder.path("")}, kRunTime));
    if (done.timed_out)
      return fail(ErrorCode::kLimit, "{} took longer than {} seconds", title_of(package_), kRunTime.count());
    if (done.status != 0)
      return fail(ErrorCode::kUnsupported, "{} could not run it: {}", title_of(package_),
                  reason(done.output));
    return read_answer(folder, samples.size());
  }

  Result<Answer> read_answer(const TemporaryFolder& folder, size_t samples) const {
    Answer answer;
    const std::string text = TENON_TRY(read_small_file(folder.path("answer.json")));
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    std::string_view runner;
    simdjson::dom::array names;
    if (parser.parse(text).get(root) != simdjson::SUCCESS ||
        root["runner"].get(runner) != simdjson::SUCCESS || root["outputs"].get(names) != simdjson::SUCCESS)
      return fail(ErrorCode::kInternal, "{} left no proper answer", title_of(package_));
    answer.runner = runner;
    for (simdjson::dom::element name : names) {
      std::string_view name_text;
      if (name.get(name_text) == simdjson::SUCCESS) answer.names.emplace_back(name_text);
    }
    if (!answer.names.empty()) answer.outputs = TENON_TRY(read_samples(folder.path("out.npz")));
    if (answer.outputs.size() != samples)
      return fail(ErrorCode::kNotComparable, "{} gave no outputs", title_of(package_));
    answer.taps = TENON_TRY(read_npz(folder.path("taps.npz")));
    return answer;
  }

  std::string file_, python_;
  Package package_;
  int threads_;
  ProgressFunction progress_;
  std::string runner_;
  std::vector<Sample> samples_, outputs_;
};

}  // namespace

Result<std::string> find_python(const std::string& wanted, Package package) {
  std::vector<std::string> tried;
  auto is_right = [&](const std::string& name) {
    const std::string path = find_program(name);
    tried.push_back(name);
    return !path.empty() && has_package(path, package) ? path : std::string();
  };
  std::vector<std::string> names = {wanted};
  if (wanted.empty()) {
    names.clear();
    if (const char* named = std::getenv("TENON_PYTHON"); named != nullptr && *named != '\0')
      names.emplace_back(named);
    if (const char* active = std::getenv("VIRTUAL_ENV"); active != nullptr && *active != '\0')
      names.push_back(std::string(active) + "/bin/python");
    names.emplace_back("python3");
  }
  if (wanted != "none")
    for (const std::string& name : names)
      if (std::string path = is_right(name); !path.empty()) return path;
  return with_hint(
      fail(ErrorCode::kUnavailable, "no Python with {} was found{}", title_of(package),
           tried.empty() ? "" : fmt::format(" (tried {})", fmt::join(tried, ", "))),
      fmt::format("activate the environment that has {} and numpy, or name its Python with --python",
                  module_of(package)));
}

Result<std::unique_ptr<Side>> python_side(const std::string& file, const std::string& python, Package package,
                                          const AlignOptions& options) {
  TENON_TRY(MappedFile::open(file));
  return std::unique_ptr<Side>(std::make_unique<PythonSide>(file, python, package, options));
}

}  // namespace tenon::alignment
