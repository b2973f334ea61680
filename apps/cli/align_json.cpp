// An alignment as the JSON that docs/guide/align.md describes.
#include "align_text.h"

namespace tenon::cli {

namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json output_json(const OutputComparison& output) {
  Json offenders = Json::array();
  for (const auto& offender : output.offenders)
    offenders.push_back({{"sample", offender.sample},
                         {"index", offender.index},
                         {"actual", offender.actual},
                         {"desired", offender.desired}});
  Json wide = nullptr;
  if (const auto& distances = output.max_abs_vs_float64)
    wide = {{"reference", distances->first}, {"candidate", distances->second}};
  const double share =
      output.elements > 0 ? static_cast<double>(output.mismatched) / static_cast<double>(output.elements) : 0;
  return {{"name", output.name},
          {"elements", output.elements},
          {"mismatched", output.mismatched},
          {"share", share},
          {"max_abs", output.max_abs},
          {"max_rel", output.max_rel},
          {"budget_use", output.budget_use},
          {"tightest_atol_at_rtol", output.tightest_atol_at_rtol},
          {"max_abs_vs_float64", std::move(wide)},
          {"within_float32", or_null(output.within_float32)},
          {"percentiles",
           {{"50", output.percentile_50}, {"90", output.percentile_90}, {"99", output.percentile_99}}},
          {"worst_sample", output.worst_sample},
          {"varies", output.varies},
          {"problem", output.problem},
          {"offenders", std::move(offenders)}};
}

Json layer_json(const LayerComparison& layer) {
  return {{"name", layer.name},
          {"node", layer.node},
          {"op", layer.op},
          {"source", layer.source},
          {"module", layer.module},
          {"kernel", layer.kernel},
          {"isolated_error", or_null(layer.isolated_error)},
          {"isolated_use", layer.isolated_use},
          {"error", layer.error},
          {"floor", layer.floor},
          {"difference", or_null(layer.difference)},
          {"scale", layer.scale},
          {"departed", layer.departed}};
}

}  // namespace

Json align_json(const AlignReport& report) {
  Json outputs = Json::array(), layers = Json::array(), cause = nullptr;
  for (const OutputComparison& output : report.outputs) outputs.push_back(output_json(output));
  for (const LayerComparison& layer : report.layers) layers.push_back(layer_json(layer));
  if (report.cause)
    cause = {{"node", report.cause->node},
             {"op", report.cause->op},
             {"source", report.cause->source},
             {"kind", report.cause->kind},
             {"message", report.cause->message}};
  auto side = [](const AlignReport::Side& s) { return Json{{"given", s.given}, {"runner", s.runner}}; };
  // A program that tenon lowered itself is called by that, not by its name: it shares its lowering with an
  // export.
  const bool is_lowering = report.reference.runner == "tenon lowering";
  return {{"verdict", verdict_name(report.verdict)},
          {"rtol", report.rtol},
          {"atol", report.atol},
          {"samples", report.samples},
          {"seed", report.seed},
          {"reference", is_lowering ? report.reference.runner : report.reference.given},
          {"candidate", report.candidate.given},
          {"outputs", std::move(outputs)},
          {"warnings", report.warnings},
          {"cause", std::move(cause)},
          {"layers", std::move(layers)},
          {"layers_sample", report.layers_sample},
          {"inputs", report.inputs},
          {"sides", {{"reference", side(report.reference)}, {"candidate", side(report.candidate)}}}};
}

}  // namespace tenon::cli
