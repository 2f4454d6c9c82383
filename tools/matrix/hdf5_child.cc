#include "tools/matrix/hdf5_child.h"

#include <fmt/core.h>
#include <hdf5.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace vicinal::matrix {
namespace {

constexpr std::size_t kRowsReadBytes = 1u << 20;
constexpr std::size_t kMostChunkBytes = 32u << 20;
constexpr std::size_t kDatasetsShown = 16;

/// A handle of libhdf5, closed with it.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  bool ok() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

herr_t collect_name(hid_t group, const char* name, const H5L_info_t*, void* to) {
  auto& names = *static_cast<std::vector<std::string>*>(to);
  const Handle object(H5Oopen(group, name, H5P_DEFAULT), H5Oclose);
  if (object.ok() && H5Iget_type(object.get()) == H5I_DATASET) names.emplace_back(name);
  return names.size() > kDatasetsShown ? 1 : 0;
}

/// The name of the array, or a failure in `answer`.
std::optional<std::string> choose(hid_t file, const Hdf5Question& question, Hdf5Answer& answer) {
  std::vector<std::string> names;
  hsize_t at = 0;
  H5Literate(file, H5_INDEX_NAME, H5_ITER_NATIVE, &at, collect_name, &names);
  std::string listed;
  for (const std::string& name : names) listed += (listed.empty() ? "" : ", ") + name;
  if (!question.array.empty()) {
    if (H5Lexists(file, question.array.c_str(), H5P_DEFAULT) > 0) return question.array;
    answer.fail(fmt::format("no array '{}'; it has: {}", question.array, listed));
    return std::nullopt;
  }
  for (const std::string& name : names) {
    if (name == question.usual_array || names.size() == 1) return name;
  }
  answer.fail(names.empty() ? "no array in it"
                            : fmt::format("say with --array which of its arrays: {}", listed));
  return std::nullopt;
}

/// The element in numpy's words; empty when it is none that is read.
std::string descr_of(hid_t type) {
  const std::pair<hid_t, const char*> known[] = {
      {H5T_IEEE_F32LE, "<f4"}, {H5T_IEEE_F32BE, ">f4"}, {H5T_IEEE_F64LE, "<f8"},
      {H5T_IEEE_F64BE, ">f8"}, {H5T_STD_I8LE, "|i1"},   {H5T_STD_I8BE, "|i1"},
      {H5T_STD_I16LE, "<i2"},  {H5T_STD_I16BE, ">i2"},  {H5T_STD_I32LE, "<i4"},
      {H5T_STD_I32BE, ">i4"},  {H5T_STD_I64LE, "<i8"},  {H5T_STD_I64BE, ">i8"},
      {H5T_STD_U8LE, "|u1"},   {H5T_STD_U8BE, "|u1"},   {H5T_STD_U16LE, "<u2"},
      {H5T_STD_U16BE, ">u2"},  {H5T_STD_U32LE, "<u4"},  {H5T_STD_U32BE, ">u4"},
      {H5T_STD_U64LE, "<u8"},  {H5T_STD_U64BE, ">u8"}};
  for (const auto& [id, descr] : known) {
    if (H5Tequal(type, id) > 0) return descr;
  }
  // Half precision has no name of its own in libhdf5 1.10.
  std::size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
  if (H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) == 2 &&
      H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) >= 0 &&
      sign == 15 && exponent == 10 && exponent_bits == 5 && mantissa == 0 && mantissa_bits == 10 &&
      H5Tget_ebias(type) == 15) {
    return H5Tget_order(type) == H5T_ORDER_BE ? ">f2" : "<f2";
  }
  return {};
}

std::string distance_of(hid_t file) {
  if (H5Aexists(file, "distance") <= 0) return {};
  const Handle attribute(H5Aopen(file, "distance", H5P_DEFAULT), H5Aclose);
  if (!attribute.ok()) return {};
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  if (!type.ok() || !space.ok() || H5Tget_class(type.get()) != H5T_STRING ||
      H5Sget_simple_extent_npoints(space.get()) != 1) {
    return {};
  }
  if (H5Tis_variable_str(type.get()) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute.get(), type.get(), &text) < 0 || text == nullptr) return {};
    std::string distance = text;
    H5free_memory(text);
    return distance;
  }
  char text[64] = {};
  if (H5Tget_size(type.get()) >= sizeof text) return {};
  if (H5Aread(attribute.get(), type.get(), text) < 0) return {};
  std::string distance = text;
  distance.erase(distance.find_last_not_of(' ') + 1);
  return distance;
}

/// Whether the rows are not in this file: a link, a view or external storage leads to another.
bool elsewhere(hid_t file, hid_t dataset, hid_t plist) {
  H5O_info_t here;
  H5O_info_t there;
  return H5Pget_external_count(plist) != 0 || H5Pget_layout(plist) == H5D_VIRTUAL ||
         H5Oget_info(file, &here) < 0 || H5Oget_info(dataset, &there) < 0 ||
         here.fileno != there.fileno;
}

