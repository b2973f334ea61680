#include "formats/torch/pickle.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/little_endian.h"
#include "base/try.h"
#include "formats/torch/pickle_globals.h"
#include "formats/torch/pickle_opcodes.h"

namespace tenon::pickle {

namespace {

constexpr size_t kMaxGlobalBytes = 256;
constexpr uint8_t kMaxProtocol = 5;

class Machine {
 public:
  explicit Machine(SharedBytes stream) : arena_(std::make_shared<Arena>()) {
    arena_->stream = std::move(stream);
    rest_ = arena_->stream.text();
  }

  Result<Pickle> run() {
    if (rest_.empty() || rest_.front() != static_cast<char>(Opcode::kProto)) {
      return fail(ErrorCode::kMalformed, "these bytes are no pickle of protocol 2 to {}", kMaxProtocol);
    }
    while (!stopped_) {
      const size_t position = arena_->stream.size() - rest_.size();
      Status status = step();
      if (!status.ok()) {
        Error error = std::move(status.error());
        error.message = fmt::format("damaged or hostile pickle, at byte {}: {}", position, error.message);
        return error;
      }
    }
    return Pickle{arena_, result_, arena_->stream.size() - rest_.size()};
  }

 private:
  Error bad(std::string_view what) const { return fail(ErrorCode::kMalformed, "{}", what); }

