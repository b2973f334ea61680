#include "align_text.h"

#include <fmt/format.h>

#include <cstdio>

namespace tenon::cli {

namespace {

using Json = nlohmann::ordered_json;

/// What --json says a reference is: the way it was given, but a program that tenon lowered itself is called
/// by that, since it shares its lowering with an export.
std::string reference_text(const AlignReport& report) {
  return report.reference.runner == "tenon lowering" ? report.reference.runner : report.reference.given;
}

Json output_json(const OutputComparison& output) {
  Json offenders = Json::array();
  for (const auto& offender : output.offenders)
    offenders.push_back({{"sample", offender.sample},
                         {"index", offender.index},
                         {"actual", offender.actual},
                         {"desired", offender.desired}});
  Json wide = nullptr;
  if (output.max_abs_vs_float64)
    wide = {{"reference", output.max_abs_vs_float64->first},
            {"candidate", output.max_abs_vs_float64->second}};
  Json within = nullptr;
  if (output.within_float32()) within = *output.within_float32();
  return {
      {"name", output.name},
      {"elements", output.elements},
      {"mismatched", output.mismatched},
      {"share",
       output.elements ? static_cast<double>(output.mismatched) / static_cast<double>(output.elements) : 0.0},
      {"max_abs", output.max_abs},
      {"max_rel", output.max_rel},
      {"budget_use", output.budget_use},
      {"tightest_atol_at_rtol", output.tightest_atol_at_rtol},
      {"max_abs_vs_float64", std::move(wide)},
      {"within_float32", std::move(within)},
      {"percentiles",
       {{"50", output.percentile_50}, {"90", output.percentile_90}, {"99", output.percentile_99}}},
      {"worst_sample", output.worst_sample},
      {"varies", output.varies},
      {"problem", output.problem},
      {"offenders", std::move(offenders)}};
}

/// The index along each dimension: "[0,17]".
std::string place(const OutputComparison::Offender& offender) {
  std::string text;
  int64_t rest = offender.index;
  for (size_t d = offender.shape.size(); d-- > 0;) {
    text = fmt::format("{}{}{}", rest % offender.shape[d], text.empty() ? "" : ",", text);
    rest /= offender.shape[d];
  }
  return "[" + text + "]";
}

/// `text` cut to `width` columns, the middle left out.
std::string fitted(const std::string& text, size_t width) {
  if (text.size() <= width) return text;
  const size_t tail = (width - 3) / 2, head = width - 3 - tail;
  return text.substr(0, head) + "..." + text.substr(text.size() - tail);
}

/// Paragraphs of at most 80 columns; lines after the first are indented.
void print_wrapped(const std::string& text, size_t indent) {
  std::string line;
  size_t begin = 0;
  auto flush = [&] {
    std::printf("%s\n", line.c_str());
    line.assign(indent, ' ');
  };
  while (begin < text.size()) {
    size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (line.size() > indent && line.size() + 1 + word.size() > 80) flush();
    line += (line.empty() || line.size() == indent ? "" : " ") + word;
    begin = end + 1;
  }
  if (line.size() > indent) flush();
}

void print_output(const OutputComparison& output) {
  std::printf("\noutput %s\n", fitted(output.name, 72).c_str());
  if (!output.problem.empty()) print_wrapped("  " + output.problem, 2);
  if (output.elements == 0) return;
  const double share = 100.0 * static_cast<double>(output.mismatched) / static_cast<double>(output.elements);
  std::printf("  mismatched         %lld / %lld (%.3g%%)\n", static_cast<long long>(output.mismatched),
              static_cast<long long>(output.elements), share);
  std::printf("  max |difference|   %.3g (relative %.3g), in sample %d\n", output.max_abs, output.max_rel,
              output.worst_sample);
  std::printf("  percentiles        50%%: %.2g   90%%: %.2g   99%%: %.2g\n", output.percentile_50,
              output.percentile_90, output.percentile_99);
  std::printf("  budget used        %.3g (1 is all of it); tightest atol %.3g\n", output.budget_use,
              output.tightest_atol_at_rtol);
  if (output.max_abs_vs_float64)
    std::printf("  from float64       reference %.3g, candidate %.3g: %s\n", output.max_abs_vs_float64->first,
                output.max_abs_vs_float64->second,
                *output.within_float32() ? "within float32" : "beyond float32");
  if (output.offenders.empty()) return;
  std::printf("  first mismatches   sample  index                 candidate     reference\n");
  for (const auto& offender : output.offenders)
    std::printf("                     %6d  %-16s %14.7g %13.7g\n", offender.sample, place(offender).c_str(),
                offender.actual, offender.desired);
}

}  // namespace

Json align_json(const AlignReport& report) {
  Json outputs = Json::array();
  for (const OutputComparison& output : report.outputs) outputs.push_back(output_json(output));
  Json cause = nullptr;
  if (report.cause)
    cause = {{"node", report.cause->node},
             {"op", report.cause->op},
             {"source", report.cause->source},
             {"kind", report.cause->kind},
             {"message", report.cause->message}};
  auto side = [](const AlignReport::Side& s) { return Json{{"given", s.given}, {"runner", s.runner}}; };
  return {{"verdict", verdict_name(report.verdict)},
          {"rtol", report.rtol},
          {"atol", report.atol},
          {"samples", report.samples},
          {"seed", report.seed},
          {"reference", reference_text(report)},
          {"candidate", report.candidate.given},
          {"outputs", std::move(outputs)},
          {"warnings", report.warnings},
          {"cause", std::move(cause)},
          {"inputs", report.inputs},
          {"sides", {{"reference", side(report.reference)}, {"candidate", side(report.candidate)}}}};
}

void print_align(const AlignReport& report) {
  std::printf("reference  %s\n           run by %s\n", fitted(report.reference.given, 69).c_str(),
              report.reference.runner.c_str());
  std::printf("candidate  %s\n           run by %s\n", fitted(report.candidate.given, 69).c_str(),
              report.candidate.runner.c_str());
  std::printf("samples    %d %s%s\n", report.samples, report.inputs.c_str(),
              report.inputs == "random" ? fmt::format(", seed {}", report.seed).c_str() : "");
  std::printf("tolerance  |candidate - reference| <= %g + %g * |reference|\n", report.atol, report.rtol);
  for (const OutputComparison& output : report.outputs) print_output(output);
  std::printf("\n");
  for (const std::string& warning : report.warnings) print_wrapped("warning: " + warning, 9);
  if (report.cause) {
    print_wrapped(fmt::format("cause: {}: {}", report.cause->kind, report.cause->message), 7);
    if (!report.cause->source.empty()) print_wrapped("  at " + report.cause->source, 5);
  }
  int64_t mismatched = 0, elements = 0;
  for (const OutputComparison& output : report.outputs) {
    mismatched += output.mismatched;
    elements += output.elements;
  }
  std::printf("%s: %lld / %lld outputs differ\n", std::string(verdict_name(report.verdict)).c_str(),
              static_cast<long long>(mismatched), static_cast<long long>(elements));
}

}  // namespace tenon::cli
