#include "persist/lmdb_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vicinal::persist {

Status damaged_page(std::uint64_t page, std::string_view what) {
  return Status::corruption(fmt::format("page {} of the data file is damaged: {}", page, what));
}

Status LmdbLargeValue::check(std::uint64_t number, std::uint64_t bytes,
                             std::uint64_t page_size) const {
  constexpr std::uint16_t kLargeValue = 4;
  const auto own_number = number_at<std::uint64_t>(header_);
  const auto flags = number_at<std::uint16_t>(header_ + 10);
  const auto pages = number_at<std::uint32_t>(header_ + 12);
  const std::uint64_t used = (kLmdbPageHeader + bytes + page_size - 1) / page_size;
  if (own_number == number && flags == kLargeValue && pages == used) return {};
  return damaged_page(number, fmt::format("it says that it is page {} of kind {} with {} pages, "
                                          "and holds a value of {} bytes",
                                          own_number, flags, pages, bytes));
}

Status LmdbPage::check(std::uint64_t number, bool filled) const {
  if (at<std::uint64_t>(0) != number) return damaged_page(number, "it has another number");
  if (flags() != kBranch && flags() != kLeaf) {
    return damaged_page(number, "neither branch nor leaf");
  }
  if (Status s = check_lists(number); !s.ok()) return s;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;  // begin and end of each node
  for (std::size_t i = 0; i < nodes(); ++i) {
    std::uint64_t end = 0;
    if (Status s = check_node(number, i, &end); !s.ok()) return s;
    extents.emplace_back(place(i), end);
  }
  if (!filled) return {};
  std::sort(extents.begin(), extents.end());
  std::uint64_t end = upper();
  for (const auto& [first, last] : extents) {
    if (first != end) {
      return damaged_page(number,
                          fmt::format("a node ends at {}, the next begins at {}", end, first));
    }
    end = last;
  }
  if (end == size()) return {};
  return damaged_page(number, fmt::format("its nodes end at {}", end));
}

Status LmdbPage::check_lists(std::uint64_t number) const {
  const std::size_t fewest = is_leaf() ? 1 : 2;
  if (lower() >= kLmdbPageHeader + 2 * fewest && lower() % 2 == 0 && lower() <= upper() &&
      upper() <= size()) {
    return {};
  }
  return damaged_page(number, fmt::format("its list of places ends at {}, its nodes begin at {}",
                                          lower(), upper()));
}

Status LmdbPage::check_node(std::uint64_t number, std::size_t i, std::uint64_t* end) const {
  const std::size_t begin = place(i);
  if (begin < upper() || begin % 2 != 0 || begin + LmdbNode::kHeader > size()) {
    return damaged_page(number, fmt::format("a node at {}", begin));
  }
  const std::size_t room = size() - begin;
  const LmdbNode own = node(i);
  const std::size_t key = own.key().size();
  const bool may_lack_it = !is_leaf() && i == 0;
  if (key > kLongestKey || key > room - LmdbNode::kHeader || (key == 0 && !may_lack_it)) {
    return damaged_page(number, fmt::format("a key of {} bytes", key));
  }
  const std::uint64_t bytes = LmdbNode::kHeader + key + (is_leaf() ? own.inline_bytes() : 0);
  if (is_leaf() && own.flags() != 0 && bytes > room) {
    return damaged_page(number, "a node is cut off");
  }
  *end = begin + (bytes + 1) / 2 * 2;
  return {};
}

}  // namespace vicinal::persist
