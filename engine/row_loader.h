// RowLoader: the thread that brings into memory what opening left for later (graph/deferred.h).
//
// What: runs Graph::load_deferred() with a few threads until nothing is left, it is stopped, or a
// row cannot be read; the graph keeps that reason and its callers return it.
// Ownership: borrows the graph, and with it the source of its rows.
// Threads: stop() any.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "graph/graph.h"
#include "vicinal/status.h"

namespace vicinal::engine {

class RowLoader {
 public:
  /// `on_failure` is called, from the thread, with why rows cannot be read, if so.
  /// Throws std::system_error when there is no thread.
  RowLoader(graph::Graph& graph, unsigned threads, std::function<void(const Status&)> on_failure);
  ~RowLoader() { stop(); }
  RowLoader(const RowLoader&) = delete;
  RowLoader& operator=(const RowLoader&) = delete;

  /// Waits for the slices of rows that are being loaded, and ends the thread. Idempotent.
  void stop();

 private:
  void run(unsigned threads);

  graph::Graph& graph_;
  const std::function<void(const Status&)> on_failure_;
  std::atomic<bool> stopping_{false};
  std::mutex joining_;
  std::thread thread_;
};

}  // namespace vicinal::engine
