// Cast, CastLike and BitCast: conversion of elements between all types, strings included, and the
// reinterpretation of their bits.
#pragma once

#include <string>
#include <string_view>

#include "ops/core/op_def.h"

namespace tenon::ops {

/// How values beyond a float8's range, and those between two powers of two of float8e8m0, are stored.
struct CastOptions {
  bool saturate = true;
  enum class Round : uint8_t { kUp, kDown, kNearest } round = Round::kUp;
};
/// From the attributes saturate and round_mode.
Result<CastOptions> cast_options(const Attributes& attributes);

/// Converts elements [begin, begin + count) of `input` to those of `output`, which has as many elements and
/// is not of strings; neither is `input`. Follows Cast's tables in ONNX's Operators.md; real numbers beyond
/// the range of an integer type keep their low bits.
void cast_elements(const Tensor& input, Tensor& output, int64_t begin, int64_t count,
                   const CastOptions& options);

/// float8e8m0 has powers of two only, from 2^-127 to 2^127; the sign is ignored.
uint8_t double_to_float8e8m0(double value, const CastOptions& options);

/// The number in a text: plain or scientific decimal, "inf", "+INF", "-Infinity", "NaN" in any case. The
/// locale plays no part. kMismatch when the text is not a number.
Result<double> parse_number(std::string_view text);
/// The shortest decimal text that reads back as the same value of `type`, as Python writes it: "0.5",
/// "1e-05".
std::string format_number(DataType type, double value);

}  // namespace tenon::ops
