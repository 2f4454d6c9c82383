#include "engine/write_pause.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <utility>

#include "engine/callback.h"
#include "persist/checksum.h"

namespace vicinal::engine {
namespace {

/// The graphs whose writes are paused, for who forks. Without a lock: a host may pause in a handler of its
/// own before the fork, and what any thread is at there must be readable in the child.
class PausedGraphs {
 public:
  using Slot = std::atomic<graph::Graph*>;

  static PausedGraphs& here() {
    return internal::first_made(of_program, [] {
      auto made = std::make_unique<PausedGraphs>();
      static_cast<void>(::pthread_atfork(nullptr, nullptr, [] {
        if (PausedGraphs* const all = of_program.load()) all->put_right();
      }));
      return made;
    });
  }

  /// A slot with `graph` in it, given back by storing null. Throws std::bad_alloc.
  Slot& add(graph::Graph& graph) {
    for (Block* block = blocks_.load(); block != nullptr; block = block->next) {
      for (Slot& slot : block->slots) {
        graph::Graph* none = nullptr;
        if (slot.compare_exchange_strong(none, &graph)) return slot;
      }
    }
    auto* const block = new Block;  // stays: there are as many as there were pauses at once
    block->slots[0].store(&graph);
    block->next = blocks_.load();
    while (!blocks_.compare_exchange_weak(block->next, block)) {
    }
    return block->slots[0];
  }

  /// In a child, once.
  void put_right() noexcept {
    if (!process_.left()) return;
    for (const Block* block = blocks_.load(); block != nullptr; block = block->next) {
      for (const Slot& slot : block->slots) {
        if (graph::Graph* const graph = slot.load(); graph != nullptr) graph->begin_anew();
      }
    }
    process_ = internal::OwnProcess();
  }

 private:
  struct Block {
    std::array<Slot, 32> slots{};
    Block* next = nullptr;
  };

  static constinit inline std::atomic<PausedGraphs*> of_program{nullptr};
  std::atomic<Block*> blocks_{nullptr};
  internal::OwnProcess process_;  // made before the handler: it knows of a fork when that runs
};

/// Made as the program begins, not in a handler of a fork.
const PausedGraphs& made_early = PausedGraphs::here();

}  // namespace

Result<std::unique_ptr<WritePause>> WritePause::begin(std::shared_ptr<const void> index,
                                                      const IndexState& state) {
  if (CallbackScope::active() || graph::Moment::thread_is_inside()) {
    return Status::busy(fmt::format(
        "writes to index \"{}\" are not paused in a callback: its call may be one of them",
        state.name));
  }
  static_cast<void>(made_early);
  return std::unique_ptr<WritePause>(new WritePause(std::move(index), state));
}

WritePause::WritePause(std::shared_ptr<const void> index, const IndexState& state)
    : index_(std::move(index)),
      state_(state),
      closed_(*state.graph),
      room_(state.options, state.graph->node_limit()) {}

WritePause::Closed::Closed(graph::Graph& graph)
    : graph_(graph), paused_(PausedGraphs::here().add(graph)) {
  try {
    closer_ = graph_.write_gate().close();
  } catch (...) {
    paused_.store(nullptr);
    throw;
  }
}

WritePause::Closed::~Closed() {
  const auto finish = [](PutOff& what) { CallScope::finish_outside(what); };
  if (process_.left()) {
    PausedGraphs::here().put_right();  // in a handler of the host's that runs before ours
    graph_.write_gate().open_inherited(finish);
  } else {
    graph_.write_gate().open(closer_, finish);
  }
  paused_.store(nullptr);
}

class WritePause::Saving {
 public:
  explicit Saving(std::atomic<pid_t>& saver) : saver_(saver) {
    const pid_t own = ::getpid();
    pid_t before = saver_.load();
    begun_ = before != own && saver_.compare_exchange_strong(before, own);
  }
  ~Saving() {
    if (begun_) saver_.store(0);
  }
  Saving(const Saving&) = delete;
  Saving& operator=(const Saving&) = delete;
  explicit operator bool() const { return begun_; }

 private:
  std::atomic<pid_t>& saver_;
  bool begun_ = false;
};

Status WritePause::save(const ByteSink& sink) {
  if (!state_.graph->config().keep_vectors) {
    return Status::invalid_argument(
        fmt::format("the vectors of index \"{}\" are not in memory: save() reads them, a pause of "
                    "writes does not",
                    state_.name));
  }
  const Saving saving(saver_);
  if (!saving) {
    return Status::busy(
        fmt::format("index \"{}\" is being saved by this pause of its writes, which has memory for "
                    "one save at a time",
                    state_.name));
  }
  const CallbackScope scope(CallbackScope::Holds::kNothing);  // of the sink
  const graph::CopyView view(*state_.graph);
  return Saver(state_, view, nullptr, room_, sink).run();
}

}  // namespace vicinal::engine
