#include "tenon/values.h"

#include <complex>

#include "base/guard_memory.h"
#include "base/mapped_file.h"
#include "base/try.h"
#include "formats/detect.h"
#include "formats/npy/npy_file.h"
#include "formats/onnx/value_file.h"
#include "runtime/input_sizes.h"
#include "runtime/session_state.h"
#include "tenon/npy.h"
#include "tensor/element.h"

namespace tenon {

namespace {

constexpr int64_t kMaxRandomBytes = int64_t{1} << 36;

/// splitmix64: a stream of well mixed numbers from any seed.
struct Random {
  uint64_t state;
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
};

uint64_t hash_name(const std::string& name) {  // FNV-1a
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

void fill(Tensor& tensor, Random random) {
  switch (compute_kind(tensor.type())) {
    case ComputeKind::kFloat:
      for (int64_t i = 0; i < tensor.size(); ++i)
        store_element<double>(tensor, i, static_cast<double>(random.next() >> 40) / (1 << 24));
      return;
    case ComputeKind::kComplex:
      for (int64_t i = 0; i < tensor.size(); ++i) {
        double real = static_cast<double>(random.next() >> 40) / (1 << 24);
        double imaginary = static_cast<double>(random.next() >> 40) / (1 << 24);
        store_element<std::complex<double>>(tensor, i, {real, imaginary});
      }
      return;
    case ComputeKind::kString:
      for (int64_t i = 0; i < tensor.size(); ++i)
        tensor.mutable_data<std::string>()[i] = std::to_string(random.next() % 10);
      return;
    default: {
      uint64_t count = tensor.type() == DataType::kBool ? 2 : element_bits(tensor.type()) < 4 ? 2 : 8;
      if (element_bits(tensor.type()) >= 8 && tensor.type() != DataType::kBool) count = 10;
      for (int64_t i = 0; i < tensor.size(); ++i)
        store_element<int64_t>(tensor, i, static_cast<int64_t>((random.next() >> 33) % count));
    }
  }
}

}  // namespace

Result<Value> read_value_file(const std::string& path, const ValueDescription& as) {
  return guard_memory([&]() -> Result<Value> {
    auto file = TENON_TRY(MappedFile::open(path));
    const FileFormat format = detect_format(file->bytes());
    if (format == FileFormat::kNpy) return Value(TENON_TRY(read_npy(path)));
    using Kind = ValueDescription::Kind;
    auto kind = onnx::ValueKind::kTensor;
    if (as.kind == Kind::kSequence) kind = onnx::ValueKind::kSequence;
    if (as.kind == Kind::kOptional) kind = onnx::ValueKind::kOptional;
    if (as.kind == Kind::kMap) kind = onnx::ValueKind::kMap;
    auto read = onnx::read_value(path, kind);
    const bool is_message = format == FileFormat::kUnknown || format == FileFormat::kOnnx;
    if (!read.ok() && !is_message)
      return at_file(
          fail(ErrorCode::kMalformed, "the file is {}, not an array (.npy) or a value of ONNX (.pb)",
               format_name(format)),
          path);
    return std::move(TENON_TRY(std::move(read)).value);
  });
}

Status write_value_file(const std::string& path, const Value& value, const std::string& name) {
  return guard_memory([&] { return onnx::write_value(path, value, name); });
}

struct OutputFiles::Files {
  Status add(AtomicFile file) {
    TENON_TRY(file.finish());  // no more than one of them is open
    list.push_back(std::move(file));
    return {};
  }
  std::vector<AtomicFile> list;
};

OutputFiles::OutputFiles() : files_(std::make_unique<Files>()) {}
OutputFiles::OutputFiles(OutputFiles&&) noexcept = default;
OutputFiles& OutputFiles::operator=(OutputFiles&&) noexcept = default;
OutputFiles::~OutputFiles() = default;

Status OutputFiles::add_value(const std::string& path, const Value& value, const std::string& name) {
  return guard_memory(
      [&]() -> Status { return files_->add(TENON_TRY(onnx::prepare_value(path, value, name))); });
}

Status OutputFiles::add_npz(const std::string& path, const std::vector<NamedValue>& values) {
  return guard_memory([&]() -> Status { return files_->add(TENON_TRY(prepare_npz(path, values))); });
}

Status OutputFiles::commit() {
  return commit_all(files_->list);
}

Result<NamedValue> random_input(const ValueDescription& input, const RandomOptions& options) {
  return guard_memory([&]() -> Result<NamedValue> {
    if (input.kind != ValueDescription::Kind::kTensor || input.element == DataType::kUndefined ||
        !input.shape)
      return fail(ErrorCode::kUsage,
                  "input '{}' ({}) cannot be drawn at random: its type or rank is not fixed", input.name,
                  input.type);
    Shape shape;
    for (size_t d = 0; d < input.shape->size(); ++d) {
      const Dimension& dimension = (*input.shape)[d];
      const int64_t wish = d == 0 && options.batch > 0 ? options.batch : dimension.example;
      if (d == 0 && dimension.size && options.batch > 1 && *dimension.size != options.batch)
        return with_hint(fail(ErrorCode::kUsage,
                              "the model fixes the first dimension of input '{}' ({}), so "
                              "the batch cannot be {}",
                              input.name, input.type, options.batch),
                         "export the model with a dynamic batch");
      shape.push_back(dimension.size.value_or(wish));
    }
    auto counted = element_count(shape);
    if (!counted.ok()) return at_node(std::move(counted.error()), input.name, "");
    const int64_t count = *counted;
    if (count > kMaxRandomBytes / static_cast<int64_t>(element_size(input.element)))
      return fail(ErrorCode::kLimit, "input '{}' would take more than {} GiB", input.name,
                  kMaxRandomBytes >> 30);
    Tensor tensor = Tensor::allocate(input.element, std::move(shape));
    fill(tensor, Random{options.seed * 0x2545f4914f6cdd1du + hash_name(input.name)});
    return NamedValue{input.name, std::move(tensor)};
  });
}

Result<std::vector<NamedValue>> random_inputs(const Session& session, const RandomOptions& options) {
  const TypedModel& model = session.state().engine->original();
  const SymbolSizes sizes = example_sizes(model, options.batch);
  std::vector<NamedValue> values;
  for (size_t i = 0; i < session.inputs().size(); ++i) {
    ValueDescription input = session.inputs()[i];
    if (input.has_default) continue;
    RandomOptions of_input = options;
    for (size_t d = 0; input.shape && d < input.shape->size(); ++d) {
      const SymInt& dimension = (*model.graph.value(model.graph.inputs[i]).type.shape)[d];
      if (dimension.is_constant()) continue;
      (*input.shape)[d].example = sizes.evaluate(dimension).value_or(1);
      if (d == 0) of_input.batch = 0;  // the example has the batch in it
    }
    values.push_back(TENON_TRY(random_input(input, of_input)));
  }
  return values;
}

}  // namespace tenon
