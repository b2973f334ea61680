#include "formats/torch/safetensors.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

#include "base/little_endian.h"
#include "base/try.h"
#include "formats/torch/strided.h"

namespace tenon {

namespace {

namespace dom = simdjson::dom;

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = uint64_t{32} << 20;
constexpr size_t kMaxJsonDepth = 8;
constexpr int64_t kMaxRank = 64;

struct TypeRow {
  std::string_view name;
  DataType type;
};
constexpr std::array kTypes = {
    TypeRow{"F64", DataType::kFloat64},
    TypeRow{"F32", DataType::kFloat32},
    TypeRow{"F16", DataType::kFloat16},
    TypeRow{"BF16", DataType::kBFloat16},
    TypeRow{"I64", DataType::kInt64},
    TypeRow{"I32", DataType::kInt32},
    TypeRow{"I16", DataType::kInt16},
    TypeRow{"I8", DataType::kInt8},
    TypeRow{"U64", DataType::kUInt64},
    TypeRow{"U32", DataType::kUInt32},
    TypeRow{"U16", DataType::kUInt16},
    TypeRow{"U8", DataType::kUInt8},
    TypeRow{"BOOL", DataType::kBool},
    TypeRow{"C64", DataType::kComplex64},
    TypeRow{"F8_E4M3", DataType::kFloat8E4M3FN},
    TypeRow{"F8_E5M2", DataType::kFloat8E5M2},
    TypeRow{"F8_E8M0", DataType::kFloat8E8M0},
};

/// What the header says about one tensor.
struct Record {
  std::string_view name;
  DataType type = DataType::kUndefined;
  std::vector<int64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

Error bad(std::string_view what) {
  return fail(ErrorCode::kMalformed, "the safetensors header {}", what);
}

template <class... Args>
Error bad_tensor(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::kMalformed, "tensor '{}' {}", name,
              fmt::format(format, std::forward<Args>(args)...));
}

/// The numbers of an array of unsigned integers; nothing when it is none.
std::optional<std::vector<int64_t>> as_numbers(dom::element element) {
  dom::array array;
  if (element.get(array) != simdjson::SUCCESS || array.size() > kMaxRank) return std::nullopt;
  std::vector<int64_t> numbers;
  for (dom::element item : array) {
    int64_t number = 0;
    if (item.get(number) != simdjson::SUCCESS || number < 0) return std::nullopt;
    numbers.push_back(number);
  }
  return numbers;
}

Result<Record> read_record(std::string_view name, dom::element element, uint64_t data_bytes) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return bad_tensor(name, "is described by no object");
  Record record;
  record.name = name;
  std::optional<std::vector<int64_t>> shape;
  std::optional<std::vector<int64_t>> offsets;
  std::string_view type_name;
  size_t fields = 0;
  for (const auto& [key, value] : object) {
    ++fields;
    if (key == "dtype" && value.get(type_name) == simdjson::SUCCESS) continue;
    if (key == "shape" && (shape = as_numbers(value))) continue;
    if (key == "data_offsets" && (offsets = as_numbers(value))) continue;
    return bad_tensor(name, "has a field '{}' that is unknown or of a wrong kind", key);
  }
  if (fields != 3 || type_name.empty() || !shape || !offsets || offsets->size() != 2) {
    return bad_tensor(name, "needs dtype, shape and two data_offsets, each once");
  }
  const auto type =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& row) { return row.name == type_name; });
  if (type == kTypes.end()) {
    return fail(ErrorCode::kUnsupported, "tensor '{}' has the element type '{}', which is not supported",
                name, type_name);
  }
  record.type = type->type;
  record.shape = std::move(*shape);
  record.begin = static_cast<uint64_t>((*offsets)[0]);
  record.end = static_cast<uint64_t>((*offsets)[1]);
  if (record.begin > record.end || record.end > data_bytes) {
    return bad_tensor(name, "lies at [{}, {}), outside the {} bytes of data", record.begin, record.end,
                      data_bytes);
  }
  const Result<int64_t> count = element_count(record.shape);
  const uint64_t size = element_size(record.type);
  if (!count.ok() || (record.end - record.begin) % size != 0 ||
      static_cast<uint64_t>(*count) != (record.end - record.begin) / size) {
    return bad_tensor(name, "of shape {} and type {} does not fill its {} bytes", to_string(record.shape),
                      type_name, record.end - record.begin);
  }
  return record;
}

/// The format allows no gaps and no overlap: the data is covered exactly.
Status check_coverage(const std::vector<Record>& records, uint64_t data_bytes) {
  std::vector<const Record*> sorted;
  for (const Record& record : records) sorted.push_back(&record);
  std::sort(sorted.begin(), sorted.end(), [](const Record* a, const Record* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  uint64_t position = 0;
  for (const Record* record : sorted) {
    if (record->begin != position) {
      return bad_tensor(record->name, "begins at {} where {} was expected: tensors overlap or leave a gap",
                        record->begin, position);
    }
    position = record->end;
  }
  if (position != data_bytes) return bad("does not cover all of the data");
  return {};
}

}  // namespace

bool recognises_safetensors(std::span<const std::byte> bytes) {
  return bytes.size() > kLengthBytes && load_little<uint64_t>(bytes.data()) <= bytes.size() - kLengthBytes &&
         bytes[kLengthBytes] == std::byte{'{'};
}

Result<StateDict> read_safetensors(SharedBytes file) {
  if (file.size() < kLengthBytes) return bad("is truncated");
  const auto header_bytes = load_little<uint64_t>(file.data());
  if (header_bytes > file.size() - kLengthBytes) return bad("is truncated");
  if (header_bytes > kMaxHeaderBytes) {
    return fail(ErrorCode::kLimit, "the safetensors header has {} bytes, and at most {} are read",
                header_bytes, kMaxHeaderBytes);
  }
  const SharedBytes data = file.part(kLengthBytes + header_bytes, file.size() - kLengthBytes - header_bytes);
  dom::parser parser;
  dom::object header;
  if (parser.allocate(header_bytes, kMaxJsonDepth) != simdjson::SUCCESS) {
    return fail(ErrorCode::kOutOfMemory, "no memory for the safetensors header");
  }
  const std::string_view text = file.text().substr(kLengthBytes, header_bytes);
  const auto json_error = parser.parse(text.data(), text.size()).get(header);
  if (json_error != simdjson::SUCCESS)
    return bad(fmt::format("is no JSON object: {}", simdjson::error_message(json_error)));

  std::vector<Record> records;
  std::unordered_set<std::string_view> names;
  for (const auto& [name, value] : header) {
    if (!names.insert(name).second) return bad_tensor(name, "is there twice");
    if (name == "__metadata__") continue;
    records.push_back(TENON_TRY(read_record(name, value, data.size())));
  }
  TENON_TRY(check_coverage(records, data.size()));
  StateDict state_dict;
  size_t budget_bytes = expansion_limit_bytes(file.size());
  for (const Record& record : records) {
    const StridedLayout layout{record.shape, contiguous_strides(record.shape), 0};
    const SharedBytes bytes = data.part(record.begin, record.end - record.begin);
    state_dict.entries.push_back(
        {std::string(record.name), TENON_TRY(load_strided(record.type, layout, bytes, budget_bytes))});
  }
  return state_dict;
}

}  // namespace tenon
