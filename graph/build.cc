// Batch build: many nodes are linked in rounds.
//
// A round's nodes search a graph that the round does not change, choose links among each other too,
// then all back-links are grouped by target and every target's list is written once. A round is an
// eighth of what is linked, at most 2 % of what will be. Every step's outcome depends on the nodes
// and their order only, so the graph is the same at any number of threads.
//
// Why they choose among each other: two of them that are each other's nearest find each other by no
// search, and in the list of a node that is near both, the nearer occludes the other; with no link
// between them, no walk could meet the other.
#include "graph/build.h"

#include <algorithm>
#include <new>
#include <numeric>
#include <optional>
#include <utility>

#include "graph/copies.h"
#include "graph/forward_links.h"
#include "graph/graph.h"
#include "graph/insert.h"
#include "graph/linking.h"
#include "graph/peers.h"
#include "graph/rebuild.h"

namespace vicinal::graph {
namespace {

constexpr std::uint32_t kNoItem = 0xFFFFFFFF;

struct Request {
  NodeId target;
  Level level;
  Neighbor from;
  std::uint32_t item;  ///< which of the round's nodes asks to be adopted; or kNoItem
  bool wants_parent;
};

struct Item {
  NodeId node = kNoNode;
  Approach approach;
  internal::Vector<ForwardLinks> forward;
  internal::Vector<std::uint8_t> adopted;     ///< per level
  internal::Vector<std::uint32_t> positions;  ///< its own in the queues, when they are in requests_
  internal::Vector<NodeId> queued;            ///< whom of the round it is compared with
  internal::Vector<Neighbor> peers;           ///< those among them that it links to at level 0
  bool alone = false;                         ///< not for a round: link_node does it
};

/// One round after another. It keeps its buffers: a round's requests take megabytes, whose pages
/// the system would have to clear again and again.
class Rounds {
 public:
  Rounds(GraphState& g, unsigned threads) : g_(g), workers_(g.workers(threads)) {}

  void run(Topology& t, std::span<const NodeId> nodes) {
    t_ = &t;
    const EntryPoint entry = t.entry_point();
    const std::uint64_t noted_before = t.recently_linked().count();
    items_.resize(nodes.size());
    workers_.for_each(nodes.size(), 8,
                      [&](std::size_t i) { find_approach(nodes[i], entry, items_[i]); });
    sort_by_nearness();
    workers_.for_each(nodes.size(), 8, [&](std::size_t i) { search(items_[by_nearness_[i]]); });
    set_aside_copies();
    queue_up();
    workers_.for_each(items_.size(), 8, [&](std::size_t i) {
      if (!items_[i].alone) choose(items_[i]);
    });
    collect_requests();
    workers_.for_each(groups_.size(), 16, [&](std::size_t i) {
      serve(std::span(requests_).subspan(groups_[i].begin, groups_[i].count));
    });
    finish();
    // Noted before the look at others: of two rounds that overlap, one at least sees the other.
    for (const Item& item : items_) {
      if (!item.alone) t_->recently_linked().note(item.node);
    }
    link_to_others(noted_before);
  }

 private:
  struct Group {
    std::size_t begin;
    std::size_t count;
  };

  void find_approach(NodeId node, EntryPoint entry, Item& item) {
    item.node = node;
    item.forward.clear();
    item.adopted.clear();
    item.positions.clear();
    item.queued.clear();
    item.peers.clear();
    item.alone = entry.node == kNoNode || g_.level(node) > entry.level;
    if (item.alone) return;
    const BorrowedScratch scratch(g_.scratches);
    item.approach = approach(g_, *t_, node, entry, *scratch);
  }

  // Those that are near each other search one after the other: what one has read is in the caches
  // for the next.
  void sort_by_nearness() {
    by_nearness_.resize(items_.size());
    std::iota(by_nearness_.begin(), by_nearness_.end(), 0u);
    std::sort(by_nearness_.begin(), by_nearness_.end(), [&](std::uint32_t a, std::uint32_t b) {
      const auto& pa = items_[a].approach.passed;
      const auto& pb = items_[b].approach.passed;
      return pa != pb ? pa < pb : a < b;
    });
  }

  void search(Item& item) {
    if (item.alone) return;
    const BorrowedScratch scratch(g_.scratches);
    find_forward_links(g_, *t_, item.node, item.approach, 0, *scratch, item.forward);
    item.alone = item.forward.front().links.empty();
    if (item.alone) return;
    item.adopted.assign(item.forward.size(), 0);
  }

  // Of those that are copies of each other (copies.h) and found none all but the first: they are
  // linked one by one, and find it.
  void set_aside_copies() {
    by_value_.clear();
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      if (!takes_part(items_[i])) continue;
      by_value_.emplace_back(value_hash(g_, items_[i].node), i);
    }
    std::sort(by_value_.begin(), by_value_.end());
    for (std::size_t i = 1; i < by_value_.size(); ++i) {
      if (by_value_[i].first == by_value_[i - 1].first) items_[by_value_[i].second].alone = true;
    }
  }

