#include "tools/matrix/labels.h"

#include <fmt/core.h>

#include <charconv>
#include <limits>
#include <utility>

#include "tools/matrix/formats.h"

namespace vicinal::matrix {
namespace {

constexpr std::size_t kMaxLabelLine = 256;

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

}  // namespace

LabelSource LabelSource::counted(Label first) {
  LabelSource source;
  source.first_ = first;
  return source;
}

Result<LabelSource> LabelSource::from_file(const std::string& path) {
  LabelSource source;
  Status opened = path.ends_with(".npy") ? source.open_npy(path) : source.open_text(path);
  if (!opened.ok()) return opened;
  return source;
}

Status LabelSource::open_text(const std::string& path) {
  Result<InputFile> file = InputFile::open(path);
  if (!file.ok()) return file.status();
  lines_ = std::make_unique<LineReader>(std::move(*file), kMaxLabelLine);
  std::uint64_t count = 0;
  for (;;) {
    Label label = 0;
    Result<bool> got = next_text(label);
    if (!got.ok()) return got.status();
    if (!*got) break;
    ++count;
  }
  count_ = count;
  lines_->rewind();
  return {};
}

Status LabelSource::open_npy(const std::string& path) {
  Result<InputFile> file = InputFile::open(path);
  if (!file.ok()) return file.status();
  Result<NpyHeader> header = read_npy_header(*file);
  if (!header.ok()) return header.status();
  if (header->descr != "<u8" && header->descr != "<i8") {
    return file->malformed(
        10, fmt::format("labels are '{}', only '<u8' and '<i8' are read", header->descr));
  }
  if (header->shape.size() != 1) {
    return file->malformed(10, fmt::format("{} axes, labels have 1", header->shape.size()));
  }
  const std::uint64_t data = file->size() - header->data_offset;
  if (data % 8 != 0 || data / 8 != header->shape[0]) {
    return file->malformed(
        header->data_offset,
        fmt::format("{} labels declared, {} bytes follow, not 8 for each", header->shape[0], data));
  }
  npy_signed_ = header->descr == "<i8";
  npy_offset_ = header->data_offset;
  count_ = header->shape[0];
  npy_ = std::make_unique<InputFile>(std::move(*file));
  return {};
}

Result<bool> LabelSource::next_text(Label& label) {
  Result<bool> got = lines_->next(line_);
  if (!got.ok() || !*got) return got;
  const std::string_view text = trimmed(line_);
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), label);
  if (error != std::errc() || stop != text.data() + text.size()) {
    return lines_->malformed(fmt::format("\"{}\" is not a label, 0 to 2^64 - 1", text));
  }
  return true;
}

Status LabelSource::next(std::span<Label> labels) {
  if (labels.empty()) return {};
  const std::uint64_t n = labels.size();
  if (count_.has_value() && n > *count_ - given_) {
    return Status::invalid_argument(fmt::format("{}: {} labels, at least {} rows",
                                                lines_ ? lines_->file().path() : npy_->path(),
                                                *count_, given_ + n));
  }
  if (lines_) {
    for (Label& label : labels) {
      Result<bool> got = next_text(label);
      if (!got.ok()) return got.status();
      if (!*got) return lines_->malformed("the file lost labels while it was read");
    }
  } else if (npy_) {
    const std::uint64_t offset = npy_offset_ + 8 * given_;
    if (Status s = npy_->read_at(offset, labels.data(), labels.size_bytes()); !s.ok()) return s;
    for (std::size_t i = 0; npy_signed_ && i < labels.size(); ++i) {
      if (labels[i] > static_cast<Label>(std::numeric_limits<std::int64_t>::max())) {
        return npy_->malformed(offset + 8 * i, fmt::format("label {} is negative",
                                                           static_cast<std::int64_t>(labels[i])));
      }
    }
  } else {
    const Label start = first_ + given_;
    if (start < first_ || n - 1 > std::numeric_limits<Label>::max() - start) {
      return Status::invalid_argument(
          fmt::format("labels counted from {} pass 2^64 - 1 at row {}", first_, given_ + n - 1));
    }
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = start + i;
  }
  given_ += n;
  return {};
}

Result<std::vector<Label>> load_labels(const std::string& path) {
  Result<LabelSource> source = LabelSource::from_file(path);
  if (!source.ok()) return source.status();
  std::vector<Label> labels(source->count().value_or(0));
  if (Status s = source->next(labels); !s.ok()) return s;
  return labels;
}

}  // namespace vicinal::matrix
