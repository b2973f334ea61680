// Padding. An amount may be symbolic, and a negative one cuts elements off. As in PyTorch, what a border
// reflects or replicates is the whole input: it is padded first and cut then.
#include "lower/aten/families.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

// What is added to one axis; the amounts may be negative.
struct Border {
  int64_t axis;
  Size before, after;
};

// The borders that are not evidently nothing, in PyTorch's order: the last axis first.
Result<std::vector<Border>> borders_of(LowerContext& context, ValueId x) {
  const int64_t rank = TENON_TRY(context.rank(x));
  const bool plain = context.args().has("pad");
  const std::vector<Size> given =
      TENON_TRY(size_list(context, TENON_TRY(context.args().sym_items(plain ? "pad" : "padding"))));
  if (given.size() % 2 != 0 || static_cast<int64_t>(given.size()) > 2 * rank)
    return context.unsupported(
        fmt::format("padding by {} numbers of a tensor of rank {}", given.size(), rank));
  std::vector<Border> borders;
  for (size_t i = 0; i < given.size(); i += 2) {
    const Border border{rank - 1 - static_cast<int64_t>(i / 2), given[i], given[i + 1]};
    const bool nothing = border.before.is_number() && border.before.number == 0 && border.after.is_number() &&
                         border.after.number == 0;
    if (!nothing) borders.push_back(border);
  }
  return borders;
}

// max(size, 0) and max(-size, 0)
struct Parts {
  Size added, cut;
};
Result<Parts> parts_of(LowerContext& context, const Size& size) {
  if (size.is_number()) return Parts{std::max<int64_t>(size.number, 0), std::max<int64_t>(-size.number, 0)};
  const auto& elements = context.builder().graph().value(size.dynamic).elements;
  if (elements && elements->size() == 1 && is_nonnegative((*elements)[0])) return Parts{size, 0};
  const ValueId zero = context.ints({0});
  const ValueId opposite = TENON_TRY(context.add(Op::kNeg, {size.dynamic}));
  return Parts{Size(TENON_TRY(context.add(Op::kMax, {size.dynamic, zero}))),
               Size(TENON_TRY(context.add(Op::kMax, {opposite, zero})))};
}

bool is_zero(const Size& size) {
  return size.is_number() && size.number == 0;
}

// Pad lists all beginnings and then all ends.
Result<ValueId> add_pad(LowerContext& context, ValueId x, const std::vector<Border>& borders,
                        const std::string& mode, ValueId value) {
  const auto rank = static_cast<size_t>(TENON_TRY(context.rank(x)));
  std::vector<Size> pads(2 * rank, 0);
  bool any = false;
  for (const Border& border : borders) {
    pads[static_cast<size_t>(border.axis)] = border.before;
    pads[rank + static_cast<size_t>(border.axis)] = border.after;
    any = any || !is_zero(border.before) || !is_zero(border.after);
  }
  if (!any) return x;
  std::vector<ValueId> inputs{x, TENON_TRY(size_vector(context, pads))};
  if (value != kNoValue) inputs.push_back(value);
  return context.add(Op::kPad, std::move(inputs), {{"mode", mode}});
}

// Elements [before, size - after) of an axis.
Result<ValueId> cut(LowerContext& context, ValueId x, int64_t axis, const Size& before, const Size& after) {
  if (is_zero(before) && is_zero(after)) return x;
  Size end = kToEnd;
  if (!is_zero(after))
    end = TENON_TRY(combine(context, Op::kSub, TENON_TRY(size_of(context, x, axis)), after));
  return slice(context, x, axis, before, end);
}

// With constants, of which Pad itself cuts a negative number off.
Status pad_with(LowerContext& context, ValueId value) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  return context.finish(add_pad(context, x, TENON_TRY(borders_of(context, x)), "constant", value));
}

// With what the input has at its border.
Status pad_from_input(LowerContext& context, const std::string& mode) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  std::vector<Border> added, removed;
  for (const Border& border : TENON_TRY(borders_of(context, x))) {
    const Parts before = TENON_TRY(parts_of(context, border.before));
    const Parts after = TENON_TRY(parts_of(context, border.after));
    added.push_back({border.axis, before.added, after.added});
    removed.push_back({border.axis, before.cut, after.cut});
  }
  ValueId y = TENON_TRY(add_pad(context, x, added, mode, kNoValue));
  for (const Border& border : removed)
    y = TENON_TRY(cut(context, y, border.axis, border.before, border.after));
  return context.finish(y);
}

// Joins what lies at the other end, after cutting: unlike Pad's mode wrap, which is of opset 19, every opset
// has that.
Status pad_circularly(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  for (const Border& border : TENON_TRY(borders_of(context, x))) {
    const Parts before = TENON_TRY(parts_of(context, border.before));
    const Parts after = TENON_TRY(parts_of(context, border.after));
    x = TENON_TRY(cut(context, x, border.axis, before.cut, after.cut));
    std::vector<ValueId> parts{x};
    const Size size = TENON_TRY(size_of(context, x, border.axis));
    for (const Size& added : {before.added, after.added})
      if (size.is_number() && added.is_number() && added.number > size.number)
        return context.unsupported(
            fmt::format("circular padding of {} elements by {}", size.number, added.number));
    if (!is_zero(before.added)) {
      const Size start = TENON_TRY(combine(context, Op::kSub, size, before.added));
      parts.insert(parts.begin(), TENON_TRY(slice(context, x, border.axis, start, kToEnd)));
    }
    if (!is_zero(after.added)) parts.push_back(TENON_TRY(slice(context, x, border.axis, 0, after.added)));
    if (parts.size() > 1) x = TENON_TRY(context.add(Op::kConcat, parts, {{"axis", border.axis}}));
  }
  return context.finish(x);
}

Status lower_pad(LowerContext& context) {
  const std::string mode = TENON_TRY(context.args().string("mode"));
  if (mode == "reflect") return pad_from_input(context, "reflect");
  if (mode == "replicate") return pad_from_input(context, "edge");
  if (mode == "circular") return pad_circularly(context);
  const ValueId x = TENON_TRY(context.tensor("self"));
  const double value = TENON_TRY(context.args().optional_number("value")).value_or(0);
  return pad_with(context, context.number(context.element(x), value));
}

Status lower_constant_pad(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  return pad_with(context, TENON_TRY(context.scalar("value", context.element(x))));
}

Status lower_reflection_pad(LowerContext& context) {
  return pad_from_input(context, "reflect");
}
Status lower_replication_pad(LowerContext& context) {
  return pad_from_input(context, "edge");
}

constexpr Handler kHandlers[] = {
    {"aten.pad.default", lower_pad},
    {"aten.constant_pad_nd.default", lower_constant_pad},
    {"aten.reflection_pad1d.default", lower_reflection_pad},
    {"aten.reflection_pad2d.default", lower_reflection_pad},
    {"aten.reflection_pad3d.default", lower_reflection_pad},
    {"aten.replication_pad1d.default", lower_replication_pad},
    {"aten.replication_pad2d.default", lower_replication_pad},
    {"aten.replication_pad3d.default", lower_replication_pad},
};

}  // namespace

std::span<const Handler> padding_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
