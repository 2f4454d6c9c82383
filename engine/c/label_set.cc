// Label sets.
#include "vicinal/c/label_set.h"

#include <memory>
#include <span>

#include "engine/c/answer.h"
#include "engine/c/handles.h"

using vicinal::Label;
using vicinal::LabelSet;
using vicinal::Status;
using vicinal::c_abi::answer;
using vicinal::c_abi::hand_out;
using vicinal::c_abi::require;

namespace {

/// Gives the caller what `combine` makes of two sets.
template <typename Combine>
vicinal_status combined(const vicinal_label_set* a, const vicinal_label_set* b,
                        vicinal_label_set** set, const Combine& combine) {
  return hand_out(set, "set", [&](std::unique_ptr<vicinal_label_set>& handle) -> Status {
    VICINAL_RETURN_IF_ERROR(require(a, "a", b, "b"));
    handle = std::make_unique<vicinal_label_set>(combine(a->set, b->set));
    return {};
  });
}

/// Writes what `look` says of the set to `*answered`.
template <typename T, typename Look>
vicinal_status asked(const vicinal_label_set* set, T* answered, const char* name,
                     const Look& look) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(set, "set", answered, name));
    *answered = look(set->set);
    return {};
  });
}

}  // namespace

vicinal_status vicinal_label_set_create(const uint64_t* labels, size_t count,
                                        vicinal_label_set** set) {
  return hand_out(set, "set", [&](std::unique_ptr<vicinal_label_set>& handle) -> Status {
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::require_array(labels, "labels", count));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_matrix("labels", count, 1, sizeof(Label)));
    handle = std::make_unique<vicinal_label_set>(LabelSet(std::span(labels, count)));
    return {};
  });
}
vicinal_status vicinal_label_set_all(vicinal_label_set** set) {
  return hand_out(set, "set", [&](std::unique_ptr<vicinal_label_set>& handle) -> Status {
    handle = std::make_unique<vicinal_label_set>(LabelSet::all());
    return {};
  });
}
void vicinal_label_set_free(vicinal_label_set* set) { delete set; }

vicinal_status vicinal_label_set_and(const vicinal_label_set* a, const vicinal_label_set* b,
                                     vicinal_label_set** set) {
  return combined(a, b, set, [](const LabelSet& x, const LabelSet& y) { return x & y; });
}
vicinal_status vicinal_label_set_or(const vicinal_label_set* a, const vicinal_label_set* b,
                                    vicinal_label_set** set) {
  return combined(a, b, set, [](const LabelSet& x, const LabelSet& y) { return x | y; });
}
vicinal_status vicinal_label_set_minus(const vicinal_label_set* a, const vicinal_label_set* b,
                                       vicinal_label_set** set) {
  return combined(a, b, set, [](const LabelSet& x, const LabelSet& y) { return x - y; });
}
vicinal_status vicinal_label_set_not(const vicinal_label_set* a, vicinal_label_set** set) {
  return combined(a, a, set, [](const LabelSet& x, const LabelSet&) { return ~x; });
}

vicinal_status vicinal_label_set_equal(const vicinal_label_set* a, const vicinal_label_set* b,
                                       bool* equal) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(a, "a", b, "b", equal, "equal"));
    *equal = a->set == b->set;
    return {};
  });
}
vicinal_status vicinal_label_set_contains(const vicinal_label_set* set, uint64_t label,
                                          bool* contained) {
  return asked(set, contained, "contained", [&](const LabelSet& s) { return s.contains(label); });
}
vicinal_status vicinal_label_set_size(const vicinal_label_set* set, uint64_t* size) {
  return asked(set, size, "size", [](const LabelSet& s) { return s.size(); });
}
vicinal_status vicinal_label_set_inverted(const vicinal_label_set* set, bool* inverted) {
  return asked(set, inverted, "inverted", [](const LabelSet& s) { return s.inverted(); });
}
vicinal_status vicinal_label_set_stored(const vicinal_label_set* set, uint64_t* stored) {
  return asked(set, stored, "stored", [](const LabelSet& s) { return s.stored(); });
}
vicinal_status vicinal_label_set_bytes(const vicinal_label_set* set, uint64_t* bytes) {
  return asked(set, bytes, "bytes", [](const LabelSet& s) { return s.bytes(); });
}

vicinal_status vicinal_label_set_copy_stored(const vicinal_label_set* set, uint64_t* labels,
                                             size_t capacity, size_t* count) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(set, "set", count, "count"));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::require_array(labels, "labels", capacity));
    std::size_t copied = 0;
    if (capacity > 0) {
      set->set.for_each_stored([&](Label label) {
        labels[copied++] = label;
        return copied < capacity;
      });
    }
    *count = copied;
    return {};
  });
}

vicinal_status vicinal_label_set_for_each_stored(const vicinal_label_set* set,
                                                 vicinal_label_visitor visit, void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(set, "set", visit, "visit"));
    set->set.for_each_stored([&](Label label) { return visit(context, label); });
    return {};
  });
}
