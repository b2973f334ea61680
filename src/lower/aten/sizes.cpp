#include "lower/aten/sizes.h"

#include <algorithm>
#include <numeric>

namespace tenon::lower {

Result<Size> size_of(LowerContext& context, ValueId tensor, int64_t axis) {
  SymShape shape = TENON_TRY(context.known_shape(tensor));
  if (auto number = shape[static_cast<size_t>(axis)].constant()) return Size(*number);
  return Size(TENON_TRY(context.add(Op::kShape, {tensor}, {{"start", axis}, {"end", axis + 1}})));
}

Result<std::vector<Size>> sizes_of(LowerContext& context, ValueId tensor) {
  std::vector<Size> sizes;
  const int64_t rank = TENON_TRY(context.rank(tensor));
  for (int64_t axis = 0; axis < rank; ++axis) sizes.push_back(TENON_TRY(size_of(context, tensor, axis)));
  return sizes;
}

Result<std::vector<Size>> size_list(LowerContext& context, const aten::SymIntList& items) {
  std::vector<Size> sizes;
  for (const auto& item : items) {
    if (!item.is_symbolic()) {
      sizes.emplace_back(item.value);
      continue;
    }
    ValueId vector = TENON_TRY(context.int_vector(aten::SymIntList{item}));
    const Tensor* known = context.constant(vector);
    sizes.push_back(known != nullptr ? Size(*known->data<int64_t>()) : Size(vector));
  }
  return sizes;
}

Result<Size> size_argument(LowerContext& context, std::string_view name) {
  aten::Argument argument = TENON_TRY(context.args().argument(name));
  aten::SymItem<int64_t> item;
  if (const auto* reference = argument.get<aten::SymIntRef>())
    item.name = reference->name;
  else
    item.value = TENON_TRY(context.args().integer(name));
  return TENON_TRY(size_list(context, {item}))[0];
}

Result<Size> combine(LowerContext& context, Op op, const Size& a, const Size& b) {
  if (a.is_number() && b.is_number()) {
    switch (op) {
      case Op::kAdd:
        return Size(a.number + b.number);
      case Op::kSub:
        return Size(a.number - b.number);
      default:
        return Size(a.number * b.number);
    }
  }
  ValueId left = a.is_number() ? context.ints({a.number}) : a.dynamic;
  ValueId right = b.is_number() ? context.ints({b.number}) : b.dynamic;
  return Size(TENON_TRY(context.add(op, {left, right})));
}

Result<ValueId> size_vector(LowerContext& context, const std::vector<Size>& sizes) {
  std::vector<ValueId> parts;
  std::vector<int64_t> numbers;
  auto flush = [&] {
    if (!numbers.empty()) parts.push_back(context.ints(numbers));
    numbers.clear();
  };
  for (const Size& size : sizes) {
    if (size.is_number()) {
      numbers.push_back(size.number);
    } else {
      flush();
      parts.push_back(size.dynamic);
    }
  }
  if (parts.empty()) return context.ints(numbers);
  flush();
  return parts.size() == 1 ? Result<ValueId>(parts[0])
                           : context.add(Op::kConcat, std::move(parts), {{"axis", int64_t{0}}});
}

Result<ValueId> size_scalar(LowerContext& context, const Size& size) {
  if (size.is_number()) return context.builder().constant(Tensor::scalar(size.number));
  return squeeze(context, size.dynamic, {0});
}

Result<ValueId> reshape(LowerContext& context, ValueId tensor, std::vector<Size> sizes) {
  const SymShape* input = context.shape(tensor);
  auto own = [&](size_t i) { return input != nullptr && i < input->size() ? &(*input)[i] : nullptr; };
  bool free =
      std::none_of(sizes.begin(), sizes.end(), [](const Size& s) { return s.is_number() && s.number == -1; });
  // A plain 0 copies the input's dimension: right only where that is 0 as well.
  bool zero = false;
  for (size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i].is_number() && sizes[i].number == 0) zero = zero || own(i) == nullptr || !own(i)->is(0);
  if (zero) {
    ValueId target = TENON_TRY(size_vector(context, sizes));
    return context.add(Op::kReshape, {tensor, target}, {{"allowzero", int64_t{1}}});
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i].is_number() || own(i) == nullptr) continue;
    const auto& elements = context.builder().graph().value(sizes[i].dynamic).elements;
    if (elements && elements->size() == 1 && (*elements)[0] == *own(i)) sizes[i] = Size(0);
  }
  auto dynamic = [](const Size& size) { return !size.is_number(); };
  if (free && std::count_if(sizes.begin(), sizes.end(), dynamic) == 1)
    *std::find_if(sizes.begin(), sizes.end(), dynamic) = Size(-1);
  ValueId target = TENON_TRY(size_vector(context, sizes));
  return context.add(Op::kReshape, {tensor, target});
}

