#include "align/sample.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/near_names.h"
#include "tenon/npy.h"
#include "tenon/values.h"

namespace tenon {

namespace {

constexpr size_t kMaxSamples = 1'000'000;

/// "12/NAME" as 12 and NAME.
std::optional<std::pair<size_t, std::string>> split_key(const std::string& key) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
  if (error != std::errc() || end == key.data() + key.size() || *end != '/') return std::nullopt;
  return std::pair(number, std::string(end + 1));
}

Result<std::vector<Sample>> sorted_into_samples(std::vector<NamedValue> arrays) {
  std::vector<Sample> samples;
  const bool numbered = !arrays.empty() && std::ranges::all_of(arrays, [](const NamedValue& array) {
    return split_key(array.name).has_value();
  });
  if (!numbered) {
    samples.push_back(std::move(arrays));
    return samples;
  }
  for (NamedValue& array : arrays) {
    auto [number, name] = *split_key(array.name);
    if (number >= std::min(arrays.size(), kMaxSamples))
      return fail(ErrorCode::kMalformed, "array '{}' is of sample {}, and there are {} arrays in all",
                  array.name, number, arrays.size());
    if (number >= samples.size()) samples.resize(number + 1);
    samples[number].push_back({std::move(name), std::move(array.value)});
  }
  for (size_t k = 0; k < samples.size(); ++k) {
    if (samples[k].size() != samples[0].size())
      return fail(ErrorCode::kMalformed, "sample {} holds {} arrays, and sample 0 holds {}", k,
                  samples[k].size(), samples[0].size());
    for (const NamedValue& array : samples[k])
      if (alignment::find(samples[0], array.name) == nullptr)
        return fail(ErrorCode::kMalformed, "sample {} holds an array '{}', and sample 0 does not", k,
                    array.name);
  }
  return samples;
}

}  // namespace

Result<std::vector<Sample>> read_samples(const std::string& path) {
  auto arrays = TENON_TRY(read_npz(path));
  if (arrays.empty()) return at_file(fail(ErrorCode::kMalformed, "the archive holds no arrays"), path);
  auto samples = sorted_into_samples(std::move(arrays));
  if (!samples.ok()) return at_file(std::move(samples.error()), path);
  return samples;
}

