// Disk: what a power cut may leave of what a device was given.
//
// What: it goes through a device's log event by event, and at any event makes images of the folder:
// what was synced is there; of what was not, each write is there or not, or some sectors of it, whatever
// came before or after it; a file has any size that it was given since its last sync; each name made
// or taken away since its folder's last sync is so or not.
// Invariants (of an image):
//   D1  A write that is durable is there whole, over all that came before it.
//   D2  Bytes that nothing wrote are zero, as on every file system that does not show what others
//       have deleted.
//   D3  A rename is there or not, in both its folders.
// Ownership: the device outlives it.
// Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/power/device.h"

namespace vicinal::testing {

/// What becomes of what was not synced.
struct Fate {
  double kept = 1;         ///< the share of it that is there; 1: all, 0: nothing
  std::size_t sector = 0;  ///< that a write may be torn at; 0: whole or not
  enum class Only : std::uint8_t { kAny, kOneLost, kOneKept } only = Only::kAny;
};

struct Image {
  std::map<std::string, std::vector<std::byte>> files;  ///< by path below the root
  std::vector<std::string> folders;                     ///< parents first
  bool torn = false;                                    ///< some write is there in part

  std::uint64_t hash() const;
  /// Makes it in `folder`, instead of what is there.
  void make(const std::string& folder) const;
};

class Disk {
 public:
  explicit Disk(const Device& device);

  /// Takes the next event in; false when there is none.
  bool advance();
  /// Events taken in.
  std::size_t position() const { return position_; }
  /// Writes, sizes and names that a cut here may lose.
  std::size_t pending() const;
  Image image(const Fate& fate, std::mt19937_64& random) const;

 private:
  struct Pending {
    std::size_t event = 0;
    bool durable = false;  ///< it alone, of a write
  };
  struct File {
    std::vector<std::byte> bytes;  ///< as synced
    std::vector<Pending> pending;
  };
  struct Maker;

  void synced(const Event& end);
  static void apply(const Event& event, std::vector<std::byte>& bytes);
  void apply_name(const Event& event, std::map<std::string, FileId>& names) const;
  bool concerns(const Event& name, FileId folder) const;

  const Device& device_;
  std::size_t position_ = 0;
  std::map<FileId, File> files_;
  std::map<std::string, FileId> names_;     ///< as synced
  std::vector<std::size_t> pending_names_;  ///< their events
};

}  // namespace vicinal::testing
