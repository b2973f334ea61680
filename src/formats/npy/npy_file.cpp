#include <unordered_set>

#include "base/guard_memory.h"
#include "base/mapped_file.h"
#include "base/try.h"
#include "formats/npy/npy_array.h"
#include "formats/npy/npy_file.h"
#include "formats/npy/npy_header.h"
#include "formats/zip/zip_reader.h"
#include "formats/zip/zip_writer.h"
#include "tenon/npy.h"

namespace tenon {

namespace {

constexpr std::string_view kSuffix = ".npy";

/// The error with the array in it, for files that hold many.
Error in_array(Error error, std::string_view name) {
  error.message = fmt::format("array '{}': {}", name, error.message);
  return error;
}

Result<std::vector<NamedValue>> decode_npz(const SharedBytes& file) {
  if (is_npy(file.bytes))
    return fail(ErrorCode::kMalformed,
                "this is a single array (.npy), and an archive of named arrays (.npz) is needed");
  auto opened = ZipReader::open(file, ZipNames::kKeys);
  if (!opened.ok() && !ZipReader::recognises(file.bytes))
    return fail(ErrorCode::kMalformed, "this is no archive of named arrays (.npz)");
  ZipReader zip = TENON_TRY(std::move(opened));
  std::vector<NamedValue> values;
  size_t strings_budget_bytes = expansion_limit_bytes(file.size());
  for (const ZipEntry& entry : zip.entries()) {
    std::string_view name = entry.name;
    if (!name.ends_with(kSuffix))
      return fail(ErrorCode::kMalformed, "the npz archive has the entry '{}', which is not an array", name);
    name.remove_suffix(kSuffix.size());
    SharedBytes contents = TENON_TRY(zip.read(entry));
    Result<Tensor> tensor = decode_npy(contents, strings_budget_bytes);
    if (!tensor.ok()) return in_array(std::move(tensor.error()), name);
    values.push_back({std::string(name), std::move(*tensor)});
  }
  return values;
}

Result<AtomicFile> encode_npz(const std::string& path, const std::vector<NamedValue>& values) {
  std::unordered_set<std::string_view> names;
  for (const auto& [name, value] : values) {
    if (!names.insert(name).second) return fail(ErrorCode::kUsage, "two arrays are called '{}'", name);
    if (name.find('\0') != name.npos) return fail(ErrorCode::kUsage, "the name of an array holds NUL");
    if (!value.is_tensor())
      return fail(ErrorCode::kUnsupported, "'{}' is not a tensor, and an npz archive holds nothing else",
                  name);
  }
  ZipWriter zip = TENON_TRY(ZipWriter::create(path));
  for (const auto& [name, value] : values) {
    Result<EncodedNpy> npy = encode_npy(value.tensor());
    if (!npy.ok()) return in_array(std::move(npy.error()), name);
    TENON_TRY(zip.add(name + std::string(kSuffix), {std::as_bytes(std::span(npy->header)), npy->data.bytes}));
  }
  return zip.finish();
}

template <class T>
Result<T> name_file(Result<T> result, const std::string& path) {
  if (!result.ok()) return at_file(std::move(result.error()), path);
  return result;
}

}  // namespace

Result<Tensor> read_npy(const std::string& path) {
  auto read = [&]() -> Result<Tensor> {
    SharedBytes file = share_bytes(TENON_TRY(MappedFile::open(path)));
    if (ZipReader::recognises(file.bytes))
      return fail(ErrorCode::kMalformed,
                  "this is an archive of named arrays (.npz), and a single array (.npy) is needed");
    return decode_npy(file);
  };
  return name_file(guard_memory(read), path);
}

Status write_npy(const std::string& path, const Tensor& tensor) {
  auto write = [&]() -> Status {
    EncodedNpy npy = TENON_TRY(encode_npy(tensor));
    AtomicFile file = TENON_TRY(AtomicFile::create(path));
    TENON_TRY(file.write(npy.header));
    TENON_TRY(file.write(npy.data.bytes));
    return file.commit();
  };
  return name_file(guard_memory(write), path);
}

Result<std::vector<NamedValue>> read_npz(const std::string& path) {
  auto read = [&]() -> Result<std::vector<NamedValue>> {
    return decode_npz(share_bytes(TENON_TRY(MappedFile::open(path))));
  };
  return name_file(guard_memory(read), path);
}

Result<AtomicFile> prepare_npz(const std::string& path, const std::vector<NamedValue>& values) {
  return name_file(guard_memory([&] { return encode_npz(path, values); }), path);
}

Status write_npz(const std::string& path, const std::vector<NamedValue>& values) {
  AtomicFile file = TENON_TRY(prepare_npz(path, values));
  return file.commit();
}

}  // namespace tenon
