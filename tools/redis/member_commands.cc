// VRANGE and VRANDMEMBER: names by order, names by chance.
#include <algorithm>
#include <optional>
#include <random>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tools/redis/key.h"
#include "tools/redis/read_commands.h"
#include "tools/redis/reply.h"

namespace vicinal::redis {
namespace {

// A count below zero asks for names with repeats, however few there are: a reply must fit into memory.
constexpr long long kMostRepeats = 1LL << 24;

std::uint64_t random_bits() {
  // Which element comes is nobody's secret and is written nowhere.
  static std::mt19937_64 generator{std::random_device{}()};
  return generator();
}

void reply_labels(ServerContext* context, const Elements& elements,
                  const std::vector<Label>& labels) {
  api.ReplyWithArray(context, static_cast<long>(labels.size()));
  for (const Label label : labels) reply_text(context, elements.used_name(label));
}

std::vector<Label> distinct(const Elements& elements, std::uint64_t count) {
  std::vector<Label> labels;
  if (count < elements.size() / 4) {
    std::unordered_set<Label> seen;
    while (labels.size() < count) {
      const Label label = elements.any(random_bits);
      if (seen.insert(label).second) labels.push_back(label);
    }
    return labels;
  }
  labels.reserve(elements.size());
  elements.walk({}, false, [&](std::string_view, Label label) {
    labels.push_back(label);
    return true;
  });
  const std::size_t kept = std::min<std::uint64_t>(count, labels.size());
  for (std::size_t i = 0; i < kept; ++i) {
    std::swap(labels[i], labels[i + random_bits() % (labels.size() - i)]);
  }
  labels.resize(kept);
  return labels;
}

struct Bound {
  std::string_view name;
  bool open = false;     ///< the name itself is outside
  bool endless = false;  ///< "-" or "+"
};

Bound bound(const ServerString* word, std::string_view endless, const char* error) {
  const std::string_view given = text(word);
  if (given == endless) return {.name = {}, .open = false, .endless = true};
  if (given == "-" || given == "+") {
    throw Refusal("ERR '-' can only be used as first argument, '+' only as second");
  }
  if (given.empty() || (given.front() != '[' && given.front() != '(')) throw Refusal(error);
  return {.name = given.substr(1), .open = given.front() == '(', .endless = false};
}

}  // namespace

void vrandmember(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 2 && argc != 3) throw WrongArity();
  long long count = 1;
  if (argc == 3 && api.StringToLongLong(argv[2], &count) != kOk) {
    throw Refusal("ERR COUNT value is not an integer");
  }
  if (count < -kMostRepeats) throw Refusal("ERR COUNT value is out of range");
  const Key key(context, argv[1], kReadKey);
  const bool none = key.missing() || key->size() == 0;
  if (argc == 2 && none) {
    api.ReplyWithNull(context);
  } else if (none || count == 0) {
    api.ReplyWithArray(context, 0);
  } else if (argc == 2) {
    reply_text(context, key->elements().used_name(key->elements().any(random_bits)));
  } else if (count > 0) {
    reply_labels(context, key->elements(),
                 distinct(key->elements(), static_cast<std::uint64_t>(count)));
  } else {
    std::vector<Label> labels(static_cast<std::size_t>(-count));
    for (Label& label : labels) label = key->elements().any(random_bits);
    reply_labels(context, key->elements(), labels);
  }
}

void vrange(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 4 && argc != 5) throw WrongArity();
  const Bound from = bound(argv[2], "-", "ERR invalid start range format");
  const Bound to = bound(argv[3], "+", "ERR invalid end range format");
  long long count = -1;
  if (argc == 5 && api.StringToLongLong(argv[4], &count) != kOk) {
    throw Refusal("ERR invalid COUNT value");
  }
  const Key key(context, argv[1], kReadKey);
  std::vector<std::string_view> names;
  if (!key.missing() && count != 0) {
    key->elements().walk(from.name, from.open, [&](std::string_view name, Label) {
      if (!to.endless && (name > to.name || (to.open && name == to.name))) return false;
      names.push_back(name);
      return count < 0 || names.size() < static_cast<std::uint64_t>(count);
    });
  }
  api.ReplyWithArray(context, static_cast<long>(names.size()));
  for (const std::string_view name : names) reply_text(context, name);
}

}  // namespace vicinal::redis
