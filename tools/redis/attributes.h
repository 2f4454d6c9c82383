// Attributes: the JSON texts of elements, read by searches in other threads while they are replaced.
//
// What: an Attribute is written once and then only read. Who takes one away retires it; it is freed when
// every search that had begun by then has ended. A search holds an era: what is retired in an era lives as
// long as that era or an earlier one is held, for eras are a chain.
// Ownership: Eras is a part of a set of elements; holders keep their eras, which may outlive the set.
// Threads: hold() and retire() are of the main thread; a hold may be let go in any, and what it kept is
// then freed there.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "vicinal/types.h"

namespace vicinal::redis {

class Attribute {
 public:
  /// Throws std::bad_alloc.
  static Attribute* make(Label label, std::string_view text);
  static void free(Attribute* attribute) noexcept;

  Label label() const { return label_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(this + 1), length_}; }
  std::size_t bytes() const;

 private:
  friend class Eras;
  Attribute(Label label, std::size_t length) : label_(label), length_(length) {}

  const Label label_;
  const std::size_t length_;
  Attribute* next_ = nullptr;  ///< retired with it
};

struct FreeAttribute {
  void operator()(Attribute* attribute) const noexcept { Attribute::free(attribute); }
};
using OwnedAttribute = std::unique_ptr<Attribute, FreeAttribute>;
/// Null for an empty text, which is no attribute. Throws std::bad_alloc.
inline OwnedAttribute make_attribute(Label label, std::string_view text) {
  return OwnedAttribute(text.empty() ? nullptr : Attribute::make(label, text));
}

class Eras {
 private:
  struct Era;

 public:
  using Hold = std::shared_ptr<const Era>;

  /// Keeps what is retired from now on. Throws std::bad_alloc.
  Hold hold();
  /// Frees `attribute`, which nobody finds any more, once nobody can be reading it.
  void retire(Attribute* attribute) noexcept;

 private:
  struct Era {
    Era() = default;
    ~Era();
    Era(const Era&) = delete;
    Era& operator=(const Era&) = delete;

    Attribute* retired = nullptr;
    std::shared_ptr<Era> next;
  };

  std::shared_ptr<Era> now_;  ///< null when nobody holds one, as far as is known
};

}  // namespace vicinal::redis
