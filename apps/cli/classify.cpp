// tenon classify MODEL IMAGE...: pictures to labels.
#include "tenon/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "commands.h"
#include "progress.h"
#include "tenon/image.h"
#include "tenon/session.h"
#include "terminal.h"
#include "text.h"

namespace tenon::cli {

namespace {

constexpr size_t kBatchMax = 16;  ///< Pictures in one run when the model leaves its batch open.

struct ClassifyArguments {
  std::string model;
  std::vector<std::string> images;
  std::string preset = "imagenet";
  std::string size, resize, interpolation, channels, mean, std;  // empty: as the preset has it
  double scale = 0;
  int64_t resize_size = 0;
  std::string labels, output, scores = "auto";
  int64_t top = 5;
  SessionOptions session;
  bool json = false;
};

/// The model does not do what classify needs.
Error misfit(std::string message, std::string hint = "") {
  Error error = usage_error(std::move(message), std::move(hint));
  error.code = ErrorCode::kMismatch;
  return error;
}

const std::map<std::string, ResizeMode> kResizes = {{"stretch", ResizeMode::kStretch},
                                                    {"crop", ResizeMode::kCrop},
                                                    {"crop-then-resize", ResizeMode::kCropThenResize}};
const std::map<std::string, Interpolation> kInterpolations = {{"bilinear", Interpolation::kPillowBilinear},
                                                              {"bicubic", Interpolation::kPillowBicubic},
                                                              {"opencv", Interpolation::kOpenCvLinear}};
const std::map<std::string, ChannelOrder> kChannels = {
    {"rgb", ChannelOrder::kRgb}, {"bgr", ChannelOrder::kBgr}, {"gray", ChannelOrder::kGray}};
const std::map<std::string, ScoreKind> kScores = {
    {"auto", ScoreKind::kAuto}, {"logits", ScoreKind::kLogits}, {"probabilities", ScoreKind::kProbabilities}};

template <class T>
std::vector<std::string> names_of(const std::map<std::string, T>& choices) {
  std::vector<std::string> names;
  for (const auto& [name, value] : choices) names.push_back(name);
  return names;
}

/// "0.5,0.5,0.5", or one number for all channels.
Status read_channels(const std::string& option, const std::string& text, std::array<float, 3>& channels) {
  if (text.empty()) return {};
  const std::vector<std::string> parts = split(text, ',');
  for (size_t c = 0; c < 3; ++c) {
    auto number = parts.size() == 3 || parts.size() == 1 ? parse_number(parts[parts.size() == 3 ? c : 0])
                                                         : std::nullopt;
    if (!number)
      return usage_error(option + " takes one number or three, not '" + text + "'",
                         "for example " + option + " 0.5,0.5,0.5");
    channels[c] = static_cast<float>(*number);
  }
  return {};
}

/// The one input that takes pictures: a tensor [N, C, H, W] without a default.
Result<ValueDescription> picture_input(const Session& session) {
  const ValueDescription* found = nullptr;
  for (const ValueDescription& input : session.inputs()) {
    if (input.has_default) continue;
    if (found != nullptr)
      return misfit("the model has several inputs ('" + found->name + "', '" + input.name +
                        "'), and classify gives it pictures alone",
                    "use tenon run");
    found = &input;
  }
  if (found == nullptr) return misfit("the model has no input");
  if (found->kind != ValueDescription::Kind::kTensor || !found->shape || found->shape->size() != 4)
    return misfit(
        "input '" + found->name + "' is " + found->type + ", not pictures [N, channels, height, width]",
        "use tenon run");
  return *found;
}

Result<Preprocess> read_preprocess(const ClassifyArguments& arguments, const ValueDescription& input) {
  auto preset = Preprocess::preset(arguments.preset);
  if (!preset.ok()) return std::move(preset.error());
  Preprocess options = *preset;
  const auto& shape = *input.shape;
  if (shape[1].size.value_or(3) == 1) options.channels = ChannelOrder::kGray;
  if (!arguments.size.empty()) {
    auto size = parse_shape(arguments.size);
    if (!size || size->empty() || size->size() > 2)
      return usage_error("--size takes HEIGHT,WIDTH, not '" + arguments.size + "'");
    options.height = size->front();
    options.width = size->back();
  }
  options.height = shape[2].size.value_or(options.height);
  options.width = shape[3].size.value_or(options.width);
  if (!arguments.resize.empty()) options.resize = kResizes.at(arguments.resize);
  if (!arguments.interpolation.empty()) options.interpolation = kInterpolations.at(arguments.interpolation);
  if (!arguments.channels.empty()) options.channels = kChannels.at(arguments.channels);
  if (arguments.resize_size > 0) options.resize_size = arguments.resize_size;
  if (arguments.scale > 0) options.scale = arguments.scale;
  Status mean = read_channels("--mean", arguments.mean, options.mean);
  if (!mean.ok()) return std::move(mean.error());
  Status std = read_channels("--std", arguments.std, options.std);
  if (!std.ok()) return std::move(std.error());
  return options;
}

using Predictions = std::vector<std::vector<Prediction>>;

/// How many pictures one run takes.
struct Batch {
  size_t min = 1, max = kBatchMax;