namespace alignment {

const Value* find(const Sample& sample, std::string_view name) {
  for (const NamedValue& item : sample)
    if (item.name == name) return &item.value;
  return nullptr;
}

std::vector<int> match_names(const std::vector<std::string>& wanted, const std::vector<std::string>& given) {
  std::vector<int> match(wanted.size(), -1);
  std::vector<bool> used(given.size(), false);
  for (size_t i = 0; i < wanted.size(); ++i) {
    for (size_t j = 0; j < given.size() && match[i] < 0; ++j) {
      if (used[j] || given[j] != wanted[i]) continue;
      match[i] = static_cast<int>(j);
      used[j] = true;
    }
  }
  size_t next = 0;
  for (int& index : match) {
    if (index >= 0) continue;
    while (next < given.size() && used[next]) ++next;
    if (next < given.size()) index = static_cast<int>(next++);
  }
  return match;
}

Result<Sample> renamed(const Sample& given, const std::vector<std::string>& wanted) {
  if (given.size() != wanted.size())
    return fail(ErrorCode::kNotComparable, "the model takes {} inputs ({}), and the other side gives {}",
                wanted.size(), fmt::join(wanted, ", "), given.size());
  std::vector<std::string> names;
  for (const NamedValue& item : given) names.push_back(item.name);
  Sample result;
  const std::vector<int> match = match_names(wanted, names);
  for (size_t i = 0; i < wanted.size(); ++i)
    result.push_back({wanted[i], given[static_cast<size_t>(match[i])].value});
  return result;
}

Result<Recorded> split_recorded(const Sample& sample, const std::vector<std::string>& inputs,
                                const std::vector<std::string>& outputs) {
  Recorded result;
  if (std::ranges::all_of(inputs, [&](const auto& name) { return find(sample, name) != nullptr; })) {
    for (const NamedValue& item : sample)
      (std::ranges::count(inputs, item.name) != 0 ? result.inputs : result.outputs).push_back(item);
    return result;
  }
  for (const NamedValue& item : sample) {
    const bool named_output = std::ranges::count(outputs, item.name) != 0;
    (result.inputs.size() < inputs.size() && !named_output ? result.inputs : result.outputs).push_back(item);
  }
  if (result.inputs.size() < inputs.size())
    return with_hint(fail(ErrorCode::kNotComparable,
                          "the recording holds {} arrays besides outputs, and the model takes {} inputs ({})",
                          result.inputs.size(), inputs.size(), fmt::join(inputs, ", ")),
                     "record inputs and outputs together, inputs first or under the model's names");
  result.inputs = TENON_TRY(renamed(result.inputs, inputs));
  return result;
}

namespace {

/// The description with the sizes asked for in place of open dimensions. A size also holds for every other
/// dimension of the same name.
Status fix_shapes(std::vector<ValueDescription>& inputs, const AlignOptions& options) {
  std::map<std::string, int64_t> symbols;
  for (const auto& [name, shape] : options.input_shapes) {
    auto input = std::ranges::find(inputs, name, &ValueDescription::name);
    if (input == inputs.end()) {
      std::vector<std::string> names;
      for (const ValueDescription& other : inputs) names.push_back(other.name);
      return with_hint(fail(ErrorCode::kUsage, "the model has no input '{}'", name),
                       near_names_hint(name, names));
    }
    if (input->shape && input->shape->size() != shape.size())
      return fail(ErrorCode::kUsage, "input '{}' is {}, which the shape {} does not fit", name, input->type,
                  to_string(shape));
    if (!input->shape) input->shape.emplace(shape.size());
    for (size_t d = 0; d < shape.size(); ++d) {
      Dimension& dimension = (*input->shape)[d];
      if (dimension.size && *dimension.size != shape[d])
        return fail(ErrorCode::kUsage, "dimension {} of input '{}' is {}, not {}", d, name, *dimension.size,
                    shape[d]);
      if (!dimension.size && dimension.text != "?") symbols[dimension.text] = shape[d];
      dimension.size = shape[d];
    }
  }
  for (ValueDescription& input : inputs)
    if (input.shape)
      for (Dimension& dimension : *input.shape)
        if (auto known = symbols.find(dimension.text); !dimension.size && known != symbols.end())
          dimension.size = known->second;
  return {};
}

}  // namespace

Result<std::vector<Sample>> make_samples(const std::vector<ValueDescription>& descriptions,
                                         const AlignOptions& options) {
  std::vector<ValueDescription> inputs;
  for (const ValueDescription& input : descriptions)
    if (!input.has_default) inputs.push_back(input);
  TENON_TRY(fix_shapes(inputs, options));
  for (const Sample& sample : options.inputs)
    for (const NamedValue& given : sample)
      if (std::ranges::count(descriptions, given.name, &ValueDescription::name) == 0) {
        std::vector<std::string> names;
        for (const ValueDescription& other : descriptions) names.push_back(other.name);
        return with_hint(fail(ErrorCode::kUsage, "the model has no input '{}'", given.name),
                         near_names_hint(given.name, names));
      }
  std::vector<Sample> samples;
  const size_t count = options.inputs.empty() ? static_cast<size_t>(options.samples) : options.inputs.size();
  for (size_t k = 0; k < count; ++k) {
    Sample sample = options.inputs.empty() ? Sample() : options.inputs[k];
    RandomOptions random;
    random.seed = options.seed + 0x9e3779b97f4a7c15u * k;
    for (const ValueDescription& input : inputs)
      if (find(sample, input.name) == nullptr) sample.push_back(TENON_TRY(random_input(input, random)));
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace alignment

}  // namespace tenon
