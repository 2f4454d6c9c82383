#include "engine/formats/hnswlib_layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace vicinal::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are read as they stand");

constexpr std::size_t kWindowBytes = 1u << 20;
constexpr std::uint64_t kMaxDimension = 65536;
constexpr std::uint64_t kGraphHeaderBytes = 96;
constexpr std::uint64_t kBruteForceHeaderBytes = 24;
constexpr std::uint64_t kMaxLinks = 1u << 24;  // hnswlib itself takes no M above 10,000
constexpr std::uint64_t kLabelBytes = 8;
constexpr std::uint64_t kLinkBytes = 4;  // and those of a count of links

template <typename T>
T number_at(const std::byte* header, std::size_t offset) {
  T value;
  std::memcpy(&value, header + offset, sizeof value);
  return value;
}

/// The fields of a graph's header, each at its byte.
struct GraphHeader {
  explicit GraphHeader(const std::byte* bytes)
      : capacity(number_at<std::uint64_t>(bytes, 8)),
        rows(number_at<std::uint64_t>(bytes, 16)),
        row_bytes(number_at<std::uint64_t>(bytes, 24)),
        label_at(number_at<std::uint64_t>(bytes, 32)),
        vector_at(number_at<std::uint64_t>(bytes, 40)),
        max_level(number_at<std::int32_t>(bytes, 48)),
        entry_point(number_at<std::uint32_t>(bytes, 52)),
        max_links(number_at<std::uint64_t>(bytes, 56)),
        max_links_0(number_at<std::uint64_t>(bytes, 64)),
        M(number_at<std::uint64_t>(bytes, 72)),
        ef_construction(number_at<std::uint64_t>(bytes, 88)) {}

  std::uint64_t capacity, rows, row_bytes, label_at, vector_at;
  std::int32_t max_level;
  std::uint32_t entry_point;
  std::uint64_t max_links, max_links_0, M, ef_construction;
};

/// What is wrong with a field, and where it stands; nothing when `message` is empty.
struct Fault {
  std::uint64_t offset = 0;
  std::string message;
};

/// The parts of a row must add up: M gives the bytes of the links, these the place of the vector,
/// and label and vector fill the rest.
/// The bounds are those of what is read here: an index without rows has a header and nothing else.
Fault fault_of_row(const GraphHeader& h) {
  if (h.max_links == 0 || h.max_links > kMaxLinks) {
    return {56, fmt::format("{} links a row on an upper level", h.max_links)};
  }
  if (h.max_links_0 != 2 * h.max_links) {
    return {64, fmt::format("{} links a row on level 0, not twice the {} of the upper levels",
                            h.max_links_0, h.max_links)};
  }
  if (h.M != h.max_links) {
    return {72, fmt::format("M is {}, rows have {} links on an upper level", h.M, h.max_links)};
  }
  if (h.vector_at != kLinkBytes * (1 + h.max_links_0)) {
    return {40, fmt::format("vectors {} bytes into a row, behind {} links it would be {}",
                            h.vector_at, h.max_links_0, kLinkBytes * (1 + h.max_links_0))};
  }
  if (h.label_at <= h.vector_at || h.label_at - h.vector_at > 4 * kMaxDimension) {
    return {32, fmt::format("labels {} bytes into a row, vectors {}: a vector has 1 to {} bytes",
                            h.label_at, h.vector_at, 4 * kMaxDimension)};
  }
  if (h.row_bytes != h.label_at + kLabelBytes) {
    return {24, fmt::format("rows of {} bytes with the label at {}, it would end them at {}",
                            h.row_bytes, h.label_at, h.label_at + kLabelBytes)};
  }
  return {};
}

