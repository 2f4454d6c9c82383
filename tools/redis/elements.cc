#include "tools/redis/elements.h"

#include <bit>
#include <new>
#include <stdexcept>
#include <utility>

namespace vicinal::redis {
namespace {

// A node of the tree: its links and colour, the name, the label.
constexpr std::size_t kTreeNode = 32;

struct Place {
  unsigned piece;
  std::uint32_t offset;
};

// Piece 0 has slot 0, piece 1 slot 1, piece 2 slots 2 and 3, piece 3 4 to 7, ...
Place place_of(std::uint32_t number) {
  if (number == 0) return {0, 0};
  const auto piece = static_cast<unsigned>(std::bit_width(number));
  return {piece, number - (std::uint32_t{1} << (piece - 1))};
}

std::size_t piece_slots(unsigned piece) { return piece == 0 ? 1 : std::size_t{1} << (piece - 1); }

}  // namespace

Elements::~Elements() {
  for (unsigned number = 0; number < kPieces; ++number) {
    const Piece* const known = piece(number);
    Slot* const slots = known == nullptr ? nullptr : known->load(std::memory_order_relaxed);
    if (slots == nullptr) continue;
    for (std::size_t i = 0; i < piece_slots(number); ++i) {
      if (Attribute* a = slots[i].attribute.load(std::memory_order_relaxed)) Attribute::free(a);
    }
    api.Free(slots);
  }
  api.Free(later_pieces_.load(std::memory_order_relaxed));
}

std::size_t Elements::name_bytes(const Text& name) {
  return heap_bytes(kTreeNode + sizeof(Names::value_type)) +
         (name.capacity() > Text().capacity() ? heap_bytes(name.capacity() + 1) : 0);
}

const Elements::Piece* Elements::piece(unsigned number) const {
  if (number < kFirstPieces) return &first_pieces_[number];
  const LaterPieces* const later = later_pieces_.load(std::memory_order_acquire);
  return later == nullptr ? nullptr : &(*later)[number - kFirstPieces];
}

const Elements::Slot* Elements::slot(Label label) const {
  const Place place = place_of(static_cast<std::uint32_t>(label));
  const Piece* const known = piece(place.piece);
  const Slot* const slots = known == nullptr ? nullptr : known->load(std::memory_order_acquire);
  return slots == nullptr ? nullptr : slots + place.offset;
}

std::optional<Label> Elements::find(std::string_view name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string_view> Elements::name_of(Label label) const {
  const Slot* const s = slot(label);
  if (s == nullptr || s->name == nullptr || s->name->second != label) return std::nullopt;
  return s->name->first;
}

std::optional<std::string_view> Elements::attribute_of(Label label) const {
  const Slot* const s = slot(label);
  if (s == nullptr) return std::nullopt;
  const Attribute* const a = s->attribute.load(std::memory_order_acquire);
  if (a == nullptr || a->label() != label) return std::nullopt;  // RM3
  return a->text();
}

std::uint32_t Elements::grow() {
  if (slot_count_ >= kNone - 1) {
    throw std::length_error("a set has 4,294,967,294 elements at most");
  }
  const Place place = place_of(slot_count_);
  if (piece(place.piece) == nullptr) {
    later_pieces_.store(new (Heap<LaterPieces>().allocate(1)) LaterPieces(),
                        std::memory_order_release);
    bytes_ += heap_bytes(sizeof(LaterPieces));
  }
  auto& slots = const_cast<Piece&>(*piece(place.piece));
  if (slots.load(std::memory_order_relaxed) == nullptr) {
    const std::size_t count = piece_slots(place.piece);
    Slot* const fresh = Heap<Slot>().allocate(count);
    for (std::size_t i = 0; i < count; ++i) new (fresh + i) Slot();
    slots.store(fresh, std::memory_order_release);
    bytes_ += heap_bytes(count * sizeof(Slot));
  }
  return slot_count_++;
}

Label Elements::take(std::uint32_t number, Names::iterator name) {
  Slot& s = *slot(number);
  name->second = label_of(number, s.uses);
  s.name = &*name;
  bytes_ += name_bytes(name->first);
  return name->second;
}

Label Elements::add(std::string_view name) {
  const auto entry = names_.emplace(Text(name), 0).first;
  try {
    if (free_ == kNone) return take(grow(), entry);
  } catch (...) {
    names_.erase(entry);
    throw;
  }
  const std::uint32_t number = free_;
  free_ = slot(number)->next;
  return take(number, entry);
}

std::optional<Label> Elements::add_next(std::string_view name, std::uint32_t uses) {
  const auto [entry, fresh] = names_.emplace(Text(name), 0);
  if (!fresh) return std::nullopt;
  const std::uint32_t number = grow();
  slot(number)->uses = uses;
  return take(number, entry);
}

void Elements::skip_next() {
  const std::uint32_t number = grow();
  slot(number)->next = std::exchange(free_, number);
}

void Elements::remove(Label label) noexcept {
  Slot* const s = slot(label);
  if (Attribute* a = s->attribute.exchange(nullptr, std::memory_order_acq_rel)) {
    --attribute_count_;
    bytes_ -= a->bytes();
    eras_.retire(a);
  }
  const auto entry = names_.find(s->name->first);
  bytes_ -= name_bytes(entry->first);
  names_.erase(entry);
  s->name = nullptr;
  ++s->uses;
  s->next = std::exchange(free_, static_cast<std::uint32_t>(label));
}

void Elements::set_attribute(Label label, OwnedAttribute attribute) noexcept {
  Attribute* const fresh = attribute.release();
  Attribute* const old = slot(label)->attribute.exchange(fresh, std::memory_order_acq_rel);
  if (fresh != nullptr) {
    ++attribute_count_;
    bytes_ += fresh->bytes();
  }
  if (old == nullptr) return;
  --attribute_count_;
  bytes_ -= old->bytes();
  eras_.retire(old);
}

void Elements::walk(std::string_view from, bool after,
                    const std::function<bool(std::string_view, Label)>& visit) const {
  for (auto at = after ? names_.upper_bound(from) : names_.lower_bound(from); at != names_.end();
       ++at) {
    if (!visit(at->first, at->second)) return;
  }
}

void Elements::for_each_slot(const std::function<void(const Label*)>& visit) const {
  for (std::uint32_t number = 0; number < slot_count_; ++number) {
    const Slot& s = *slot(number);
    visit(s.name == nullptr ? nullptr : &s.name->second);
  }
}

Label Elements::any(const std::function<std::uint64_t()>& random) const {
  // Where most slots are used the first tries find one; where few are, the names are few.
  for (int tries = 0; tries < 64; ++tries) {
    const Slot& s = *slot(random() % slot_count_);
    if (s.name != nullptr) return s.name->second;
  }
  auto at = names_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(random() % names_.size()));
  return at->second;
}

}  // namespace vicinal::redis
