#include "tools/redis/attributes.h"

#include <cstring>
#include <new>
#include <utility>

#include "tools/redis/heap.h"

namespace vicinal::redis {

Attribute* Attribute::make(Label label, std::string_view text) {
  void* const room = api.TryAlloc(sizeof(Attribute) + text.size());
  if (room == nullptr) throw std::bad_alloc();
  auto* const attribute = new (room) Attribute(label, text.size());
  if (!text.empty()) std::memcpy(static_cast<void*>(attribute + 1), text.data(), text.size());
  return attribute;
}

void Attribute::free(Attribute* attribute) noexcept { api.Free(attribute); }

std::size_t Attribute::bytes() const { return heap_bytes(sizeof(Attribute) + length_); }

Eras::Era::~Era() {
  while (retired != nullptr) Attribute::free(std::exchange(retired, retired->next_));
  // A long chain must not become a deep stack: an era that ends within the loop below hands on its next.
  // Only letting go tells who was the last, and orders it behind the others: use_count() does not.
  static thread_local std::shared_ptr<Era>* handed_on = nullptr;
  if (handed_on != nullptr) {
    *handed_on = std::move(next);
    return;
  }
  std::shared_ptr<Era> handed;
  handed_on = &handed;
  std::shared_ptr<Era> after = std::move(next);
  while (after != nullptr) {
    after.reset();
    after = std::move(handed);
  }
  handed_on = nullptr;
}

Eras::Hold Eras::hold() {
  if (now_ == nullptr) {
    now_ = std::make_shared<Era>();
  } else if (now_->retired != nullptr) {
    // What was retired before this search began need not wait for it.
    auto fresh = std::make_shared<Era>();
    now_->next = fresh;
    now_ = std::move(fresh);
  }
  return now_;
}

void Eras::retire(Attribute* attribute) noexcept {
  if (attribute == nullptr) return;
  if (now_ == nullptr) return Attribute::free(attribute);
  attribute->next_ = std::exchange(now_->retired, attribute);
  // Nobody else has it, nor an earlier one, which would have this. Letting it go, rather than freeing
  // here, is what orders the readers' last look before the freeing.
  if (now_.use_count() == 1) now_.reset();
}

}  // namespace vicinal::redis
