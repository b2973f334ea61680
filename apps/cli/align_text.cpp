// An alignment as text of 80 columns.
#include "align_text.h"

#include <fmt/format.h>

#include <cstdio>

#include "terminal.h"

namespace tenon::cli {

namespace {

constexpr size_t kNameColumns = 50;  ///< Of names in sentences.

void print_output(const OutputComparison& output) {
  std::printf("\noutput %s\n", fitted(output.name, kColumns - 8).c_str());
  if (!output.problem.empty()) print_wrapped("  " + printable(output.problem), 2);
  if (output.elements == 0) return;
  const double share = 100.0 * static_cast<double>(output.mismatched) / static_cast<double>(output.elements);
  std::printf("  mismatched         %lld / %lld (%.3g%%)\n", static_cast<long long>(output.mismatched),
              static_cast<long long>(output.elements), share);
  std::printf("  max |difference|   %.3g (relative %.3g)\n", output.max_abs, output.max_rel);
  std::printf("  percentiles        50%%: %.2g   90%%: %.2g   99%%: %.2g\n", output.percentile_50,
              output.percentile_90, output.percentile_99);
  std::printf("  budget used        %.3g in sample %d (1 is all of it)\n", output.budget_use,
              output.worst_sample);
  std::printf("  tightest atol      %.3g\n", output.tightest_atol_at_rtol);
  if (output.max_abs_vs_float64) {
    const char* within = !output.within_float32   ? ""
                         : *output.within_float32 ? ": within float32"
                                                  : ": beyond float32";
    std::printf("  from float64       reference %.3g, candidate %.3g%s\n", output.max_abs_vs_float64->first,
                output.max_abs_vs_float64->second, within);
  }
  if (output.offenders.empty()) return;
  std::printf("  %-16s %8s  %-14s %16s %16s\n", "first mismatches", "sample", "index", "candidate",
              "reference");
  for (const auto& offender : output.offenders)
    std::printf("  %16s %8d  %s %16.9g %16.9g\n", "", offender.sample, padded(offender.place(), 14).c_str(),
                offender.actual, offender.desired);
}

/// One line for each layer, and more on the first that departed.
void print_layers(const AlignReport& report) {
  std::printf("\nlayers in sample %d: error from exact arithmetic, beside what rounding explains\n",
              report.layers_sample);
  std::printf("  %-19s %-18s %-20s %7s %7s\n", "value", "operators", "kernel", "error", "floor");
  const LayerComparison* first = nullptr;
  for (const LayerComparison& layer : report.layers) {
    std::printf("%c %s %s %s %7.1e %7.1e\n", layer.departed ? '!' : ' ', padded(layer.name, 19).c_str(),
                padded(layer.op, 18).c_str(), padded(layer.kernel, 20).c_str(), layer.error, layer.floor);
    if (layer.departed && first == nullptr) first = &layer;
  }
  if (first == nullptr) {
    std::printf("  every value is within what rounding explains\n");
    return;
  }
  print_wrapped(fmt::format("  first departure: '{}', node '{}', {}", fitted(first->name, kNameColumns),
                            fitted(first->node, kNameColumns), first->op),
                4);
  if (!first->source.empty()) print_wrapped("    at " + printable(short_source(first->source)), 6);
}

}  // namespace

void print_align(const AlignReport& report) {
  auto print_side = [](const char* role, const AlignReport::Side& side) {
    std::printf("%-9s  %s\n           %s\n", role, fitted(side.given, kColumns - 11).c_str(),
                side.how().c_str());
  };
  print_side("reference", report.reference);
  print_side("candidate", report.candidate);
  const std::string seed = report.inputs == "random" ? fmt::format(", seed {}", report.seed) : "";
  std::printf("samples    %d %s%s\n", report.samples, report.inputs.c_str(), seed.c_str());
  std::printf("tolerance  |candidate - reference| <= %g + %g * |reference|\n", report.atol, report.rtol);
  int64_t mismatched = 0, elements = 0;
  for (const OutputComparison& output : report.outputs) {
    print_output(output);
    mismatched += output.mismatched;
    elements += output.elements;
  }
  if (!report.layers.empty()) print_layers(report);
  std::printf("\n");
  for (const std::string& warning : report.warnings) print_wrapped("warning: " + printable(warning), 9);
  if (report.cause) {
    print_wrapped(fmt::format("cause: {}: {}", report.cause->kind, printable(report.cause->message)), 7);
    if (!report.cause->source.empty())
      print_wrapped("       at " + printable(short_source(report.cause->source)), 9);
  }
  std::printf("%s: %lld / %lld outputs differ\n", std::string(verdict_name(report.verdict)).c_str(),
              static_cast<long long>(mismatched), static_cast<long long>(elements));
}

}  // namespace tenon::cli
