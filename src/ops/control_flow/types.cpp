#include "ops/control_flow/types.h"

#include <algorithm>

namespace tenon::ops {

namespace {

bool made_by_inference(const SymInt& dim) {
  std::vector<std::string> names;
  dim.collect_symbols(names);
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name.starts_with('?'); });
}

// A carried value and which of its dimensions were found to change.
struct Carried {
  ValueType type;
  std::vector<bool> widened;
  bool any_kind = false;

  /// Takes in what the value is after an iteration; true when that told something new.
  Result<bool> absorb(const ValueType& next, InferContext& context) {
    if (any_kind) return false;
    if (next.kind == ValueType::Kind::kUnknown || type.kind == ValueType::Kind::kUnknown) {
      const bool news = type.kind != next.kind && type.kind == ValueType::Kind::kUnknown;
      if (news) type = next;
      return news;
    }
    if (next.kind != type.kind) {  // an optional that is opened on the way
      type = {};
      any_kind = true;
      return true;
    }
    if (!type.is_tensor()) {
      if (same_type(type, next)) return false;
      ValueType wider = either_type(type, next, context);
      if (wider.inner != nullptr && wider.inner->is_tensor()) {
        // Items keep their element type only: nothing is left to widen in the next round.
        ValueType inner = ValueType::tensor(wider.inner->element);
        wider.inner = std::make_shared<ValueType>(std::move(inner));
      }
      const bool news = !same_type(type, wider);
      type = std::move(wider);
      return news;
    }
    if (type.element == DataType::kUndefined) type.element = next.element;
    if (next.element != DataType::kUndefined && next.element != type.element)
      return fail(ErrorCode::kInvalidModel, "a value carried through a loop changes from {} to {}",
                  type.to_string(), next.to_string());
    if (!type.shape) return false;
    if (!next.shape || next.shape->size() != type.shape->size()) {
      type.shape.reset();
      return true;
    }
    widened.resize(type.shape->size(), false);
    bool news = false;
    for (size_t i = 0; i < widened.size(); ++i) {
      if (widened[i] || (*type.shape)[i] == (*next.shape)[i]) continue;
      (*type.shape)[i] = context.fresh_symbol();
      widened[i] = news = true;
    }
    return news;
  }
};

}  // namespace

bool same_type(const ValueType& a, const ValueType& b) {
  return a.kind == b.kind && a.element == b.element && a.shape == b.shape &&
         (a.inner == b.inner || (a.inner && b.inner && same_type(*a.inner, *b.inner)));
}

ValueType either_type(const ValueType& a, const ValueType& b, InferContext& context) {
  if (a.kind != b.kind) return {};
  ValueType result = a;
  if (a.element != b.element) result.element = DataType::kUndefined;
  if (a.shape && b.shape && a.shape->size() == b.shape->size()) {
    for (size_t i = 0; i < a.shape->size(); ++i)
      if (!((*a.shape)[i] == (*b.shape)[i])) (*result.shape)[i] = context.fresh_symbol();
  } else {
    result.shape.reset();
  }
  if (a.inner && b.inner)
    result.inner = std::make_shared<ValueType>(either_type(*a.inner, *b.inner, context));
  return result;
}

ValueType refreshed(const ValueType& type, InferContext& context) {
  ValueType result = type;
  if (result.shape)
    for (SymInt& dim : *result.shape)
      if (made_by_inference(dim)) dim = context.fresh_symbol();
  return result;
}

Result<LoopFacts> infer_loop(InferContext& context, std::string_view attribute,
                             std::vector<ValueFacts> formals, size_t first_formal, size_t first_result,
                             size_t count) {
  std::vector<Carried> carried(count);
  for (size_t i = 0; i < count; ++i) carried[i].type = formals[first_formal + i].type;
  while (true) {
    for (size_t i = 0; i < count; ++i)
      formals[first_formal + i] = {carried[i].type, std::nullopt, std::nullopt};
    LoopFacts facts;
    facts.results = TENON_TRY(context.infer_subgraph(attribute, formals));
    if (facts.results.size() < first_result + count)
      return fail(ErrorCode::kInvalidModel, "the subgraph '{}' has {} outputs, at least {} are needed",
                  attribute, facts.results.size(), first_result + count);
    bool news = false;
    for (size_t i = 0; i < count; ++i)
      if (TENON_TRY(carried[i].absorb(facts.results[first_result + i].type, context))) news = true;
    if (news) continue;
    for (Carried& value : carried) facts.carried.push_back(refreshed(value.type, context));
    return facts;
  }
}

}  // namespace tenon::ops