Fault fault_of(const GraphHeader& h, std::uint64_t file_bytes) {
  if (Fault fault = fault_of_row(h); !fault.message.empty()) return fault;
  // Behind each row's part of level 0 stands at least the length of its upper links.
  const std::uint64_t most = (file_bytes - kGraphHeaderBytes) / (h.row_bytes + kLinkBytes);
  if (h.rows > most) {
    return {16, fmt::format("{} rows of {} bytes, a file of {} bytes has room for {}", h.rows,
                            h.row_bytes, file_bytes, most)};
  }
  if (h.capacity < h.rows) {
    return {8, fmt::format("max_elements is {}, {} rows are stored", h.capacity, h.rows)};
  }
  if (h.rows == 0 ? h.max_level != -1 : h.max_level < 0) {
    return {48, fmt::format("highest level {} with {} rows", h.max_level, h.rows)};
  }
  if (h.rows > 0 && h.entry_point >= h.rows) {
    return {52, fmt::format("the entry point is row {} of {}", h.entry_point, h.rows)};
  }
  return {};
}

Result<HnswlibHeader> read_graph(const HnswlibSource& source) {
  std::array<std::byte, kGraphHeaderBytes> bytes;
  if (Status s = source.read(0, bytes.data(), bytes.size()); !s.ok()) return s;
  const GraphHeader h(bytes.data());
  if (const Fault fault = fault_of(h, source.size); !fault.message.empty()) {
    return malformed(source, fault.offset, fault.message);
  }
  HnswlibHeader header;
  header.info.kind = HnswlibKind::kGraph;
  header.info.rows = h.rows;
  header.info.capacity = h.capacity;
  header.info.M = h.M;
  header.info.ef_construction = h.ef_construction;
  header.layout = {kGraphHeaderBytes, h.row_bytes, h.vector_at, h.label_at - h.vector_at};
  header.max_level = h.max_level;
  header.level_bytes = kLinkBytes * (1 + h.max_links);
  return header;
}

Result<HnswlibHeader> read_brute_force(const HnswlibSource& source) {
  std::array<std::byte, kBruteForceHeaderBytes> bytes;
  if (Status s = source.read(0, bytes.data(), bytes.size()); !s.ok()) return s;
  const auto capacity = number_at<std::uint64_t>(bytes.data(), 0);
  const auto row_bytes = number_at<std::uint64_t>(bytes.data(), 8);
  const auto rows = number_at<std::uint64_t>(bytes.data(), 16);
  const std::uint64_t room = source.size - kBruteForceHeaderBytes;
  if (row_bytes <= kLabelBytes || row_bytes > kLabelBytes + 4 * kMaxDimension) {
    return malformed(
        source, 8,
        fmt::format("no hnswlib file: a graph begins with 0, this with {}; a brute-force index has "
                    "rows of {} to {} bytes, this of {}",
                    capacity, kLabelBytes + 1, kLabelBytes + 4 * kMaxDimension, row_bytes));
  }
  if (room % row_bytes != 0 || capacity != room / row_bytes) {
    return malformed(source, 0,
                     fmt::format("room for {} rows of {} bytes, {} bytes follow the header",
                                 capacity, row_bytes, room));
  }
  if (rows > capacity) {
    return malformed(source, 16, fmt::format("{} rows, there is room for {}", rows, capacity));
  }
  HnswlibHeader header;
  header.info.kind = HnswlibKind::kBruteForce;
  header.info.rows = rows;
  header.info.capacity = capacity;
  header.layout = {kBruteForceHeaderBytes, row_bytes, 0, row_bytes - kLabelBytes};
  return header;
}

/// The dimension of rows of so many bytes, by what the caller knows of it.
Status find_dimension(const HnswlibSource& source, const HnswlibOptions& options,
                      HnswlibHeader& header) {
  const std::uint64_t bytes = header.layout.vector_bytes;
  const std::uint64_t where = header.info.kind == HnswlibKind::kGraph ? 32 : 8;
  if (options.dimension > kMaxDimension) {
    return Status::invalid_argument(fmt::format(
        "dimension {}, must be 1 to {}, or 0 for the file's", options.dimension, kMaxDimension));
  }
  if (options.dimension != 0 && bytes == options.dimension) {
    header.info.element = HnswlibElement::kUint8;
    header.info.dimension = options.dimension;
    return {};
  }
  if (options.dimension != 0 && bytes != 4ull * options.dimension) {
    return Status::invalid_argument(fmt::format(
        "{}: vectors of {} bytes, dimension {} takes {} as float32 or {} as uint8", source.name,
        bytes, options.dimension, 4ull * options.dimension, options.dimension));
  }
  if (bytes % 4 != 0) {
    return malformed(source, where,
                     fmt::format("vectors of {} bytes are not float32; uint8 ones are read when "
                                 "their dimension is given",
                                 bytes));
  }
  header.info.dimension = static_cast<std::uint32_t>(bytes / 4);
  return {};
}

}  // namespace

