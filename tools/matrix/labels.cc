#include "tools/matrix/labels.h"

#include <fmt/core.h>

#include <limits>
#include <utility>

#include "tools/matrix/formats.h"
#include "tools/matrix/whole_number.h"

namespace vicinal::matrix {
namespace {

constexpr std::size_t kMaxLabelLine = 256;
constexpr std::string_view kNpyMagic("\x93NUMPY", 6);

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
  Result<InputFile> file = InputFile::open(path);
  if (!file.ok()) return file.status();
  char start[kNpyMagic.size()] = {};
  bool npy = path.ends_with(".npy") || path.ends_with(".npy.gz");
  if (!npy && file->size() >= sizeof start) {
    if (Status s = file->read_at(0, start, sizeof start); !s.ok()) return s;
    npy = std::string_view(start, sizeof start) == kNpyMagic;
  }
  LabelSource source;
  Status opened = npy ? source.open_npy(std::move(*file)) : source.open_text(std::move(*file));
  if (!opened.ok()) return opened;
  return source;
}

Status LabelSource::open_text(InputFile file) {
  lines_ = std::make_unique<LineReader>(std::move(file), kMaxLabelLine);
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

Status LabelSource::open_npy(InputFile file) {
  Result<NpyHeader> header = read_npy_header(file);
  if (!header.ok()) return header.status();
  const std::optional<Element> element = element_of(header->descr);
  if (!element.has_value() || !element->whole() || element->kind == ElementKind::kBool) {
    return file.malformed(10, fmt::format("labels are '{}', only whole numbers are read{}",
                                          header->descr, npy_command(file, "a", "<u8")));
  }
  if (header->shape.size() != 1) {
    return file.malformed(10, fmt::format("{} axes, labels have 1{}", header->shape.size(),
                                          npy_command(file, "a.reshape(-1)", "<u8")));
  }
  const std::uint64_t data = file.size() - header->data_offset;
  const std::size_t bytes = element->bytes();
  if (data % bytes != 0 || data / bytes != header->shape[0]) {
    return file.malformed(header->data_offset,
                          fmt::format("{} labels declared, {} bytes follow, not {} for each",
                                      header->shape[0], data, bytes));
  }
  npy_element_ = *element;
  npy_offset_ = header->data_offset;
  count_ = header->shape[0];
  npy_ = std::make_unique<InputFile>(std::move(file));
  return {};
}

Status LabelSource::next_npy(std::span<Label> labels) {
  const std::size_t bytes = npy_element_.bytes();
  const std::uint64_t offset = npy_offset_ + bytes * given_;
  std::vector<std::byte> raw(labels.size() * bytes);
  if (Status s = npy_->read_at(offset, raw.data(), raw.size()); !s.ok()) return s;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::optional<std::uint64_t> label = to_label(raw.data() + bytes * i, npy_element_);
    if (!label.has_value()) {
      return npy_->malformed(offset + bytes * i,
                             fmt::format("label {} of the file is negative", given_ + i));
    }
    labels[i] = *label;
  }
  return {};
}

Result<bool> LabelSource::next_text(Label& label) {
  Result<bool> got = lines_->next(line_);
  if (!got.ok() || !*got) return got;
  const std::string_view text = trimmed(line_);
  const std::optional<std::uint64_t> number = whole_number(text);
  if (!number.has_value()) return lines_->malformed(not_whole(text));
  label = *number;
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
    if (Status s = next_npy(labels); !s.ok()) return s;
  } else {
    constexpr Label kLast = std::numeric_limits<Label>::max();
    if (given_ > kLast - first_ || n - 1 > kLast - first_ - given_) {
      return Status::invalid_argument(
          fmt::format("labels counted from {} pass 2^64 - 1 at row {}", first_, given_ + n - 1));
    }
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = first_ + given_ + i;
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
