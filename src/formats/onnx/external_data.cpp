#include "formats/onnx/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "base/shared_bytes.h"
#include "base/try.h"
#include "formats/onnx/tensor_data.h"

namespace tenon::onnx {

namespace {

Result<uint64_t> parse_number(std::string_view key, std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > INT64_MAX)
    return fail(ErrorCode::kMalformed, "external data has the {} \"{}\", which is no size in bytes", key,
                text);
  return value;
}

/// The parts of a relative path that stays below its folder.
Result<std::vector<std::string>> split_location(std::string_view location) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kMalformed, "external data has the location \"{}\", which {}", location, why);
  };
  if (location.empty()) return refuse("is empty");
  if (location.find('\0') != std::string_view::npos) return refuse("holds a NUL character");
  if (location.find('\\') != std::string_view::npos) return refuse("holds a backslash");
  if (location.front() == '/') return refuse("is an absolute path");
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= location.size();) {
    const size_t end = std::min(location.find('/', begin), location.size());
    const std::string_view part = location.substr(begin, end - begin);
    if (part == "..") return refuse("leads out of the model's folder");
    if (!part.empty() && part != ".") parts.emplace_back(part);
    begin = end + 1;
  }
  if (parts.empty() || location.back() == '/') return refuse("names no file");
  return parts;
}

}  // namespace

Result<ExternalReference> parse_external_reference(const StringPairs& pairs) {
  ExternalReference result;
  std::vector<std::string_view> seen;
  for (const auto& [key, value] : pairs) {
    for (std::string_view earlier : seen)
      if (earlier == key) return fail(ErrorCode::kMalformed, "external data has the key \"{}\" twice", key);
    seen.push_back(key);
    if (key == "location") {
      TENON_TRY(split_location(value));
      result.location = value;
    } else if (key == "offset") {
      result.offset = TENON_TRY(parse_number(key, value));
    } else if (key == "length") {
      result.length = TENON_TRY(parse_number(key, value));
    } else if (key != "checksum" && key != "basepath") {
      return fail(ErrorCode::kMalformed, "external data has the unknown key \"{}\"", key);
    }
  }
  if (result.location.empty()) return fail(ErrorCode::kMalformed, "external data has no location");
  return result;
}

Result<std::shared_ptr<const MappedFile>> ExternalFiles::open(const std::string& location) {
  if (const auto found = files_.find(location); found != files_.end()) return found->second;
  const auto keep = [&](std::shared_ptr<const MappedFile> file) {
    budget_bytes_ += expansion_limit_bytes(file->size());
    return files_[location] = std::move(file);
  };
  if (only_file_ != nullptr) return keep(only_file_);
  const std::string path = base_dir_.empty() ? location : base_dir_ + "/" + location;
  const auto refuse = [&](ErrorCode code, std::string_view why) {
    return at_file(fail(code, "cannot open external data: {}", why), path);
  };
  const std::vector<std::string> parts = TENON_TRY(split_location(location));

  // One part at a time, each relative to the folder that is already open: no link is followed and no
  // renaming in between can lead elsewhere. O_NONBLOCK: a FIFO is opened, and refused, without waiting.
  const int no_links = allow_links_ ? 0 : O_NOFOLLOW;
  const std::string base = base_dir_.empty() ? "." : base_dir_;
  FileDescriptor at(::open(base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (size_t i = 0; at.is_open() && i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    const int flags = last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
    at = FileDescriptor(::openat(at.get(), parts[i].c_str(), flags | O_CLOEXEC | no_links));
  }
  if (!at.is_open()) {
    const int error = errno;
    if (error == ELOOP || (error == ENOTDIR && !allow_links_)) {
      return with_hint(refuse(ErrorCode::kMalformed, "a part of its path is a symbolic link or no folder"),
                       "links must be allowed explicitly");
    }
    return refuse(ErrorCode::kNotFound, system_message(error));
  }
  struct stat status;
  if (fstat(at.get(), &status) != 0) return refuse(ErrorCode::kIo, system_message(errno));
  if (!S_ISREG(status.st_mode)) return refuse(ErrorCode::kMalformed, "it is not a regular file");
  if (status.st_nlink > 1 && !allow_links_) {
    return with_hint(refuse(ErrorCode::kMalformed, "the file has several names (hard links)"),
                     "links must be allowed explicitly");
  }
  return keep(TENON_TRY(MappedFile::from_descriptor(at.get(), path)));
}

Status ExternalFiles::charge(uint64_t bytes) {
  if (bytes > budget_bytes_)
    return fail(ErrorCode::kLimit, "external data that is read many times over would take too much memory");
  budget_bytes_ -= bytes;
  return {};
}

Result<Tensor> ExternalFiles::read(const ExternalReference& reference, DataType type, Shape shape) {
  if (type == DataType::kString)
    return fail(ErrorCode::kMalformed, "strings cannot be stored as external data");
  const int64_t count = TENON_TRY(element_count(shape));
  const uint64_t needed = TENON_TRY(packed_bytes(type, count));
  if (reference.length && *reference.length != needed) {
    return fail(ErrorCode::kMalformed, "external data has {} bytes, but {}{} takes {}", *reference.length,
                data_type_name(type), to_string(shape), needed);
  }
  const auto file = TENON_TRY(open(reference.location));
  if (reference.offset > file->size() || needed > file->size() - reference.offset) {
    return fail(ErrorCode::kMalformed, "external data lies at bytes {} to {} of \"{}\", which has {} bytes",
                reference.offset, reference.offset + needed, reference.location, file->size());
  }
  const std::string_view bytes = file->text().substr(reference.offset, needed);
  if (!is_plain(type) || !is_aligned(type, bytes))
    TENON_TRY(charge(static_cast<uint64_t>(count) * element_size(type)));
  return tensor_from_raw(type, std::move(shape), bytes, file);
}

}  // namespace tenon::onnx