  Result<std::string_view> take(uint64_t count) {
    if (count > rest_.size()) return bad("it ends in the middle");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  template <class T>
  Result<T> take_number() {
    const std::string_view bytes = TENON_TRY(take(sizeof(T)));
    return load_little<T>(reinterpret_cast<const std::byte*>(bytes.data()));
  }
  /// Bytes that follow their own length, of type T.
  template <class T>
  Result<std::string_view> take_counted() {
    const T count = TENON_TRY(take_number<T>());
    return take(count);
  }
  Result<std::string_view> take_line() {
    const size_t end = rest_.substr(0, kMaxGlobalBytes).find('\n');
    if (end == std::string_view::npos) return bad("a name does not end");
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  /// Where the items of the innermost open mark begin: nothing below may be touched.
  size_t base() const { return marks_.empty() ? 0 : marks_.back(); }
  Result<Value*> pop() {
    if (stack_.size() <= base()) return bad("it takes more values than it made");
    Value* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  Result<Value*> top() const {
    if (stack_.size() <= base()) return bad("it takes more values than it made");
    return stack_.back();
  }
  /// Closes the innermost mark and returns the items above it.
  Result<std::vector<const Value*>> pop_mark() {
    if (marks_.empty()) return bad("it closes a mark that is not open");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<const Value*> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  Status push(Value value) {
    stack_.push_back(&arena_->values.emplace_back(std::move(value)));
    return {};
  }
  Status push_text(std::string_view text) {
    if (!simdjson::validate_utf8(text.data(), text.size())) return bad("a text is not UTF-8");
    return push(Value{text});
  }
  Status push_tuple(size_t count) {
    if (stack_.size() - base() < count) return bad("it takes more values than it made");
    const auto begin = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<const Value*> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    return push(Value{Sequence{Sequence::Kind::kTuple, std::move(items)}});
  }

  Status put(size_t slot) {
    if (slot >= kMaxOpcodes) return bad("a memo number is too large");
    Value* value = TENON_TRY(top());
    if (slot >= memo_.size()) memo_.resize(slot + 1, nullptr);
    if (memo_[slot] == nullptr) ++memo_count_;
    memo_[slot] = value;
    return {};
  }
  Status get(size_t slot) {
    if (slot >= memo_.size() || memo_[slot] == nullptr) return bad("it recalls a value that it never stored");
    stack_.push_back(memo_[slot]);
    return {};
  }

  Status push_long(std::string_view bytes) {
    if (bytes.size() > 8) return push(Value{BigInt{bytes}});
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    if (!bytes.empty() && bytes.size() < 8 && (bytes.back() & 0x80) != 0)
      value |= ~uint64_t{0} << (8 * bytes.size());
    return push(Value{static_cast<int64_t>(value)});
  }
  Status push_float() {
    const auto bits = TENON_TRY(take_number<uint64_t>());
    return push(Value{std::bit_cast<double>(__builtin_bswap64(bits))});
  }

  Status append(std::span<const Value* const> items, Sequence::Kind kind) {
    Value* target = TENON_TRY(top());
    Sequence* sequence = std::get_if<Sequence>(&target->data);
    if (sequence == nullptr || sequence->kind != kind) return bad("it appends to what is no list");
    sequence->items.insert(sequence->items.end(), items.begin(), items.end());
    return {};
  }
  Status set_items(std::span<const Value* const> items) {
    Value* target = TENON_TRY(top());
    Dict* dict = std::get_if<Dict>(&target->data);
    if (dict == nullptr) return bad("it sets an item of what is no dict");
    if (items.size() % 2 != 0) return bad("a key has no value");
    for (size_t i = 0; i < items.size(); i += 2) dict->entries.emplace_back(items[i], items[i + 1]);
    return {};
  }

  Status push_global(std::string_view module, std::string_view name) {
    const std::optional<Global> global = find_global(module, name);
    if (!global) {
      return with_hint(fail(ErrorCode::kMalformed,
                            "it names '{}.{}', which is not allowed in a file of weights", module, name),
                       "save the weights alone: torch.save(model.state_dict(), path)");
    }
    return push(Value{*global});
  }
  Status call() {
    const Value* arguments = TENON_TRY(pop());
    const Value* callee = TENON_TRY(pop());
    const Sequence* items = arguments->as<Sequence>();
    const Global* global = callee->as<Global>();
    if (global == nullptr || items == nullptr || items->kind != Sequence::Kind::kTuple) {
      return bad("it calls a value that cannot be called");
    }
    stack_.push_back(TENON_TRY(reduce(*global, items->items, *arena_, steps_)));
    return {};
  }
  /// The state of an OrderedDict (a state dict's _metadata) is dropped; nothing else may have one.
  Status build() {
    TENON_TRY(pop());
    const Value* target = TENON_TRY(top());
    const Dict* dict = target->as<Dict>();
    if (dict == nullptr || !dict->ordered) return bad("it sets the state of an object that has none");
    return {};
  }

  Status step();
  Status step_data(Opcode opcode);
  Status step_container(Opcode opcode);

  std::shared_ptr<Arena> arena_;
  std::string_view rest_;
  std::vector<Value*> stack_;
  std::vector<size_t> marks_;
  std::vector<Value*> memo_;
  size_t memo_count_ = 0;
  size_t steps_ = 0;
  const Value* result_ = nullptr;
  bool stopped_ = false;
};

Status Machine::step() {
  if (++steps_ > kMaxOpcodes) return fail(ErrorCode::kLimit, "it has more than {} steps", kMaxOpcodes);
  const auto opcode = Opcode{TENON_TRY(take_number<uint8_t>())};
  switch (opcode) {
    case Opcode::kProto:
      if (TENON_TRY(take_number<uint8_t>()) > kMaxProtocol) return bad("its protocol is not known");
      return {};
    case Opcode::kFrame:
      if (TENON_TRY(take_number<uint64_t>()) > rest_.size()) return bad("it ends in the middle");
      return {};
    case Opcode::kStop:
      result_ = TENON_TRY(pop());
      if (!stack_.empty() || !marks_.empty()) return bad("it stops with values left over");
      stopped_ = true;
      return {};
    case Opcode::kMark:
      marks_.push_back(stack_.size());
      return {};
    case Opcode::kMemoize:
      return put(memo_count_);
    case Opcode::kBinPut:
      return put(TENON_TRY(take_number<uint8_t>()));
    case Opcode::kLongBinPut:
      return put(TENON_TRY(take_number<uint32_t>()));
    case Opcode::kBinGet:
      return get(TENON_TRY(take_number<uint8_t>()));
    case Opcode::kLongBinGet:
      return get(TENON_TRY(take_number<uint32_t>()));
    case Opcode::kGlobal: {
      const std::string_view module = TENON_TRY(take_line());
      return push_global(module, TENON_TRY(take_line()));
    }
    case Opcode::kStackGlobal: {
      const auto* name = TENON_TRY(pop())->as<std::string_view>();
      const auto* module = TENON_TRY(pop())->as<std::string_view>();
      if (name == nullptr || module == nullptr) return bad("a name is no text");
      return push_global(*module, *name);
    }
    case Opcode::kReduce:
    case Opcode::kNewObj:
      return call();
    case Opcode::kBuild:
      return build();
    case Opcode::kBinPersId: {
      const Value* id = TENON_TRY(pop());
      stack_.push_back(TENON_TRY(load_persistent(*id, *arena_)));
      return {};
    }
    default:
      return step_data(opcode);
  }
}

Status Machine::step_data(Opcode opcode) {
  switch (opcode) {
    case Opcode::kNone:
      return push(Value{None{}});
    case Opcode::kNewTrue:
      return push(Value{true});
    case Opcode::kNewFalse:
      return push(Value{false});
    case Opcode::kBinInt:
      return push(Value{int64_t{TENON_TRY(take_number<int32_t>())}});
    case Opcode::kBinInt1:
      return push(Value{int64_t{TENON_TRY(take_number<uint8_t>())}});
    case Opcode::kBinInt2:
      return push(Value{int64_t{TENON_TRY(take_number<uint16_t>())}});
    case Opcode::kLong1:
      return push_long(TENON_TRY(take_counted<uint8_t>()));
    case Opcode::kLong4:
      return push_long(TENON_TRY(take_counted<uint32_t>()));
    case Opcode::kBinFloat:
      return push_float();
    case Opcode::kBinString:
      return push_text(TENON_TRY(take_counted<uint32_t>()));
    case Opcode::kShortBinString:
      return push_text(TENON_TRY(take_counted<uint8_t>()));
    case Opcode::kBinUnicode:
      return push_text(TENON_TRY(take_counted<uint32_t>()));
    case Opcode::kShortBinUnicode:
      return push_text(TENON_TRY(take_counted<uint8_t>()));
    case Opcode::kBinUnicode8:
      return push_text(TENON_TRY(take_counted<uint64_t>()));
    case Opcode::kBinBytes:
      return push(Value{Bytes{TENON_TRY(take_counted<uint32_t>())}});
    case Opcode::kShortBinBytes:
      return push(Value{Bytes{TENON_TRY(take_counted<uint8_t>())}});
    case Opcode::kBinBytes8:
    case Opcode::kByteArray8:
      return push(Value{Bytes{TENON_TRY(take_counted<uint64_t>())}});
    default:
      return step_container(opcode);
  }
}

Status Machine::step_container(Opcode opcode) {
  switch (opcode) {
    case Opcode::kEmptyTuple:
      return push_tuple(0);
    case Opcode::kTuple1:
      return push_tuple(1);
    case Opcode::kTuple2:
      return push_tuple(2);
    case Opcode::kTuple3:
      return push_tuple(3);
    case Opcode::kTuple:
      return push(Value{Sequence{Sequence::Kind::kTuple, TENON_TRY(pop_mark())}});
    case Opcode::kFrozenSet:
      return push(Value{Sequence{Sequence::Kind::kSet, TENON_TRY(pop_mark())}});
    case Opcode::kEmptyList:
      return push(Value{Sequence{Sequence::Kind::kList, {}}});
    case Opcode::kEmptySet:
      return push(Value{Sequence{Sequence::Kind::kSet, {}}});
    case Opcode::kEmptyDict:
      return push(Value{Dict{}});
    case Opcode::kAppend: {
      const std::array<const Value*, 1> item = {TENON_TRY(pop())};
      return append(item, Sequence::Kind::kList);
    }
    case Opcode::kAppends:
      return append(TENON_TRY(pop_mark()), Sequence::Kind::kList);
    case Opcode::kAddItems:
      return append(TENON_TRY(pop_mark()), Sequence::Kind::kSet);
    case Opcode::kSetItem: {
      const Value* value = TENON_TRY(pop());
      const std::array<const Value*, 2> pair = {TENON_TRY(pop()), value};
      return set_items(pair);
    }
    case Opcode::kSetItems:
      return set_items(TENON_TRY(pop_mark()));
    default:
      return fail(ErrorCode::kMalformed, "opcode 0x{:02x} is not allowed in a file of weights",
                  static_cast<unsigned>(opcode));
  }
}

}  // namespace

const Value* Dict::find(std::string_view key) const {
  const auto found = std::find_if(entries.rbegin(), entries.rend(), [key](const auto& entry) {
    const auto* text = entry.first->template as<std::string_view>();
    return text != nullptr && *text == key;
  });
  return found == entries.rend() ? nullptr : found->second;
}

std::string_view Value::kind_name() const {
  constexpr std::array<std::string_view, 13> kNames = {
      "None",   "a bool",     "an int", "a float", "a complex number", "a text",  "bytes",
      "an int", "a sequence", "a dict", "a type",  "a storage",        "a tensor"};
  static_assert(kNames.size() == std::variant_size_v<decltype(Value::data)>);
  return kNames[data.index()];
}

Result<Pickle> load_pickle(SharedBytes stream) {
  return Machine(std::move(stream)).run();
}

}  // namespace tenon::pickle