/// Rows that are read at once: whole chunks, as each is unpacked anew for every read that it is a
/// part of.
std::uint64_t piece_rows(hid_t plist, std::uint64_t rows, std::size_t row_bytes) {
  std::uint64_t piece = std::max<std::uint64_t>(1, kRowsReadBytes / row_bytes);
  hsize_t chunk[2] = {};
  if (H5Pget_layout(plist) == H5D_CHUNKED && H5Pget_chunk(plist, 2, chunk) == 2 &&
      chunk[0] <= kMostChunkBytes / row_bytes) {
    piece = (std::max<std::uint64_t>(piece, chunk[0]) / chunk[0]) * chunk[0];
  }
  return std::min(piece, rows);
}

bool write_all(int to, const char* from, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t put = ::write(to, from, bytes);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    from += put;
    bytes -= static_cast<std::size_t>(put);
  }
  return true;
}

void write_rows(hid_t dataset, hid_t type, hid_t plist, int to, Hdf5Answer& answer) {
  const std::size_t row_bytes = answer.columns * H5Tget_size(type);
  if (row_bytes == 0) return answer.fail("rows of no bytes");
  const std::uint64_t piece = piece_rows(plist, answer.rows, row_bytes);
  std::vector<char> bytes(piece * row_bytes);
  const Handle space(H5Dget_space(dataset), H5Sclose);
  for (std::uint64_t row = 0; row < answer.rows; row += piece) {
    const hsize_t from[2] = {row, 0};
    const hsize_t count[2] = {std::min(piece, answer.rows - row), answer.columns};
    const Handle memory(H5Screate_simple(2, count, nullptr), H5Sclose);
    if (!space.ok() || !memory.ok() ||
        H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, from, nullptr, count, nullptr) < 0 ||
        H5Dread(dataset, type, memory.get(), space.get(), H5P_DEFAULT, bytes.data()) < 0) {
      return answer.fail(
          fmt::format("array {}: rows {} to {} cannot be read: they are damaged, or "
                      "packed by a filter that libhdf5 does not have",
                      answer.name(), row, row + count[0] - 1));
    }
    if (!write_all(to, bytes.data(), count[0] * row_bytes)) {
      return answer.fail(
          fmt::format("a temporary file (TMPDIR chooses): {}", std::strerror(errno)));
    }
  }
}

}  // namespace

Hdf5Answer answer_hdf5(const Hdf5Question& question) {
  Hdf5Answer answer;
  const auto failed = [&](const std::string& message) {
    answer.fail(message);
    return answer;
  };
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  // The usual driver asks for the file's real path, and one without a name has none.
  const Handle driver(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  if (!driver.ok() || H5Pset_fapl_stdio(driver.get()) < 0) return failed("libhdf5 has no driver");
  const Handle file(H5Fopen(question.path.c_str(), H5F_ACC_RDONLY, driver.get()), H5Fclose);
  if (!file.ok()) return failed("no HDF5 file, or a damaged one");
  const std::optional<std::string> name = choose(file.get(), question, answer);
  if (!name.has_value()) return answer;
  answer.set_name(*name);
  const Handle dataset(H5Dopen2(file.get(), name->c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset.ok()) return failed(fmt::format("'{}' is no array that can be opened", *name));
  const Handle space(H5Dget_space(dataset.get()), H5Sclose);
  const Handle type(H5Dget_type(dataset.get()), H5Tclose);
  const Handle plist(H5Dget_create_plist(dataset.get()), H5Pclose);
  if (!space.ok() || !type.ok() || !plist.ok()) {
    return failed(fmt::format("array {}: what it says of itself is damaged", *name));
  }
  const int axes = H5Sget_simple_extent_ndims(space.get());
  hsize_t shape[2] = {};
  if (axes != 2) return failed(fmt::format("array {}: {} axes, a matrix has 2", *name, axes));
  H5Sget_simple_extent_dims(space.get(), shape, nullptr);
  answer.rows = shape[0];
  answer.columns = shape[1];
  const std::string descr = descr_of(type.get());
  if (descr.empty()) {
    return failed(
        fmt::format("array {}: its elements are no real numbers that are read "
                    "(whole numbers of 1 to 8 bytes, floats of 2, 4 or 8)",
                    *name));
  }
  answer.set_descr(descr);
  answer.set_distance(distance_of(file.get()));
  if (elsewhere(file.get(), dataset.get(), plist.get())) {
    return failed(
        fmt::format("array {}: its numbers are in another file, which is not read", *name));
  }
  answer.packed = H5Pget_nfilters(plist.get()) != 0;
  const haddr_t offset = H5Dget_offset(dataset.get());
  answer.in_place = H5Pget_layout(plist.get()) == H5D_CONTIGUOUS && offset != HADDR_UNDEF;
  if (answer.in_place) answer.offset = offset;
  if (question.write_to >= 0) {
    write_rows(dataset.get(), type.get(), plist.get(), question.write_to, answer);
  }
  return answer;
}

}  // namespace vicinal::matrix