Result<ValueId> unsqueeze(LowerContext& context, ValueId tensor, std::vector<int64_t> axes) {
  if (axes.empty()) return tensor;
  return context.add(Op::kUnsqueeze, {tensor, context.ints(axes)});
}

Result<ValueId> squeeze(LowerContext& context, ValueId tensor, std::vector<int64_t> axes) {
  if (axes.empty()) return tensor;
  return context.add(Op::kSqueeze, {tensor, context.ints(axes)});
}

Result<ValueId> permute(LowerContext& context, ValueId tensor, std::vector<int64_t> permutation) {
  if (std::is_sorted(permutation.begin(), permutation.end())) return tensor;
  return context.add(Op::kTranspose, {tensor}, {{"perm", std::move(permutation)}});
}

Result<ValueId> move_axis(LowerContext& context, ValueId tensor, int64_t from, int64_t to) {
  std::vector<int64_t> permutation(static_cast<size_t>(TENON_TRY(context.rank(tensor))));
  std::iota(permutation.begin(), permutation.end(), 0);
  permutation.erase(permutation.begin() + from);
  permutation.insert(permutation.begin() + to, from);
  return permute(context, tensor, std::move(permutation));
}

Result<ValueId> slice(LowerContext& context, ValueId tensor, int64_t axis, const Size& start, const Size& end,
                      int64_t step) {
  if (start.is_number() && start.number == 0 && end.is_number() && end.number == kToEnd && step == 1)
    return tensor;
  std::vector<ValueId> inputs = {tensor, TENON_TRY(size_vector(context, {start})),
                                 TENON_TRY(size_vector(context, {end})), context.ints({axis})};
  if (step != 1) inputs.push_back(context.ints({step}));
  return context.add(Op::kSlice, std::move(inputs));
}

Result<ValueId> expand(LowerContext& context, ValueId tensor, const std::vector<Size>& sizes) {
  if (auto shape = static_shape(context, tensor); shape && shape->size() == sizes.size()) {
    bool same = true;
    for (size_t i = 0; i < sizes.size(); ++i)
      same = same && sizes[i].is_number() && (sizes[i].number == 1 || sizes[i].number == (*shape)[i]);
    if (same) return tensor;
  }
  return context.add(Op::kExpand, {tensor, TENON_TRY(size_vector(context, sizes))});
}

Result<ValueId> expand_like(LowerContext& context, ValueId tensor, ValueId like) {
  SymShape wanted = TENON_TRY(context.known_shape(like));
  const SymShape* shape = context.shape(tensor);
  if (shape != nullptr && *shape == wanted) return tensor;
  if (auto numbers = constant_shape(wanted))
    return context.add(Op::kExpand, {tensor, context.ints(*numbers)});
  return context.add(Op::kExpand, {tensor, TENON_TRY(context.add(Op::kShape, {like}))});
}

Result<int64_t> axis_argument(LowerContext& context, std::string_view name, int64_t rank) {
  return ops::normalize_axis(TENON_TRY(context.args().integer(name)), std::max<int64_t>(rank, 1));
}

std::optional<Shape> static_shape(LowerContext& context, ValueId tensor) {
  const SymShape* shape = context.shape(tensor);
  return shape != nullptr ? constant_shape(*shape) : std::nullopt;
}

std::vector<int64_t> spread(std::vector<int64_t> values, size_t count) {
  if (values.size() == 1) values.resize(count, values[0]);
  return values;
}

}  // namespace tenon::lower
