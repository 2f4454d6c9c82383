// RowLoader: the thread that brings into memory what opening left for later (graph/deferred.h).
//
// What: runs Graph::load_deferred() with a few threads until nothing is left, it is stopped, or a
// row cannot be read; the graph keeps that reason and its callers return it.
// Ownership: borrows the graph, and with it the source of its rows.
// Threads: stop() any.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "graph/graph.h"

namespace vicinal::engine {

class RowLoader {
 public:
  /// Throws std::system_error when there is no thread.
  RowLoader(graph::Graph& graph, unsigned threads);
  ~RowLoader() { stop(); }
  RowLoader(const RowLoader&) = delete;
  RowLoader& operator=(const RowLoader&) = delete;

  /// Waits for the slices of rows that are being loaded, and ends the thread. Idempotent.
  void stop();

 private:
  void run(unsigned threads);

  graph::Graph& graph_;
  std::atomic<bool> stopping_{false};
  std::mutex joining_;
  std::thread thread_;
};

}  // namespace vicinal::engine
