#include "tools/matrix/writers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

namespace vicinal::matrix {
namespace {

template <typename T>
Status write_vecs_row(Output& out, std::span<const T> values) {
  const auto count = static_cast<std::int32_t>(values.size());
  if (Status s = out.write(&count, sizeof count); !s.ok()) return s;
  return out.write(values.data(), values.size_bytes());
}

}  // namespace

Result<Output> Output::open(const std::string& path) {
  if (path.empty() || path == "-") return Output("standard output", stdout, false);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  std::FILE* const file = fd < 0 ? nullptr : ::fdopen(fd, "wb");
  if (file == nullptr) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    return Status::io_error(fmt::format("{}: {}", path, std::strerror(error)));
  }
  return Output(path, file, true);
}

Output::Output(std::string name, std::FILE* file, bool owned)
    : name_(std::move(name)), file_(file), owned_(owned) {}

Output::Output(Output&& other) noexcept
    : name_(std::move(other.name_)),
      file_(std::exchange(other.file_, nullptr)),
      owned_(other.owned_),
      begun_(other.begun_) {}

Output::~Output() {
  if (file_ != nullptr && owned_) std::fclose(file_);
}

Status Output::failed(int error) const {
  return Status::io_error(fmt::format("{}: {}", name_, std::strerror(error)));
}

Status Output::begin() {
  if (begun_) return {};
  begun_ = true;
  struct stat info {};
  const bool is_file = owned_ && ::fstat(::fileno(file_), &info) == 0 && S_ISREG(info.st_mode);
  return is_file && ::ftruncate(::fileno(file_), 0) != 0 ? failed(errno) : Status();
}

Status Output::write(const void* data, std::size_t bytes) {
  if (Status s = begin(); !s.ok()) return s;
  if (bytes == 0 || std::fwrite(data, 1, bytes, file_) == bytes) return {};
  return failed(errno);
}

Status Output::close() {
  if (file_ == nullptr) return {};
  if (Status s = begin(); !s.ok()) return s;
  std::FILE* file = std::exchange(file_, nullptr);
  const bool broken = std::fflush(file) != 0 || std::ferror(file) != 0;
  const int error = errno;
  if (owned_ && std::fclose(file) != 0 && !broken) return failed(errno);
  return broken ? failed(error) : Status();
}

Status write_fvecs_row(Output& out, std::span<const float> vector) {
  return write_vecs_row(out, vector);
}

Status write_ivecs_row(Output& out, std::span<const std::int32_t> values) {
  return write_vecs_row(out, values);
}

void append_json_vector(std::string& text, std::span<const float> vector) {
  text.push_back('[');
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (i > 0) text.push_back(',');
    fmt::format_to(std::back_inserter(text), "{}", vector[i]);
  }
  text.push_back(']');
}

Status write_jsonl_row(Output& out, Label label, std::span<const float> vector) {
  std::string text = fmt::format("{{\"label\":{},\"vector\":", label);
  append_json_vector(text, vector);
  text += "}\n";
  return out.write(text);
}

}  // namespace vicinal::matrix