  // Whether the node chooses among its round: copies do not.
  static bool takes_part(const Item& item) { return !item.alone && !item.forward.front().copy; }

  // All of a small round meet: it may be the first to come upon a cluster. In a large one those
  // meet that found the same node; as two nodes are at least as far from each other as their
  // distances from it differ, each looks at those next to it in that node's queue.
  void queue_up() {
    constexpr std::size_t kSmall = 128;
    internal::Vector<NodeId> all;
    for (const Item& item : items_) {
      if (takes_part(item)) all.push_back(item.node);
    }
    if (all.size() <= kSmall) {
      for (Item& item : items_) {
        if (takes_part(item)) item.queued = all;
      }
      return;
    }
    requests_.clear();
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!items_[i].alone) request_links(i, items_[i].forward.front());
    }
    sort_requests();
    for (std::size_t position = 0; position < requests_.size(); ++position) {
      items_[requests_[position].item].positions.push_back(static_cast<std::uint32_t>(position));
    }
  }

  // Of every queue that it stands in; of a small round's, nobody.
  void look_at_next(Item& item) const {
    constexpr std::size_t kNext = 8;
    for (const std::size_t position : item.positions) {
      const NodeId queue = requests_[position].target;
      const std::size_t first = position - std::min(kNext, position);
      for (std::size_t i = position; i-- > first && requests_[i].target == queue;) {
        item.queued.push_back(requests_[i].from.node);
      }
      const std::size_t end = std::min(position + 1 + kNext, requests_.size());
      for (std::size_t i = position + 1; i < end && requests_[i].target == queue; ++i) {
        item.queued.push_back(requests_[i].from.node);
      }
    }
  }

  // What the node would have chosen had it met those that are queued with it.
  void choose(Item& item) {
    const BorrowedScratch scratch(g_.scratches);
    look_at_next(item);
    std::sort(item.queued.begin(), item.queued.end());
    item.queued.erase(std::unique(item.queued.begin(), item.queued.end()), item.queued.end());
    choose_peers(g_, *t_, item.node, item.queued, item.forward.front().links, item.peers, *scratch);
    const WriteGate::Inside change(g_.write_gate);
    t_->make_upper(item.node, g_.level(item.node));
    for (const ForwardLinks& f : item.forward) {
      publish_forward_links(g_, *t_, item.node, f, *scratch);
    }
  }

  void request_links(std::size_t i, const ForwardLinks& f) {
    if (f.copy) return;
    for (const Neighbor& n : f.links) {
      requests_.push_back({n.node,
                           f.level,
                           {n.distance, items_[i].node},
                           static_cast<std::uint32_t>(i),
                           n.node == f.links.front().node});
    }
  }

  void collect_requests() {
    requests_.clear();
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Item& item = items_[i];
      if (item.alone) continue;
      for (const ForwardLinks& f : item.forward) request_links(i, f);
      for (const Neighbor& n : item.peers) {
        requests_.push_back({n.node, 0, {n.distance, item.node}, kNoItem, false});
        requests_.push_back({item.node, 0, n, kNoItem, false});
      }
    }
    sort_requests();
    groups_.clear();
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      const bool fresh = i == 0 || requests_[i].target != requests_[i - 1].target ||
                         requests_[i].level != requests_[i - 1].level;
      if (fresh) groups_.push_back({i, 0});
      ++groups_.back().count;
    }
  }

  void sort_requests() {
    workers_.sort(requests_, [](const Request& a, const Request& b) {
      if (a.target != b.target) return a.target < b.target;
      if (a.level != b.level) return a.level < b.level;
      return a.from < b.from;
    });
  }

  void serve(std::span<const Request> requests) {
    internal::Vector<Incoming> incoming;
    incoming.reserve(requests.size());
    for (const Request& r : requests) incoming.push_back({r.from, r.wants_parent, false});
    const BorrowedScratch scratch(g_.scratches);
    const WriteGate::Inside change(g_.write_gate);
    add_links(g_, *t_, requests[0].target, requests[0].level, incoming, Adoption::kUsual, *scratch);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (incoming[i].adopted) items_[requests[i].item].adopted[requests[i].level] = 1;
    }
  }

  // What the order of the nodes decides: parents for those that their nearest did not adopt, and
  // nodes that rise above the entry point.
  void finish() {
    const BorrowedScratch scratch(g_.scratches);
    for (Item& item : items_) {
      const WriteGate::Inside change(g_.write_gate);
      if (item.alone) {
        link_node(g_, *t_, item.node, nullptr, *scratch);
        continue;
      }
      for (const ForwardLinks& f : item.forward) {
        if (item.adopted[f.level] == 0 && !f.links.empty()) {
          find_parent(g_, *t_, item.node, f.level, f.links, *scratch);
        }
        if (f.crowded) note_crowded(g_, item.node);
      }
    }
  }

  // Whom others have linked meanwhile. (Beside a single writer nobody; the graph stays the same at
  // any number of threads.)
  void link_to_others(std::uint64_t noted_before) {
    internal::Vector<NodeId> own;
    for (const Item& item : items_) own.push_back(item.node);
    std::sort(own.begin(), own.end());
    internal::Vector<NodeId> others;
    const bool remembered = t_->recently_linked().since(noted_before, others);
    std::erase_if(others,
                  [&](NodeId node) { return std::binary_search(own.begin(), own.end(), node); });
    if (remembered && others.empty()) return;
    // Links go both ways, so that it is enough when one side searches: the smaller one.
    const bool few = remembered && others.size() <= kFewOthers;
    const bool own_side = few || !remembered || own.size() <= others.size();
    const internal::Vector<NodeId>& searching = own_side ? own : others;
    workers_.for_each(searching.size(), 8, [&](std::size_t i) {
      const BorrowedScratch scratch(g_.scratches);
      const WriteGate::Inside change(g_.write_gate);
      if (few) {
        link_to_peers(g_, *t_, searching[i], others, *scratch);
      } else {
        look_for_links_anew(g_, *t_, searching[i], *scratch);
      }
    });
  }

  GraphState& g_;
  Topology* t_ = nullptr;  ///< of the present round
  const internal::Workers workers_;
  internal::Vector<Item> items_;
  internal::Vector<std::uint32_t> by_nearness_;  ///< the items in the order of their searches
  internal::Vector<std::pair<std::uint64_t, std::uint32_t>> by_value_;  ///< hashes and items
  internal::Vector<Request> requests_;
  internal::Vector<Group> groups_;
};

