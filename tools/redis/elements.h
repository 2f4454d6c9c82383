// Elements: the names of a set's vectors, their labels in the index, and their attributes.
//
// What: names in byte order, each with a slot; a label is the slot's number and how often the slot was used
// before, so that a label never comes back while a search may still hold it.
// Ownership: a part of a VectorSet.
// Threads: the main thread (in the child of a fork: its only one). attribute_of() alone is for any thread,
// for who holds an era (attributes.h).
//
// Invariants (tests/redis/elements_test.cc):
//   RM1 A name has one slot, a slot at most one name; the label of a used slot is live in the index.
//   RM2 A slot's number never moves: rows of slots are in pieces, each as long as all before it, and a
//       piece is published before any label in it.
//   RM3 An attribute bears the label that it belongs to: who reads a slot that was given away sees that.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tools/redis/attributes.h"
#include "tools/redis/heap.h"
#include "vicinal/types.h"

namespace vicinal::redis {

class Elements {
 public:
  Elements() = default;
  ~Elements();
  Elements(const Elements&) = delete;
  Elements& operator=(const Elements&) = delete;

  std::uint64_t size() const { return names_.size(); }
  std::uint64_t attribute_count() const { return attribute_count_; }
  /// Slots that there are, used or not.
  std::uint64_t slot_count() const { return slot_count_; }
  /// What names, slots and attributes take of the heap, about.
  std::size_t bytes() const { return bytes_; }

  std::optional<Label> find(std::string_view name) const;
  /// The name of `label`, which is gone when the label is; none when it is.
  std::optional<std::string_view> name_of(Label label) const;
  /// The same of a label that is there.
  std::string_view used_name(Label label) const { return slot(label)->name->first; }
  /// The text that `label` has; none when it has none. Of a reader in another thread: valid as long as
  /// its era is held.
  std::optional<std::string_view> attribute_of(Label label) const;

  /// Gives `name`, which has none, a slot. Throws std::bad_alloc and std::length_error (2^32 - 2 slots).
  Label add(std::string_view name);
  /// The same for loading: the next slot, used `uses` times before.
  std::optional<Label> add_next(std::string_view name, std::uint32_t uses);
  /// The same: a slot that nobody has.
  void skip_next();
  /// Takes back name, slot and attribute.
  void remove(Label label) noexcept;
  /// Replaces the attribute of a used label by one made for it; null: it has none from now on.
  void set_attribute(Label label, OwnedAttribute attribute) noexcept;
  Eras::Hold hold() { return eras_.hold(); }

  /// Calls `visit(name, label)` from the first name that is not before `from` on (`after`: that is behind
  /// it), in byte order, until it returns false.
  void walk(std::string_view from, bool after,
            const std::function<bool(std::string_view, Label)>& visit) const;
  /// Calls `visit` for every slot by number; null: nobody has it.
  void for_each_slot(const std::function<void(const Label*)>& visit) const;
  /// A used label, each with equal chance; `random` gives 64 bits. There is one.
  Label any(const std::function<std::uint64_t()>& random) const;

 private:
  using Text = std::basic_string<char, std::char_traits<char>, Heap<char>>;
  struct Before {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a < b; }
  };
  using Names = std::map<Text, Label, Before, Heap<std::pair<const Text, Label>>>;

  struct Slot {
    const Names::value_type* name = nullptr;
    std::atomic<Attribute*> attribute{nullptr};
    std::uint32_t uses = 0;  ///< how often it was given away before
    std::uint32_t next = 0;  ///< of the free ones
  };
  static constexpr std::uint32_t kNone = 0xffffffff;
  using Piece = std::atomic<Slot*>;
  /// Piece 0 has one slot, piece i has 2^(i-1): as many as there are before it.
  static constexpr unsigned kPieces = 33;
  static constexpr unsigned kFirstPieces = 3;  ///< in the object: those of a small set
  using LaterPieces = std::array<Piece, kPieces - kFirstPieces>;

  static Label label_of(std::uint32_t slot, std::uint32_t uses) { return Label{uses} << 32 | slot; }
  static std::size_t name_bytes(const Text& name);
  const Slot* slot(Label label) const;
  Slot* slot(Label label) { return const_cast<Slot*>(std::as_const(*this).slot(label)); }
  /// Of a number below kPieces; null while none of those behind it was wanted.
  const Piece* piece(unsigned number) const;
  /// A slot that nobody has, the last one.
  std::uint32_t grow();
  Label take(std::uint32_t number, Names::iterator name);

  Names names_;
  std::array<Piece, kFirstPieces> first_pieces_{};
  std::atomic<LaterPieces*> later_pieces_{nullptr};  ///< owned; made with the first of them
  std::uint32_t slot_count_ = 0;
  std::uint32_t free_ = kNone;
  std::uint64_t attribute_count_ = 0;
  std::size_t bytes_ = 0;
  Eras eras_;
};

}  // namespace vicinal::redis
