#include "align/pair.h"

#include <algorithm>

namespace tenon::alignment {

namespace {

std::vector<std::string> names_of(const std::vector<ValueDescription>& values) {
  std::vector<std::string> names;
  for (const ValueDescription& value : values)
    if (!value.has_default) names.push_back(value.name);
  return names;
}

/// A recording as a side; its inputs go to `samples`, under the names of the other side.
Result<std::unique_ptr<Side>> open_recording(const std::string& file, const Side* other,
                                             std::vector<Sample>& samples) {
  if (other != nullptr && !other->model())
    return fail(ErrorCode::kUnsupported,
                "tenon cannot read the other side's model, so it cannot tell the inputs of a "
                "recording from its outputs");
  std::vector<Sample> recorded = TENON_TRY(read_samples(file));
  const std::vector<std::string> inputs = other ? names_of(other->inputs()) : std::vector<std::string>();
  const std::vector<std::string> outputs = other ? other->output_names() : inputs;
  std::vector<Sample> results;
  for (const Sample& sample : recorded) {
    Recorded parts = TENON_TRY(split_recorded(sample, inputs, outputs));
    if (parts.outputs.empty())
      return fail(ErrorCode::kNotComparable, "the recording holds inputs and no outputs");
    samples.push_back(std::move(parts.inputs));
    results.push_back(std::move(parts.outputs));
  }
  return recorded_side(std::move(results));
}

/// The options with names of the other side's inputs replaced by those that the described side has for them.
AlignOptions translated(AlignOptions options, const Side& described, const Side& other) {
  const std::vector<std::string> ours = names_of(described.inputs()), theirs = names_of(other.inputs());
  const std::vector<int> match = match_names(ours, theirs);
  auto translate = [&](const std::string& name) {
    if (std::ranges::count(ours, name) != 0) return name;
    for (size_t i = 0; i < ours.size(); ++i)
      if (match[i] >= 0 && theirs[static_cast<size_t>(match[i])] == name) return ours[i];
    return name;
  };
  for (Sample& sample : options.inputs)
    for (NamedValue& value : sample) value.name = translate(value.name);
  std::map<std::string, std::vector<int64_t>> shapes;
  for (auto& [name, shape] : options.input_shapes) shapes[translate(name)] = std::move(shape);
  options.input_shapes = std::move(shapes);
  return options;
}

}  // namespace

Result<Pair> open_pair(const std::string& reference, const std::string& candidate,
                       const AlignOptions& options) {
  using Kind = SideName::Kind;
  const SideName reference_name = parse_side(reference), candidate_name = parse_side(candidate);
  Pair pair;
  auto open = [&](const std::string& given, Role role) {
    auto side = open_side(given, role, options);
    return side.ok() ? std::move(side) : at_file(std::move(side.error()), given);
  };
  // Models first: they say which arrays of a recording are inputs.
  if (candidate_name.kind != Kind::kRecorded) pair.candidate = TENON_TRY(open(candidate, Role::kCandidate));
  if (reference_name.kind != Kind::kRecorded) pair.reference = TENON_TRY(open(reference, Role::kReference));
  auto record = [&](const SideName& name, const std::string& given, const Side* other) {
    pair.samples.clear();
    auto side = open_recording(name.file, other, pair.samples);
    return side.ok() ? std::move(side) : at_file(std::move(side.error()), given);
  };
  if (candidate_name.kind == Kind::kRecorded)
    pair.candidate = TENON_TRY(record(candidate_name, candidate, pair.reference.get()));
  if (reference_name.kind == Kind::kRecorded) {
    const size_t before = pair.samples.size();
    const bool twice = candidate_name.kind == Kind::kRecorded;
    pair.reference = TENON_TRY(record(reference_name, reference, twice ? nullptr : pair.candidate.get()));
    if (twice && pair.samples.size() != before)
      return at_file(fail(ErrorCode::kNotComparable, "the recording holds {} samples, and the other one {}",
                          pair.samples.size(), before),
                     reference);
  }
  const bool recorded = reference_name.kind == Kind::kRecorded || candidate_name.kind == Kind::kRecorded;
  if (recorded && !options.inputs.empty())
    return fail(ErrorCode::kUsage, "inputs cannot be given, since a recording brings its own");
  pair.inputs = recorded ? "recorded" : options.inputs.empty() ? "random" : "given";
  if (recorded) return pair;
  const Side& described = pair.candidate->model() ? *pair.candidate : *pair.reference;
  if (!described.model())
    return at_file(
        fail(ErrorCode::kUnsupported, "tenon can read neither model, so it knows no inputs to draw"),
        candidate);
  const Side& other = &described == pair.candidate.get() ? *pair.reference : *pair.candidate;
  auto samples = make_samples(described.inputs(), translated(options, described, other));
  if (!samples.ok()) return at_file(std::move(samples.error()), candidate);
  pair.samples = std::move(*samples);
  return pair;
}

Result<std::vector<Sample>> samples_for(const Side& side, const std::vector<Sample>& samples) {
  if (side.inputs().empty()) return samples;
  std::vector<Sample> result;
  const std::vector<std::string> all = names_of(side.inputs());
  for (const Sample& sample : samples) {
    const bool by_name = std::ranges::all_of(sample, [&](const NamedValue& value) {
      return std::ranges::count(side.inputs(), value.name, &ValueDescription::name) != 0;
    });
    result.push_back(by_name ? sample : TENON_TRY(renamed(sample, all)));
  }
  return result;
}

}  // namespace tenon::alignment
