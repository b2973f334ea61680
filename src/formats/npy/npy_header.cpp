#include "formats/npy/npy_header.h"

#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/little_endian.h"
#include "base/try.h"

namespace tenon {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeaderBytes = 65536;
constexpr size_t kMaxRank = 64;
constexpr size_t kAlignment = 64;

struct NumberType {
  std::string_view descr;
  DataType type;
};

/// Each numeric type as it is written; the first character is the byte order ('|': none).
constexpr std::array<NumberType, 16> kNumberTypes = {{
    {"|b1", DataType::kBool},
    {"|i1", DataType::kInt8},
    {"<i2", DataType::kInt16},
    {"<i4", DataType::kInt32},
    {"<i8", DataType::kInt64},
    {"|u1", DataType::kUInt8},
    {"<u2", DataType::kUInt16},
    {"<u4", DataType::kUInt32},
    {"<u8", DataType::kUInt64},
    {"<f2", DataType::kFloat16},
    {"<f4", DataType::kFloat32},
    {"<f8", DataType::kFloat64},
    {"<c8", DataType::kComplex64},
    {"<c16", DataType::kComplex128},
    {"<V2", DataType::kBFloat16},
    {"<f1", DataType::kFloat8E5M2},
}};

Error bad_header(std::string_view what) {
  return fail(ErrorCode::kMalformed, "the npy header {}", what);
}

Error unsupported_type(std::string_view descr) {
  if (descr.find('O') != descr.npos)
    return with_hint(
        fail(ErrorCode::kUnsupported, "the npy array holds pickled Python objects, which are never loaded"),
        "save it with a numeric or string dtype");
  return with_hint(
      fail(ErrorCode::kUnsupported, "the npy array has dtype '{}', which is not supported", descr),
      "convert it with .astype, or .view for bits");
}

Result<NpyType> parse_type(std::string_view descr) {
  std::string_view name = descr;
  NpyType type;
  if (!name.empty() && std::string_view("<>|=").find(name.front()) != std::string_view::npos) {
    type.big_endian = name.front() == '>';
    name.remove_prefix(1);
  }
  for (const NumberType& number : kNumberTypes) {
    if (number.descr.substr(1) != name) continue;
    type.type = number.type;
    type.item_bytes = element_size(number.type);
    return type;
  }
  if (name.empty() || (name.front() != 'U' && name.front() != 'S')) return unsupported_type(descr);
  type.kind = name.front() == 'U' ? NpyKind::kText : NpyKind::kBytes;
  type.type = DataType::kString;
  name.remove_prefix(1);
  uint32_t length = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), length);
  if (error != std::errc() || end != name.data() + name.size()) return unsupported_type(descr);
  type.item_bytes = size_t{length} * (type.kind == NpyKind::kText ? 4 : 1);
  return type;
}

