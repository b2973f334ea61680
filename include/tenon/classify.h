// From a vision model's output to named classes: the end of classify's flow, after tenon/image.h and a
// session.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/error.h"
#include "tenon/tensor.h"

namespace tenon {

/// The 1,000 classes of ImageNet-1k in the order that its models use, synonyms separated by commas.
std::vector<std::string> imagenet_labels();

/// The labels of a model with `classes` outputs that brings none: ImageNet's for 1,000, the same behind
/// "background" for 1,001 (TensorFlow's models), otherwise nothing.
std::vector<std::string> default_labels(int64_t classes);

/// Labels from text: one a line; or JSON: a list of names, an object from index to name ({"0": "tench"}, or
/// {"0": ["n01440764", "tench"]}, whose last name counts), or from name to index ({"tench": 0}). Indices
/// without a name get an empty label. Fails with kMalformed.
Result<std::vector<std::string>> parse_labels(std::string_view text);
/// parse_labels on the contents of a file of at most 16 MiB. Errors carry its name.
Result<std::vector<std::string>> read_labels(const std::string& path);

/// What the numbers that a model gives are.
enum class ScoreKind : uint8_t {
  kAuto,           ///< kProbabilities for a row within [0, 1] that sums to 1 (by 1e-3), otherwise kLogits.
  kLogits,         ///< Softmax turns them into probabilities.
  kProbabilities,  ///< They are taken as they are.
};

/// One class that a picture may show.
struct Prediction {
  int64_t index = 0;
  double score = 0.0;        ///< As the model gave it.
  double probability = 0.0;  ///< 0 to 1.
  std::string label;         ///< Empty when no labels are known.
};

/// The `k` likeliest classes of each picture, likeliest first, equal scores in the order of their index; all
/// classes when there are fewer. `scores` is a real numeric tensor [classes], [N, classes], or with further
/// dimensions of 1 behind; `labels` is empty or has one entry a class. One list a picture. Fails with kUsage
/// for k < 1, with kMismatch for another shape, type or number of labels, with kNotComparable when a score is
/// NaN or +infinity.
Result<std::vector<std::vector<Prediction>>> top_k(const Tensor& scores, int64_t k,
                                                   const std::vector<std::string>& labels,
                                                   ScoreKind kind = ScoreKind::kAuto);

}  // namespace tenon
