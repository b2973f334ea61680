#include "ops/reduce/kernels.h"

#include "ops/normalization/kernels.h"
#include "ops/pool/kernels.h"
#include "ops/reduce/reduce_kernel.h"

namespace tenon::ops {

namespace {

template <Isa kIsa>
constexpr KernelRow layer_norm_row(std::string_view name) {
  return {name, kIsa, fits_printed_layer_norm,
          [](const Region& region, kernels::Packing&) { return prepare_printed_layer_norm(kIsa, region); }};
}

template <Isa kIsa>
constexpr KernelRow plane_mean_row(std::string_view name) {
  return {name,
          kIsa,
          [](const Region& region) { return takes_plane_means(region, false); },
          [](const Region& region, kernels::Packing&) { return prepare_plane_means(kIsa, region); },
          {Layout::kBlocked, Layout::kPlain, false}};
}

/// The global pool under another name.
template <Isa kIsa>
constexpr KernelRow kept_plane_mean_row(std::string_view name) {
  KernelRow row = blocked_pool_row<Pool::kGlobalAverage, kIsa>(name);
  row.fits = [](const Region& region) { return takes_plane_means(region, true); };
  return row;
}

}  // namespace

const KernelRow kReduceMeanRows[12] = {
    layer_norm_row<Isa::kAvx512>("layer_norm_parts_f32_avx512"),
    layer_norm_row<Isa::kAvx2>("layer_norm_parts_f32_avx2"),
    layer_norm_row<Isa::kPortable>("layer_norm_parts_f32_portable"),
    plane_mean_row<Isa::kAvx512>("plane_mean_f32_avx512"),
    plane_mean_row<Isa::kAvx2>("plane_mean_f32_avx2"),
    plane_mean_row<Isa::kPortable>("plane_mean_f32_portable"),
    kept_plane_mean_row<Isa::kAvx512>("kept_plane_mean_f32_avx512"),
    kept_plane_mean_row<Isa::kAvx2>("kept_plane_mean_f32_avx2"),
    kept_plane_mean_row<Isa::kPortable>("kept_plane_mean_f32_portable"),
    reduce_row<Isa::kAvx512>("reduce_mean_f32_avx512"),
    reduce_row<Isa::kAvx2>("reduce_mean_f32_avx2"),
    reduce_row<Isa::kPortable>("reduce_mean_f32_portable"),
};
const KernelRow kReduceRows[3] = {
    reduce_row<Isa::kAvx512>("reduce_f32_avx512"),
    reduce_row<Isa::kAvx2>("reduce_f32_avx2"),
    reduce_row<Isa::kPortable>("reduce_f32_portable"),
};

}  // namespace tenon::ops