/// Reads the Python literal that a header is: a dict of three known keys. Nothing else of Python is
/// understood.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Result<NpyHeader> run() {
    if (!take('{')) return bad_header("is not a Python dict");
    while (!take('}')) {
      std::string_view key = TENON_TRY(quoted());
      if (!take(':')) return bad_header("lacks a ':'");
      if (key == "descr")
        TENON_TRY(descr());
      else if (key == "fortran_order")
        TENON_TRY(fortran_order());
      else if (key == "shape")
        TENON_TRY(shape());
      else
        return bad_header(fmt::format("has the unknown key '{}'", key));
      if (!take(',') && peek() != '}') return bad_header("lacks a ','");
    }
    skip_space();
    if (!text_.empty()) return bad_header("goes on behind its dict");
    if (!seen_descr_ || !seen_order_ || !seen_shape_)
      return bad_header("lacks one of descr, fortran_order, shape");
    return header_;
  }

 private:
  void skip_space() {
    size_t count = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(std::min(count, text_.size()));
  }
  char peek() {
    skip_space();
    return text_.empty() ? '\0' : text_.front();
  }
  bool take(char c) {
    if (peek() != c || text_.empty()) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    skip_space();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  Result<std::string_view> quoted() {
    char quote = peek();
    size_t end = quote == '\'' || quote == '"' ? text_.find(quote, 1) : text_.npos;
    if (end == text_.npos) return bad_header("lacks a quoted word");
    std::string_view word = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return word;
  }

  Status descr() {
    if (std::exchange(seen_descr_, true)) return bad_header("says descr twice");
    if (peek() == '[' || peek() == '(')
      return with_hint(fail(ErrorCode::kUnsupported, "the npy array is structured, which is not supported"),
                       "save each field as an array of its own");
    std::string_view name = TENON_TRY(quoted());
    header_.type = TENON_TRY(parse_type(name));
    return {};
  }

  Status fortran_order() {
    if (std::exchange(seen_order_, true)) return bad_header("says fortran_order twice");
    if (take("True"))
      header_.fortran_order = true;
    else if (!take("False"))
      return bad_header("has a fortran_order that is neither True nor False");
    return {};
  }

  Status shape() {
    if (std::exchange(seen_shape_, true)) return bad_header("says shape twice");
    if (!take('(')) return bad_header("has a shape that is not a tuple");
    while (!take(')')) {
      if (header_.shape.size() == kMaxRank)
        return fail(ErrorCode::kLimit, "the npy array has more than {} dimensions", kMaxRank);
      skip_space();
      int64_t dim = 0;
      auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), dim);
      if (error != std::errc() || dim < 0) return bad_header("has a shape that is not of counting numbers");
      text_.remove_prefix(static_cast<size_t>(end - text_.data()));
      if (text_.starts_with('L')) text_.remove_prefix(1);  // Python 2's long integers
      header_.shape.push_back(dim);
      if (!take(',') && peek() != ')') return bad_header("lacks a ',' in its shape");
    }
    auto count = element_count(header_.shape);
    if (!count.ok()) return std::move(count.error());
    return {};
  }

  std::string_view text_;
  NpyHeader header_;
  bool seen_descr_ = false;
  bool seen_order_ = false;
  bool seen_shape_ = false;
};

}  // namespace

bool is_npy(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

Result<NpyHeader> parse_npy_header(std::span<const std::byte> file) {
  if (!is_npy(file))
    return fail(ErrorCode::kMalformed, "this is not an npy file: its first bytes are others");
  size_t begin = kMagic.size() + 2;
  if (file.size() < begin + 4) return bad_header("is cut short");
  int version = std::to_integer<int>(file[kMagic.size()]);
  if (version < 1 || version > 3)
    return fail(ErrorCode::kUnsupported, "the npy file has version {}; 1 to 3 are supported", version);
  size_t size =
      version == 1 ? load_little<uint16_t>(file.data() + begin) : load_little<uint32_t>(file.data() + begin);
  begin += version == 1 ? 2 : 4;
  if (size > kMaxHeaderBytes)
    return fail(ErrorCode::kLimit, "the npy header has {} bytes; the limit is {}", size, kMaxHeaderBytes);
  if (file.size() - begin < size) return bad_header("is cut short");
  std::string_view text(reinterpret_cast<const char*>(file.data()) + begin, size);
  NpyHeader header = TENON_TRY(HeaderParser(text).run());
  header.data_offset = begin + size;
  return header;
}

std::string format_npy_header(std::string_view descr, std::span<const int64_t> shape) {
  std::string dims;
  for (int64_t dim : shape) dims += fmt::format("{}, ", dim);
  if (shape.size() > 1)
    dims.resize(dims.size() - 2);
  else if (shape.size() == 1)
    dims.pop_back();
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, dims);
  size_t prefix = kMagic.size() + 4;
  size_t total = (prefix + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  text.append(total - prefix - text.size() - 1, ' ');
  text += '\n';
  std::string header(kMagic);
  header += '\1';
  header += '\0';
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

std::string_view npy_descr(DataType type) {
  if (type == DataType::kFloat8E5M2) return "";  // NumPy itself does not read '<f1'.
  for (const NumberType& number : kNumberTypes)
    if (number.type == type) return number.descr;
  return "";
}

}  // namespace tenon
