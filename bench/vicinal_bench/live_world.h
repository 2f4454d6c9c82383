// The indexes of vicinal-bench live: one that is measured, its control, and a small bystander.
//
// What: measured and control are built in the same way; phases write to the measured one only. The
// control answers the same queries at the same load, so that a busy machine does not decide. The
// bystander takes the same single writes with nothing else going on in it: the control of writes.
// A label below base.rows was given at building and names its row; higher ones come with writes.
// Ownership: refers to the base; owns the indexes and, with a store, their folders, which go with
// it.
// Threads: one's own, but for RowPool and next_label().
// Invariants:
//   A row of the base is the vector of at most one label at any moment: who writes takes it from
//   the pool before the call, and gives back or keeps what it replaced after the call.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/live_history.h"
#include "bench/vicinal_bench/live_recall.h"
#include "bench/vicinal_bench/live_tally.h"
#include "tools/matrix/matrix.h"

namespace vicinal::bench {

/// Base rows that are nobody's vector, longest away first.
class RowPool {
 public:
  void fill(std::uint64_t first, std::uint64_t end);
  std::optional<std::uint32_t> take();
  /// Up to `count`, at once.
  std::vector<std::uint32_t> take(std::uint64_t count);
  void give(std::uint32_t row);
  std::size_t size();

 private:
  std::mutex mutex_;
  std::deque<std::uint32_t> rows_;
};

struct LiveIndex {
  explicit LiveIndex(std::string its_name) : name(std::move(its_name)) {}
  Index& index() { return bench->index; }

  std::string name;
  std::unique_ptr<Bench> bench;
  std::vector<std::uint32_t> built;  ///< rows
  std::vector<Entry> first;          ///< live when a phase begins
  LiveCount count;
  RowPool pool;
  Ranking ranking;  ///< of `built`; empty until it is needed
};

class LiveWorld {
 public:
  /// What a phase begins with.
  struct Setup {
    std::uint64_t preload = 0;          ///< rows the measured index is built of
    std::vector<std::uint32_t> erased;  ///< of them, in this order
    bool fresh_control = false;         ///< control: built of what is left; else of all
    double repair_share = 0;
    bool bystander = false;
  };

  LiveWorld(IndexArguments arguments, const matrix::Matrix& base)
      : arguments_(std::move(arguments)), base_(base), next_label_(base.rows) {}
  ~LiveWorld();
  LiveWorld(const LiveWorld&) = delete;
  LiveWorld& operator=(const LiveWorld&) = delete;

  /// Makes the folder of the stores.
  /// Errors: kInvalidArgument  it is there and not empty.
  Status open();
  /// Builds what is not there already. What stays is used again, unless touched() was called.
  Status prepare(const Setup& setup);
  /// The measured index was written to: the next phase wants another.
  void touched() { touched_ = true; }

  LiveIndex& measured() { return measured_; }
  LiveIndex& control() { return control_; }
  LiveIndex& bystander() { return bystander_; }
  Label next_label(std::uint64_t count = 1) { return next_label_.fetch_add(count); }
  const matrix::Matrix& base() const { return base_; }
  const IndexArguments& arguments() const { return arguments_; }
  bool stored() const { return !arguments_.store.empty(); }
  std::string folder(const std::string& name) const { return arguments_.store + "/" + name; }

 private:
  /// Replaces `made` by a fresh index of `rows`.
  Status build(LiveIndex& made, std::vector<std::uint32_t> rows, double repair_share);
  void drop(LiveIndex& made);
  Status prepare_measured(const Setup& setup);
  Status prepare_control(const Setup& setup);
  Status prepare_bystander(const Setup& setup);

  IndexArguments arguments_;
  const matrix::Matrix& base_;
  std::atomic<Label> next_label_;
  bool made_folder_ = false;
  bool touched_ = false;
  double repair_share_ = 0;            ///< of the measured index
  std::vector<std::uint32_t> erased_;  ///< from it
  LiveIndex measured_{"measured"};
  LiveIndex control_{"control"};
  LiveIndex bystander_{"bystander"};
};

}  // namespace vicinal::bench
