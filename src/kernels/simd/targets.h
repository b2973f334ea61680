// Which instruction sets the vector code is compiled for, and how one of them is picked. A vector source file
// defines HWY_TARGET_INCLUDE as its own path, includes this header and hwy/foreach_target.h, and puts its
// code in namespace HWY_NAMESPACE; Highway compiles the file once for each target. Functions there carry the
// target's attributes and must not define inline code of the standard library.
#pragma once

// The targets are those of tenon::Isa: AVX-512, AVX2 and what every CPU has.
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSE4 | HWY_SSSE3)

#include "base/cpu.h"

/// Returns `symbol` of the target that an Isa stands for. For use where HWY_ONCE holds, inside the namespace
/// that encloses HWY_NAMESPACE.
#define TENON_RETURN_FOR_ISA(isa, symbol) \
  do {                                    \
    TENON_RETURN_FOR_AVX512(isa, symbol)  \
    TENON_RETURN_FOR_AVX2(isa, symbol)    \
    (void)(isa);                          \
    return HWY_STATIC_DISPATCH(symbol);   \
  } while (false)

#if defined(__x86_64__)
#define TENON_RETURN_FOR_AVX512(isa, symbol) \
  if ((isa) >= ::tenon::Isa::kAvx512) return N_AVX3::symbol;
#define TENON_RETURN_FOR_AVX2(isa, symbol) \
  if ((isa) >= ::tenon::Isa::kAvx2) return N_AVX2::symbol;
#else
#define TENON_RETURN_FOR_AVX512(isa, symbol)
#define TENON_RETURN_FOR_AVX2(isa, symbol)
#endif
