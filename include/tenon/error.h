// Errors as values. tenon never throws to its caller, never prints and never aborts: what can go wrong comes
// back as a Result<T> that holds either the value or an Error saying what failed, where, and what to do next.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace tenon {

/// What kind of failure an Error is. `exit_status` maps each to the status of the command line tool.
enum class ErrorCode {
  kUsage,          ///< The caller asked for something that makes no sense: an unknown name, a bad option.
  kNotFound,       ///< A file that was named does not exist or cannot be opened.
  kIo,             ///< Reading or writing failed part way.
  kMalformed,      ///< The bytes are not what they claim to be: damaged or hostile.
  kInvalidModel,   ///< The file is well formed, but the model in it breaks a rule of its format.
  kLimit,          ///< A resource limit (bytes, depth, nodes, time) would be exceeded.
  kMismatch,       ///< Given tensors do not have the type or shape that the model expects.
  kUnsupported,    ///< Valid, but not supported: by tenon, or by the opset asked for.
  kNotComparable,  ///< Valid, but nothing can be concluded from comparing it.
  kUnavailable,    ///< Needs a program or device that is not present on this machine.
  kOutOfMemory,    ///< Memory ran out.
  kCancelled,      ///< A deadline passed or the run was cancelled.
  kInternal,       ///< tenon broke one of its own rules: a bug worth reporting.
};

/// The stable lower-case name of a code, as it stands in JSON ("malformed", "unsupported", ...).
std::string_view error_code_name(ErrorCode code);

/// 1 when the input is valid and the answer is no (unsupported, not comparable), 2 otherwise.
int exit_status(ErrorCode code);

/// One failure. `message` is a full sentence without a trailing period; the other fields may be empty.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string file;  ///< The file at fault, as the caller named it.
  std::string node;  ///< The node (or value) at fault.
  std::string op;    ///< Its operator, e.g. "Conv" or "aten.conv2d.default".
  std::string hint;  ///< What to do next.

  /// All fields on one line: "FILE: node 'N' (OP): MESSAGE; HINT". Control characters are escaped.
  std::string to_string() const;
};

/// Either a T or an Error. Move-only when T is.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error)
      : state_(std::in_place_index<1>, std::make_unique<Error>(std::move(error))) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() { return **std::get_if<1>(&state_); }
  const Error& error() const { return **std::get_if<1>(&state_); }

 private:
  std::variant<T, std::unique_ptr<Error>> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}  // NOLINT: implicit by design

  bool ok() const { return error_ == nullptr; }
  explicit operator bool() const { return ok(); }
  void value() const {}
  Error& error() { return *error_; }
  const Error& error() const { return *error_; }

 private:
  std::unique_ptr<Error> error_;
};

using Status = Result<void>;

}  // namespace tenon
