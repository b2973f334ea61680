// OpDef: everything that tenon knows about an operator beyond its schema. Each operator's folder defines one
// `constinit const OpDef kName`, and one row of ir/ops.def enters it in the registry.
#pragma once

#include <span>
#include <string_view>

#include "ir/op.h"
#include "ops/core/infer.h"
#include "ops/core/kernel.h"
#include "ops/core/versions.h"

namespace tenon::ops {

/// How far a kernel row may be from the reference for float32 (scaled by the type's epsilon for others).
struct Tolerance {
  enum class Kind : uint8_t {
    kExact,  ///< The same bits.
    kUlp,    ///< `value` units in the last place of the result.
    kSum,    ///< `value` * epsilon * (the same operation on absolute values): sums of products.
  };
  Kind kind = Kind::kExact;
  double value = 0;
};

struct Traits {
  bool elementwise = false;   ///< Output element i depends on input element i (after broadcasting) alone.
  bool deterministic = true;  ///< False for operators that draw random numbers.
  bool view = false;  ///< Output 0 has the bytes of input 0 in the same order (Reshape, Identity, ...).
  bool control_flow = false;  ///< Runs subgraphs.
};

struct OpDef {
  std::string_view name;
  std::string_view domain = "";
  InferRule infer = nullptr;
  Reference reference = nullptr;
  Upgrade upgrade = upgrade_unchanged;
  Emit emit = emit_unchanged;
  std::span<const KernelRow> rows = {};
  Traits traits = {};
  Tolerance tolerance = {};
};

/// An operator of older opsets that has no canonical form of its own: only a way to upgrade.
struct LegacyOp {
  std::string_view name;
  Upgrade upgrade;
};

// The definitions: one `constinit const OpDef kConv{...}` in the operator's folder for each TENON_OP row of
// ir/ops.def, and `constinit const LegacyOp kUpsampleLegacy{...}` for a TENON_LEGACY(Upsample) row.
#define TENON_OPERATOR(name)  \
  extern const OpDef k##name; \
  extern const LegacyOp k##name##Legacy;
#include "ir/op_names.def"
#undef TENON_OPERATOR

}  // namespace tenon::ops
