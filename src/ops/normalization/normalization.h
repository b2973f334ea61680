// The normalisation operators. LayerNormalization, InstanceNormalization, GroupNormalization and
// RMSNormalization normalise contiguous rows and share their reference; BatchNormalization works by channel.
#pragma once

#include "ops/core/op_def.h"

namespace tenon::ops {

/// Reference of the four operators that normalise rows. Statistics are taken in double, whatever stash_type
/// says: that is at least as accurate as any precision it can ask for.
Status reference_row_normalization(KernelContext& context);

Status infer_layer_normalization(InferContext& context);
Status infer_group_normalization(InferContext& context);
Status infer_rms_normalization(InferContext& context);

/// Before opset 17: its definition in terms of ReduceMean, Sub, Mul, Sqrt and Div.
Status emit_layer_normalization(EmitContext& context);
/// Before opset 23: its definition, likewise.
Status emit_rms_normalization(EmitContext& context);
/// Opset 18 had scale and bias by group: they are repeated for each channel of their group.
Status upgrade_group_normalization(UpgradeContext& context);
/// Before opset 21: InstanceNormalization of the groups, then scale and bias by channel.
Status emit_group_normalization(EmitContext& context);

}  // namespace tenon::ops
