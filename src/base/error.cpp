#include "tenon/error.h"

#include "base/try.h"

namespace tenon {

namespace {

struct CodeFacts {
  std::string_view name;
  int exit_status;
};

constexpr CodeFacts facts(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return {"usage", 2};
    case ErrorCode::kNotFound:
      return {"not_found", 2};
    case ErrorCode::kIo:
      return {"io", 2};
    case ErrorCode::kMalformed:
      return {"malformed", 2};
    case ErrorCode::kInvalidModel:
      return {"invalid_model", 2};
    case ErrorCode::kLimit:
      return {"limit", 2};
    case ErrorCode::kMismatch:
      return {"mismatch", 2};
    case ErrorCode::kUnsupported:
      return {"unsupported", 1};
    case ErrorCode::kNotComparable:
      return {"not_comparable", 1};
    case ErrorCode::kUnavailable:
      return {"unavailable", 2};
    case ErrorCode::kOutOfMemory:
      return {"out_of_memory", 2};
    case ErrorCode::kCancelled:
      return {"cancelled", 2};
    case ErrorCode::kInternal:
      return {"internal", 2};
  }
  return {"internal", 2};
}

void append_escaped(std::string& out, std::string_view text) {
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
}

}  // namespace

std::string_view error_code_name(ErrorCode code) {
  return facts(code).name;
}
int exit_status(ErrorCode code) {
  return facts(code).exit_status;
}

std::string Error::to_string() const {
  std::string out;
  if (!file.empty()) {
    append_escaped(out, file);
    out += ": ";
  }
  if (!node.empty() || !op.empty()) {
    if (!node.empty()) {
      out += "node '";
      append_escaped(out, node);
      out += "'";
    }
    if (!op.empty()) {
      out += node.empty() ? "operator " : " (";
      append_escaped(out, op);
      if (!node.empty()) out += ")";
    }
    out += ": ";
  }
  append_escaped(out, message);
  if (!hint.empty()) {
    out += "; ";
    append_escaped(out, hint);
  }
  return out;
}

Error at_file(Error error, std::string_view file) {
  if (error.file.empty()) error.file = file;
  return error;
}

Error at_node(Error error, std::string_view node, std::string_view op) {
  if (error.node.empty() && error.op.empty()) {
    error.node = node;
    error.op = op;
  }
  return error;
}

Error with_hint(Error error, std::string hint) {
  if (error.hint.empty()) error.hint = std::move(hint);
  return error;
}

}  // namespace tenon
