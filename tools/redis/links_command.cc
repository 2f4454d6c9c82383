// VLINKS: an element's neighbors, level by level.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "tools/redis/key.h"
#include "tools/redis/read_commands.h"
#include "tools/redis/reply.h"
#include "tools/redis/vector_argument.h"

namespace vicinal::redis {
namespace {

using Level = std::vector<Hit>;

// The hits of `labels` by distance from `vector`: an exact search among them.
Level among(const Index& index, std::span<const float> vector, std::span<const Label> labels) {
  SearchOptions options;
  options.k = labels.size();
  options.exact = true;
  options.filter = vicinal::Filter::among(LabelSet(labels));
  return value_or_refuse(index.search(vector, options)).hits;
}

// Without a graph: what it would lead to.
std::vector<Level> nearest(const VectorSet& set, std::span<const float> vector, Label label) {
  const std::size_t most = 2 * std::size_t{set.options().M};
  SearchOptions options;
  options.k = most + 1;
  options.exact = true;
  Level level = value_or_refuse(set.index().search(vector, options)).hits;
  std::erase_if(level, [label](const Hit& hit) { return hit.label == label; });
  if (level.size() > most) level.resize(most);
  return {std::move(level)};
}

std::vector<Level> levels_of(const VectorSet& set, Label label) {
  const std::vector<float> vector = value_or_refuse(set.index().get(label));
  const Index::NodeView view = value_or_refuse(set.index().node(label));
  if (view.links.empty()) return nearest(set, vector, label);
  std::vector<Level> levels;
  for (auto links = view.links.rbegin(); links != view.links.rend(); ++links) {
    std::vector<Label> named;  // a link may lead to what was erased
    for (const Label to : *links) {
      if (to != label && set.elements().name_of(to)) named.push_back(to);
    }
    levels.push_back(among(set.index(), vector, named));
  }
  return levels;
}

}  // namespace

void vlinks(ServerContext* context, ServerString** argv, int argc) {
  const bool scores = argc == 4 && is(argv[3], "WITHSCORES");
  if (argc != 3 && !scores) throw WrongArity();
  const Key key(context, argv[1], kReadKey);
  const std::optional<Label> label =
      key.missing() ? std::nullopt : key->elements().find(text(argv[2]));
  if (key.missing() || !label) {
    api.ReplyWithNull(context);
    return;
  }
  const std::vector<Level> levels = levels_of(*key, *label);
  const bool cosine = key->options().metric == Metric::kCosine;
  api.ReplyWithArray(context, static_cast<long>(levels.size()));
  for (const Level& level : levels) {
    const auto count = static_cast<long>(level.size());
    scores ? api.ReplyWithMap(context, count) : api.ReplyWithArray(context, count);
    for (const Hit& hit : level) {
      reply_text(context, key->elements().used_name(hit.label));
      if (scores) api.ReplyWithDouble(context, score(hit.distance, cosine));
    }
  }
}

}  // namespace vicinal::redis
