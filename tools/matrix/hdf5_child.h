// What a child that runs libhdf5 is asked, and what it answers. Internal to tools/matrix/hdf5*.
//
// Ownership: none.
// Threads: one at a time, in a process of its own.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::matrix {

/// Bytes that a byte of a packed array can become: deflate's bound, which no other filter of
/// libhdf5's own passes.
inline constexpr std::uint64_t kMostUnpacked = 1032;

struct Hdf5Question {
  std::string path;
  std::uint64_t file_bytes = 0;
  std::string array;        ///< empty: the usual one, or the only one
  std::string usual_array;  ///< may be empty
  int write_to = -1;        ///< a descriptor for the rows; -1: only say where they stand
};

/// Goes through a pipe as it stands, so texts have their place.
class Hdf5Answer {
 public:
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::uint64_t offset = 0;  ///< in place: the byte of row 0 in the file
  bool in_place = false;
  bool packed = false;

  void fail(std::string_view message) { set(message_, message.empty() ? "failed" : message); }
  bool failed() const { return message_[0] != '\0'; }
  std::string message() const { return message_.data(); }
  void set_name(std::string_view name) { set(name_, name); }
  std::string name() const { return name_.data(); }
  void set_descr(std::string_view descr) { set(descr_, descr); }
  std::string descr() const { return descr_.data(); }
  void set_distance(std::string_view distance) { set(distance_, distance); }
  std::string distance() const { return distance_.data(); }

 private:
  template <std::size_t N>
  static void set(std::array<char, N>& to, std::string_view text) {
    to.fill('\0');
    std::copy_n(text.begin(), std::min(text.size(), N - 1), to.begin());
  }

  std::array<char, 1024> message_{};
  std::array<char, 256> name_{};
  std::array<char, 64> descr_{};
  std::array<char, 64> distance_{};
};

/// Opens the file by libhdf5; with `write_to`, writes the rows there.
Hdf5Answer answer_hdf5(const Hdf5Question& question);

}  // namespace vicinal::matrix
