#include "persist/flat_links.h"

namespace vicinal::persist {

void FlatLinks::cut_to(const Mark& end) {
  nodes.resize(end.nodes);
  lists.resize(end.lists);
  ids.resize(end.ids);
}

void FlatLinks::copy_to(std::span<graph::NodeLinks> all) const {
  const List* list = lists.data();
  const graph::NodeId* id = ids.data();
  for (const Node& node : nodes) {
    for (std::uint32_t level = 0; level < node.levels; ++level, id += list->count, ++list) {
      all[graph::raw(node.node)].push_back(
          {list->parent, list->child_count, {id, id + list->count}});
    }
  }
}

}  // namespace vicinal::persist