  explicit Batch(const Dimension& dimension) {
    min = static_cast<size_t>(std::max<int64_t>(dimension.size.value_or(dimension.min.value_or(1)), 1));
    max = dimension.size ? min : std::max(kBatchMax, min);
    if (dimension.max) max = std::min(max, static_cast<size_t>(std::max<int64_t>(*dimension.max, 1)));
  }
};

/// The predictions of some pictures in one run. A model that takes no fewer than so many gets the last
/// picture again until they are there.
Result<Predictions> classify_batch(const Session& session, const ClassifyArguments& arguments,
                                   const ValueDescription& input, const Preprocess& options,
                                   std::vector<Image> images, const std::vector<std::string>& labels) {
  const size_t count = images.size();
  while (images.size() < Batch(input.shape->front()).min) images.push_back(images.back());
  auto tensor = preprocess(images, options);
  if (!tensor.ok()) return std::move(tensor.error());
  std::vector<std::string> wanted;
  wanted.push_back(arguments.output.empty() ? session.outputs().front().name : arguments.output);
  auto outputs = session.run({{input.name, std::move(*tensor)}}, wanted);
  if (!outputs.ok()) return std::move(outputs.error());
  const Value& scores = outputs->front().value;
  if (!scores.is_tensor()) return misfit("output '" + wanted.front() + "' is no tensor of scores");
  const Tensor& table = scores.tensor();
  std::vector<std::string> names = labels;
  if (names.empty() && table.rank() >= 1) names = default_labels(table.dim(table.rank() > 1 ? 1 : 0));
  auto predictions = top_k(table, arguments.top, names, kScores.at(arguments.scores));
  if (!predictions.ok()) return std::move(predictions.error());
  if (predictions->size() < count)
    return misfit("output '" + wanted.front() + "' has scores for " + std::to_string(predictions->size()) +
                  " of " + std::to_string(count) + " pictures");
  predictions->resize(count);
  return predictions;
}

nlohmann::ordered_json to_json(const std::vector<Prediction>& predictions) {
  auto list = nlohmann::ordered_json::array();
  for (const Prediction& prediction : predictions)
    list.push_back({{"index", prediction.index},
                    {"label", prediction.label},
                    {"probability", prediction.probability},
                    {"score", prediction.score}});
  return list;
}

void print_text(const std::string& image, const std::vector<Prediction>& predictions) {
  print_named("", image, "");
  for (const Prediction& prediction : predictions)
    print_named(fmt::format("  {:7.3f} %  {:4}  ", prediction.probability * 100, prediction.index),
                prediction.label, "");
}

Status run_classify(ClassifyArguments& arguments) {
  Progress progress;
  arguments.session.progress = progress.function();
  auto session = Session::open(arguments.model, arguments.session);
  if (!session.ok()) return std::move(session.error());
  auto at_model = [&](Error error) {
    if (error.file.empty()) error.file = arguments.model;
    return error;
  };
  if ((*session)->outputs().empty()) return at_model(misfit("the model has no output"));
  auto input = picture_input(**session);
  if (!input.ok()) return at_model(std::move(input.error()));
  auto options = read_preprocess(arguments, *input);
  if (!options.ok()) return std::move(options.error());
  std::vector<std::string> labels;
  if (!arguments.labels.empty()) {
    auto read = read_labels(arguments.labels);
    if (!read.ok()) return std::move(read.error());
    labels = std::move(*read);
  }

  auto results = nlohmann::ordered_json::array();
  const size_t step = Batch(input->shape->front()).max;
  for (size_t begin = 0; begin < arguments.images.size(); begin += step) {
    progress.show("pictures", begin, arguments.images.size());
    const size_t end = std::min(begin + step, arguments.images.size());
    std::vector<Image> images;
    for (size_t i = begin; i < end; ++i) {
      auto image = read_image(arguments.images[i]);
      if (!image.ok()) return std::move(image.error());
      images.push_back(std::move(*image));
    }
    auto predictions = classify_batch(**session, arguments, *input, *options, std::move(images), labels);
    if (!predictions.ok()) return at_model(std::move(predictions.error()));
    progress.clear();
    for (size_t i = begin; i < end; ++i) {
      const std::vector<Prediction>& top = (*predictions)[i - begin];
      if (arguments.json)
        results.push_back({{"image", arguments.images[i]}, {"top", to_json(top)}});
      else
        print_text(arguments.images[i], top);
    }
  }
  progress.clear();
  if (arguments.json) print({{"model", arguments.model}, {"results", std::move(results)}});
  return {};
}

}  // namespace

void add_classify_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<ClassifyArguments>();
  CLI::App* command = app.add_subcommand("classify", "Say what pictures show");
  command->footer(
      "Examples:\n"
      "  tenon classify resnet18.onnx cat.jpg cup.png --top 3\n"
      "  tenon classify lite0.onnx cat.jpg --preset efficientnet-lite\n"
      "  tenon classify digits.onnx 7.png --labels digits.txt --mean 0 --std 1");
  command->add_option("model", arguments->model, "A model file: .onnx, .pt2, or with --arch a state dict")
      ->required();
  command->add_option("images", arguments->images, "Pictures: JPEG, PNG, WebP, BMP")->required();
  command->add_option("--top", arguments->top, "Classes to show")->check(positive())->capture_default_str();
  command->add_option("--labels", arguments->labels,
                      "Names of the classes: one a line, or JSON (default: ImageNet's for 1,000 classes)");
  command->add_option("--preset", arguments->preset, "How pictures are prepared: imagenet, efficientnet-lite")
      ->check(one_of({"imagenet", "efficientnet-lite"}))
      ->capture_default_str();
  command->add_option("--size", arguments->size, "HEIGHT,WIDTH where the model leaves them open");
  command->add_option("--resize", arguments->resize, "stretch, crop or crop-then-resize")
      ->check(one_of(names_of(kResizes)));
  command
      ->add_option("--resize-size", arguments->resize_size,
                   "Shorter side before the crop (default: size + 32)")
      ->check(positive());
  command
      ->add_option("--interpolation", arguments->interpolation,
                   "bilinear, bicubic (Pillow's) or opencv (linear)")
      ->check(one_of(names_of(kInterpolations)));
  command->add_option("--channels", arguments->channels, "rgb, bgr or gray")
      ->check(one_of(names_of(kChannels)));
  command->add_option("--mean", arguments->mean, "Subtracted: one number, or three split at commas");
  command->add_option("--std", arguments->std, "Divided by: one number, or three split at commas");
  command->add_option("--scale", arguments->scale, "Pixels (0 to 255) are multiplied by this first")
      ->check(positive());
  command->add_option("--scores", arguments->scores, "What the model gives: auto, logits or probabilities")
      ->check(one_of(names_of(kScores)))
      ->capture_default_str();
  command->add_option("--output", arguments->output,
                      "The value that holds the scores (default: the first output)");
  command->add_option("--arch", arguments->session.arch, "The architecture that a state dict belongs to");
  command->add_option("--threads", arguments->session.threads, "Threads (0: as many as there are CPUs)")
      ->check(not_negative())
      ->capture_default_str();
  command->add_flag("--any-cpu", arguments->session.any_cpu, "Open an engine that was tuned on another CPU");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  command->callback([arguments, &status] {
    Status result = run_classify(*arguments);
    status = result.ok() ? 0 : report(result.error(), arguments->json);
  });
}

}  // namespace tenon::cli
