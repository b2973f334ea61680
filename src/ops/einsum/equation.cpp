#include "ops/einsum/equation.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

namespace tenon::ops {

namespace {

struct Term {
  std::string before, after;  // letters around the ellipsis; all in `before` when there is none
  bool ellipsis = false;
};

Result<Term> parse_term(std::string_view text) {
  Term term;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text.substr(i, 3) == "...") {
      if (term.ellipsis) return fail(ErrorCode::kInvalidModel, "the term '{}' has two ellipses", text);
      term.ellipsis = true;
      i += 2;
    } else if (std::isalpha(static_cast<unsigned char>(text[i]))) {
      (term.ellipsis ? term.after : term.before) += text[i];
    } else {
      return fail(ErrorCode::kInvalidModel, "the term '{}' holds something other than letters", text);
    }
  }
  return term;
}

Labels spell_out(const Term& term, size_t ellipsis_rank) {
  Labels labels(term.before.begin(), term.before.end());
  if (term.ellipsis)
    for (size_t i = ellipsis_rank; i > 0; --i) labels.push_back(-static_cast<int>(i));
  labels.insert(labels.end(), term.after.begin(), term.after.end());
  return labels;
}

}  // namespace

Result<Equation> parse_equation(std::string_view text, const std::vector<size_t>& ranks) {
  std::string_view left = text;
  std::optional<Term> output;
  if (size_t arrow = text.find("->"); arrow != std::string_view::npos) {
    left = text.substr(0, arrow);
    output = TENON_TRY(parse_term(text.substr(arrow + 2)));
  }
  std::vector<Term> terms;
  while (true) {
    const size_t comma = left.find(',');
    terms.push_back(TENON_TRY(parse_term(left.substr(0, comma))));
    if (comma == std::string_view::npos) break;
    left.remove_prefix(comma + 1);
  }
  if (terms.size() != ranks.size())
    return fail(ErrorCode::kInvalidModel, "'{}' has {} terms for {} inputs", text, terms.size(),
                ranks.size());
  Equation equation;
  size_t widest = 0;
  std::string letters;
  for (size_t i = 0; i < terms.size(); ++i) {
    const size_t named = terms[i].before.size() + terms[i].after.size();
    if (ranks[i] < named || (ranks[i] > named && !terms[i].ellipsis))
      return fail(ErrorCode::kInvalidModel, "term {} of '{}' does not fit an input of rank {}", i, text,
                  ranks[i]);
    widest = std::max(widest, terms[i].ellipsis ? ranks[i] - named : 0);
    equation.operands.push_back(spell_out(terms[i], ranks[i] - named));
    letters += terms[i].before + terms[i].after;
  }
  if (!output) {
    output.emplace();
    output->ellipsis = widest > 0;
    std::sort(letters.begin(), letters.end());
    for (size_t i = 0; i < letters.size(); ++i)
      if (std::count(letters.begin(), letters.end(), letters[i]) == 1) output->after += letters[i];
  }
  equation.output = spell_out(*output, widest);
  for (size_t i = 0; i < equation.output.size(); ++i) {
    const int label = equation.output[i];
    if (std::count(equation.output.begin(), equation.output.end(), label) != 1)
      return fail(ErrorCode::kInvalidModel, "the output of '{}' repeats a letter", text);
    const bool found = std::any_of(
        equation.operands.begin(), equation.operands.end(),
        [&](const Labels& term) { return std::find(term.begin(), term.end(), label) != term.end(); });
    if (!found)
      return fail(ErrorCode::kInvalidModel, "the output of '{}' has a letter that no input has", text);
  }
  return equation;
}

Result<std::vector<LabelSize>> label_sizes(const Equation& equation, const std::vector<SymShape>& shapes) {
  std::vector<LabelSize> sizes;
  for (size_t i = 0; i < shapes.size(); ++i)
    for (size_t axis = 0; axis < shapes[i].size(); ++axis) {
      const int label = equation.operands[i][axis];
      const SymInt& size = shapes[i][axis];
      auto known =
          std::find_if(sizes.begin(), sizes.end(), [&](const LabelSize& s) { return s.label == label; });
      if (known == sizes.end()) {
        sizes.push_back({label, size});
      } else if (known->size.is(1) || (!known->size.is_constant() && size.is_constant() && !size.is(1))) {
        known->size = size;
      } else if (known->size.is_constant() && size.is_constant() && !size.is(1) && !(known->size == size)) {
        return fail(ErrorCode::kInvalidModel, "input {} has size {} along an axis where others have {}", i,
                    size.to_string(), known->size.to_string());
      }
    }
  return sizes;
}

const SymInt& size_of(const std::vector<LabelSize>& sizes, int label) {
  return std::find_if(sizes.begin(), sizes.end(), [&](const LabelSize& s) { return s.label == label; })->size;
}

}  // namespace tenon::ops