Status malformed(const HnswlibSource& source, std::uint64_t offset, const std::string& message) {
  return Status::corruption(fmt::format("{}: byte {}: {}", source.name, offset, message));
}

Result<HnswlibHeader> read_header(const HnswlibSource& source, const HnswlibOptions& options) {
  std::uint64_t first = 0;
  if (source.size < kBruteForceHeaderBytes) {
    return malformed(source, source.size,
                     fmt::format("the file ends here, the smallest header has {} bytes",
                                 kBruteForceHeaderBytes));
  }
  if (Status s = source.read(0, &first, sizeof first); !s.ok()) return s;
  // A graph begins with the place of level 0 in a row, which is 0; a brute-force index with its
  // capacity, and without any it has no row behind its header.
  const bool graph = first == 0 && source.size > kBruteForceHeaderBytes;
  if (graph && source.size < kGraphHeaderBytes) {
    return malformed(
        source, source.size,
        fmt::format("the file ends here, the header of a graph has {} bytes", kGraphHeaderBytes));
  }
  Result<HnswlibHeader> header = graph ? read_graph(source) : read_brute_force(source);
  if (!header.ok()) return header;
  if (Status s = find_dimension(source, options, *header); !s.ok()) return s;
  return header;
}

Status check_links(const HnswlibSource& source, const HnswlibHeader& header) {
  if (header.info.kind != HnswlibKind::kGraph) return {};
  Window window(source);
  std::uint64_t at = header.layout.data_offset + header.info.rows * header.layout.row_bytes;
  for (std::uint64_t row = 0; row < header.info.rows; ++row) {
    const std::byte* bytes = nullptr;
    if (Status s = window.bytes(at, kLinkBytes, bytes); !s.ok()) return s;
    const auto length = number_at<std::uint32_t>(bytes, 0);
    if (length % header.level_bytes != 0 ||
        length / header.level_bytes > static_cast<std::uint64_t>(header.max_level)) {
      return malformed(source, at,
                       fmt::format("row {} has {} bytes of upper links: a level takes {}, the "
                                   "highest level is {}",
                                   row, length, header.level_bytes, header.max_level));
    }
    if (length > source.size - at - kLinkBytes) {
      return malformed(source, at,
                       fmt::format("row {} has {} bytes of upper links, the file ends at byte {}",
                                   row, length, source.size));
    }
    at += kLinkBytes + length;
  }
  if (at == source.size) return {};
  return malformed(source, at,
                   fmt::format("{} bytes after the last row's links", source.size - at));
}

Status Window::bytes(std::uint64_t offset, std::size_t bytes, const std::byte*& at) {
  if (offset > source_.size || bytes > source_.size - offset) {
    return malformed(
        source_, source_.size,
        fmt::format("the file ends here, {} bytes wanted from byte {}", bytes, offset));
  }
  const bool inside =
      offset >= from_ && offset - from_ <= held_.size() && bytes <= held_.size() - (offset - from_);
  if (!inside) {
    const std::uint64_t rest = source_.size - offset;
    held_.resize(std::min<std::uint64_t>(rest, std::max(bytes, kWindowBytes)));
    from_ = offset;
    if (Status s = source_.read(offset, held_.data(), held_.size()); !s.ok()) return s;
  }
  at = held_.data() + (offset - from_);
  return {};
}

}  // namespace vicinal::formats