// The order of linking: shuffled by the seed, since batches often come sorted, the highest level
// first, so that the entry point is in place for the rest.
std::vector<NodeId> linking_order(const GraphState& g, std::span<const NodeId> nodes) {
  std::vector<NodeId> order(nodes.begin(), nodes.end());
  std::uint64_t x = g.config.seed;
  for (std::size_t i = order.size(); i > 1; --i) {
    x = x * 6364136223846793005ull + 1442695040888963407ull;
    std::swap(order[i - 1], order[(x >> 33) % i]);
  }
  if (!order.empty()) {
    std::swap(order.front(), *std::max_element(order.begin(), order.end(), [&](NodeId a, NodeId b) {
                return g.level(a) < g.level(b);
              }));
  }
  return order;
}

// Of a batch those that are not shown yet. What opening links is shown: it fails as a whole.
void join_backlog(GraphState& g, std::span<const NodeId> nodes) {
  if (std::any_of(nodes.begin(), nodes.end(),
                  [&](NodeId node) { return g.state(node) != NodeState::kPending; })) {
    throw std::bad_alloc();
  }
  for (const NodeId node : nodes) g.backlog.join(node);
}

}  // namespace

bool link_nodes(GraphState& g, Topology* fixed, std::span<const NodeId> nodes, unsigned threads,
                const RoundCallback& linked, const StepCallback& step) {
  const std::vector<NodeId> order = linking_order(g, nodes);
  const std::size_t before =
      fixed != nullptr ? 0
                       : static_cast<std::size_t>(std::max<std::int64_t>(
                             std::int64_t{g.live_count.load()} + g.tombstone_count.load(), 0));
  // Also bounded because maintenance waits for whoever is at a round.
  constexpr std::size_t kLongestRound = 4096;
  const std::size_t most = std::clamp<std::size_t>((before + order.size()) / 50, 1, kLongestRound);
  Rounds rounds(g, threads);
  for (std::size_t done = 0; done < order.size();) {
    const std::size_t size =
        std::min(std::clamp<std::size_t>((before + done) / 8, 1, most), order.size() - done);
    const std::span<const NodeId> round = std::span(order).subspan(done, size);
    {
      std::optional<Linkers::Inside> inside;
      if (fixed != nullptr) {
        rounds.run(*fixed, round);
      } else {
        inside.emplace(g.scratches);
        Topology* const coming =
            g.linking->coming.load(std::memory_order_acquire);  // first: see link()
        Topology& t = *g.topology.load(std::memory_order_acquire);
        try {
          if (coming != nullptr && coming != &t) rounds.run(*coming, round);
          rounds.run(t, round);
          note_linked(g, round);
        } catch (const std::bad_alloc&) {
          join_backlog(g, round);
        }
      }
    }
    done += size;
    if (linked) linked(round);
    if (step && !step(done, order.size()) && done < order.size()) return false;
  }
  return true;
}

bool Graph::link_batch(std::span<const NodeId> nodes, unsigned threads, const RoundCallback& linked,
                       const StepCallback& step) {
  if (flat()) {  // nothing to do, and all is done
    if (linked) linked(nodes);
    if (step) step(nodes.size(), nodes.size());
    return true;
  }
  std::size_t done = 0;
  const RoundCallback counted = [&](std::span<const NodeId> round) {
    done += round.size();
    if (linked) linked(round);
  };
  try {
    const bool all = link_nodes(*state_, nullptr, nodes, std::max(threads, 1u), counted, step);
    try_sketches(*state_, nodes, std::max(threads, 1u));
    return all;
  } catch (const std::bad_alloc&) {
    if (done > 0) throw;  // by a callback: rounds do not fail
    join_backlog(*state_, nodes);
    return true;
  }
}

}  // namespace vicinal::graph
