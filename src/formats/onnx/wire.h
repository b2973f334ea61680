// The wire format of protobuf, below any knowledge of ONNX: a reader of one message's fields that copies
// nothing, and a message under construction that refers to large byte ranges instead of copying them. Varints
// are protozero's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tenon/error.h"

namespace tenon::onnx::wire {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;      ///< Of a varint or fixed field.
  std::string_view bytes;  ///< Of a length-delimited field.
  std::string_view whole;  ///< The field with its tag.

  int64_t integer() const { return static_cast<int64_t>(value); }
  /// The outermost message, as if it were a field.
  static Field outermost(std::string_view message) { return {0, WireType::kBytes, 0, message, message}; }
};

/// Reads the fields of one message in order. `origin` is where the outermost message starts: errors name the
/// byte counted from there. All errors are kMalformed; groups are refused.
class Reader {
 public:
  Reader(std::string_view message, const char* origin)
      : at_(message.data()), end_(message.data() + message.size()), origin_(origin) {}

  /// True: `field` holds the next field. False: the message is over.
  Result<bool> next(Field& field);

 private:
  Result<uint64_t> varint();
  Error broken(const char* at, std::string_view what) const;

  const char* at_;
  const char* end_;
  const char* origin_;
};

/// Calls `take(uint64_t)` for each element of a repeated integer field, packed or not. `take` returns a
/// Status. The field is of type kVarint or kBytes.
template <class Take>
Status each_varint(const Field& field, const char* origin, Take take);

/// Reads one varint at `*at` and moves behind it; false when there is none before `end`.
bool read_varint(const char** at, const char* end, uint64_t* value);

void append_varint(std::string& out, uint64_t value);

/// A message under construction.
class Message {
 public:
  void add_varint(uint32_t number, uint64_t value);
  void add_integer(uint32_t number, int64_t value) { add_varint(number, static_cast<uint64_t>(value)); }
  void add_fixed32(uint32_t number, uint32_t bits);
  void add_fixed64(uint32_t number, uint64_t bits);
  void add_float(uint32_t number, float value);
  /// Copies the bytes.
  void add_bytes(uint32_t number, std::string_view bytes);
  /// Refers to the bytes, which must stay valid for the life of this message and of those that take it in.
  void add_view(uint32_t number, std::string_view bytes);
  void add_message(uint32_t number, const Message& message);
  /// Fields that are encoded already.
  void append(std::string_view fields);

  uint64_t size() const { return small_.size() + blob_bytes_; }
  /// Calls write(std::string_view) for each piece in order; write returns a Status.
  template <class Write>
  Status write_pieces(Write write) const {
    size_t at = 0;
    for (const Blob& blob : blobs_) {
      if (Status status = write(std::string_view(small_).substr(at, blob.at - at)); !status.ok())
        return status;
      if (Status status = write(blob.bytes); !status.ok()) return status;
      at = blob.at;
    }
    return write(std::string_view(small_).substr(at));
  }
  std::string to_string() const;

 private:
  void add_tag(uint32_t number, WireType type);

  struct Blob {
    size_t at;  // stands before this byte of small_
    std::string_view bytes;
  };
  std::string small_;
  std::vector<Blob> blobs_;
  uint64_t blob_bytes_ = 0;
};

template <class Take>
Status each_varint(const Field& field, const char* origin, Take take) {
  if (field.type == WireType::kVarint) return take(field.value);
  const char* at = field.bytes.data();
  const char* const end = at + field.bytes.size();
  while (at != end) {
    uint64_t value = 0;
    if (!read_varint(&at, end, &value)) {
      Error error;
      error.code = ErrorCode::kMalformed;
      error.message = "damaged protobuf: a broken list of integers at byte " + std::to_string(at - origin);
      return error;
    }
    if (Status status = take(value); !status.ok()) return status;
  }
  return {};
}

}  // namespace tenon::onnx::wire
