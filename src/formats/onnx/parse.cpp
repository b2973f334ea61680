#include "formats/onnx/parse.h"

#include <bit>
#include <cstring>

namespace tenon::onnx {

using wire::Field;
using wire::WireType;

Status ParseContext::charge(size_t bytes) {
  if (bytes > budget_) {
    return with_hint(fail(ErrorCode::kLimit,
                          "the model has more nodes, names and attributes than fit the limit on memory"),
                     "the limit is an option of the reader");
  }
  budget_ -= bytes;
  return {};
}

Error ParseContext::wrong_type(const Field& field) const {
  return fail(ErrorCode::kMalformed, "damaged protobuf: field {} has the wrong wire type at byte {}",
              field.number, field.whole.data() - origin_);
}

Result<std::string_view> ParseContext::content(const Field& field) const {
  if (field.type != WireType::kBytes) return wrong_type(field);
  return field.bytes;
}

Result<wire::Reader> ParseContext::reader(const Field& message) const {
  return wire::Reader(TENON_TRY(content(message)), origin_);
}

Status ParseContext::text(const Field& field, std::string& out) {
  const std::string_view bytes = TENON_TRY(content(field));
  TENON_TRY(charge(bytes.size()));
  out = bytes;
  return {};
}

Status ParseContext::text(const Field& field, std::string& out, PresentFields& present) {
  TENON_TRY(text(field, out));
  const PresentFields bit = PresentFields{1} << field.number;
  present = out.empty() ? present | bit : present & ~bit;
  return {};
}

Status ParseContext::integer(const Field& field, int64_t& out, PresentFields& present) {
  if (field.type != WireType::kVarint) return wrong_type(field);
  out = field.integer();
  const PresentFields bit = PresentFields{1} << field.number;
  present = out == 0 ? present | bit : present & ~bit;
  return {};
}

Status ParseContext::append_text(const Field& field, std::vector<std::string>& out) {
  const std::string_view bytes = TENON_TRY(content(field));
  TENON_TRY(charge(sizeof(std::string) + bytes.size()));
  out.emplace_back(bytes);
  return {};
}

Status ParseContext::append_integers(const Field& field, std::vector<int64_t>& out) {
  if (field.type != WireType::kVarint && field.type != WireType::kBytes) return wrong_type(field);
  return wire::each_varint(field, origin_, [&](uint64_t value) -> Status {
    TENON_TRY(charge(sizeof value));
    out.push_back(static_cast<int64_t>(value));
    return {};
  });
}

Status ParseContext::append_floats(const Field& field, std::vector<float>& out) {
  if (field.type == WireType::kFixed32) {
    out.push_back(std::bit_cast<float>(static_cast<uint32_t>(field.value)));
    return charge(sizeof(float));
  }
  const std::string_view bytes = TENON_TRY(content(field));
  if (bytes.size() % sizeof(float) != 0) return wrong_type(field);
  TENON_TRY(charge(bytes.size()));
  const size_t old_size = out.size();
  out.resize(old_size + bytes.size() / sizeof(float));
  if (!bytes.empty()) std::memcpy(out.data() + old_size, bytes.data(), bytes.size());
  return {};
}

Status ParseContext::append_pair(const Field& field, StringPairs& out) {
  wire::Reader pair_reader = TENON_TRY(reader(field));
  TENON_TRY(charge(2 * sizeof(std::string)));
  auto& [key, value] = out.emplace_back();
  Field part;
  while (TENON_TRY(pair_reader.next(part))) {
    if (part.number == 1) TENON_TRY(text(part, key));
    if (part.number == 2) TENON_TRY(text(part, value));
  }
  return {};
}

Status ParseContext::keep(const Field& field, UnknownFields& out) {
  TENON_TRY(charge(field.whole.size()));
  out.append(field.whole);
  return {};
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace tenon::onnx
