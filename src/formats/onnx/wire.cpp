#include "formats/onnx/wire.h"

#include <bit>
#include <cstring>
#include <protozero/buffer_string.hpp>
#include <protozero/varint.hpp>

#include "base/try.h"

namespace tenon::onnx::wire {

static_assert(std::endian::native == std::endian::little, "raw tensor data is used as it lies in the file");

bool read_varint(const char** at, const char* end, uint64_t* value) {
  try {
    *value = protozero::decode_varint(at, end);
    return true;
  } catch (const protozero::exception&) {
    return false;
  }
}

Error Reader::broken(const char* at, std::string_view what) const {
  return fail(ErrorCode::kMalformed, "damaged protobuf: {} at byte {}", what, at - origin_);
}

Result<uint64_t> Reader::varint() {
  uint64_t value = 0;
  if (!read_varint(&at_, end_, &value)) return broken(at_, "a number that is too long or cut off");
  return value;
}

Result<bool> Reader::next(Field& field) {
  if (at_ == end_) return false;
  const char* const start = at_;
  const uint64_t tag = TENON_TRY(varint());
  const uint64_t number = tag >> 3;
  if (number == 0 || number > 0x1fffffff) return broken(start, "an impossible field number");
  field.number = static_cast<uint32_t>(number);
  field.type = static_cast<WireType>(tag & 7);
  field.value = 0;
  field.bytes = {};
  size_t length = 0;
  switch (field.type) {
    case WireType::kVarint:
      field.value = TENON_TRY(varint());
      break;
    case WireType::kFixed32:
    case WireType::kFixed64:
      length = field.type == WireType::kFixed32 ? 4 : 8;
      if (static_cast<size_t>(end_ - at_) < length) return broken(start, "a number that is cut off");
      std::memcpy(&field.value, at_, length);
      at_ += length;
      break;
    case WireType::kBytes: {
      const uint64_t size = TENON_TRY(varint());
      if (size > static_cast<uint64_t>(end_ - at_))
        return broken(start, "a length that reaches past the end of the enclosing message");
      field.bytes = {at_, static_cast<size_t>(size)};
      at_ += size;
      break;
    }
    default:
      return broken(start, "a field of an unknown wire type");
  }
  field.whole = {start, static_cast<size_t>(at_ - start)};
  return true;
}

void append_varint(std::string& out, uint64_t value) {
  protozero::add_varint_to_buffer(&out, value);
}

void Message::add_tag(uint32_t number, WireType type) {
  append_varint(small_, uint64_t{number} << 3 | static_cast<uint64_t>(type));
}

void Message::add_varint(uint32_t number, uint64_t value) {
  add_tag(number, WireType::kVarint);
  append_varint(small_, value);
}

void Message::add_fixed32(uint32_t number, uint32_t bits) {
  add_tag(number, WireType::kFixed32);
  small_.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

void Message::add_fixed64(uint32_t number, uint64_t bits) {
  add_tag(number, WireType::kFixed64);
  small_.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

void Message::add_float(uint32_t number, float value) {
  add_fixed32(number, std::bit_cast<uint32_t>(value));
}

void Message::add_bytes(uint32_t number, std::string_view bytes) {
  add_tag(number, WireType::kBytes);
  append_varint(small_, bytes.size());
  small_.append(bytes);
}

void Message::add_view(uint32_t number, std::string_view bytes) {
  constexpr size_t kWorthAReference = 1024;
  if (bytes.size() < kWorthAReference) return add_bytes(number, bytes);
  add_tag(number, WireType::kBytes);
  append_varint(small_, bytes.size());
  blobs_.push_back({small_.size(), bytes});
  blob_bytes_ += bytes.size();
}

void Message::add_message(uint32_t number, const Message& message) {
  add_tag(number, WireType::kBytes);
  append_varint(small_, message.size());
  const size_t base = small_.size();
  small_.append(message.small_);
  for (const Blob& blob : message.blobs_) blobs_.push_back({base + blob.at, blob.bytes});
  blob_bytes_ += message.blob_bytes_;
}

void Message::append(std::string_view fields) {
  small_.append(fields);
}

std::string Message::to_string() const {
  std::string result;
  result.reserve(size());
  Status status = write_pieces([&](std::string_view piece) {
    result.append(piece);
    return Status();
  });
  status.value();
  return result;
}

}  // namespace tenon::onnx::wire
