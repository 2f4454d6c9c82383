#include "tests/damage/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tests/damage/expected.h"

namespace vicinal::testing {
namespace {

/// What `seen` lacks of `expected`, or has beyond it.
std::string difference(const Contents& seen, const Contents& expected) {
  std::string what = "not all could be read";
  for (const auto& [name, rows] : expected) {
    const auto found = seen.find(name);
    if (found == seen.end()) {
      what = fmt::format("index '{}' is lost", name);
    } else if (!same_rows(found->second, rows)) {
      what = fmt::format("'{}' has {} labels of {}", name, found->second.size(), rows.size());
      for (const auto& [label, row] : rows) {
        const auto other = found->second.find(label);
        if (other == found->second.end())
          what += fmt::format(", label {} is lost", label);
        else if (*other->second != *row)
          what += fmt::format(", label {} is an older one", label);
      }
      for (const auto& [label, row] : found->second) {
        if (!rows.contains(label)) what += fmt::format(", label {} is back", label);
      }
    }
  }
  return what;
}

/// What is added is rounded where rows are stored as codes.
bool nearly(std::span<const float> a, std::span<const float> b) {
  return std::ranges::equal(a, b, [](float x, float y) { return std::abs(x - y) < 0.01F; });
}

}  // namespace

void Judge::name(const std::string& words) {
  if (verdict_.named.empty()) verdict_.named = words;
}

void Judge::wrong(const std::string& words) {
  if (verdict_.wrong.empty()) verdict_.wrong = words;
}

bool Judge::good(const Status& status, const std::string& what) {
  if (status.ok()) return true;
  const std::string words = what + ": " + status.to_string();
  const bool names = status.code() == StatusCode::kCorruption ||
                     status.code() == StatusCode::kFormatVersion ||
                     status.code() == StatusCode::kIoError;
  names ? name(words) : wrong(words);
  return false;
}

void Judge::check_row(const std::string& name, Label label, std::span<const float> row,
                      const std::string& how) {
  const auto stored = [&](const Contents& contents) {
    const auto rows = contents.find(name);
    if (rows == contents.end()) return false;
    const auto found = rows->second.find(label);
    return found != rows->second.end() && same_bits(*found->second, row);
  };
  if (stored(sample_.contents) || std::ranges::any_of(sample_.history, stored)) return;
  if (label == kAdded && nearly(row, row_of(kAdded, kAddedGeneration, row.size()))) return;
  wrong(fmt::format("{} gives label {} of '{}' a vector that was never stored", how, label, name));
}

void Judge::judge(const Seen& seen, const Contents& expected) {
  const auto same = [&](const Contents& contents) {
    return std::ranges::equal(seen.contents, contents, [](const auto& a, const auto& b) {
      return a.first == b.first && same_rows(a.second, b.second);
    });
  };
  if (seen.whole && same(expected)) return;
  if (!verdict_.named.empty() && !too_late_) return;
  if (rolled_back_ && std::ranges::any_of(sample_.history, same)) return;
  wrong(fmt::format("{}: {}, and {}", seen.how, difference(seen.contents, expected),
                    verdict_.named.empty()
                        ? "nothing was named"
                        : "it was named when it was too late: " + verdict_.named));
}

}  // namespace vicinal::testing
