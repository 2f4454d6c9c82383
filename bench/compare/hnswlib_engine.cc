// hnswlib as one of the engines compared: inner product over unit vectors, for it has no cosine.
// The one unit of the project that includes hnswlib's headers.
#include <hnswlib/hnswlib.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/compare/engine.h"
#include "tools/interrupt.h"

namespace vicinal::bench {
namespace {

using Graph = hnswlib::HierarchicalNSW<float>;

class HnswlibEngine : public Engine {
 public:
  explicit HnswlibEngine(const Shape& shape)
      : dimension_(shape.dimension),
        space_(shape.dimension),
        graph_(&space_, shape.capacity, shape.M, shape.ef_construction, shape.seed) {}

  Status build(const float* rows, std::size_t count, unsigned threads) override {
    if (count == 0) return {};
    // The entry point must be there before two threads look for it.
    if (Status s = insert(0, rows); !s.ok()) return s;
    std::atomic<std::size_t> next{1};
    std::mutex mutex;
    Status first_error;
    std::vector<std::thread> workers;
    for (unsigned t = 0; t < threads; ++t) {
      workers.emplace_back([&] {
        for (std::size_t row = next++; row < count; row = next++) {
          Status s = insert(row, rows + row * dimension_);
          if (s.ok() && tools::interrupted()) s = Status::cancelled("interrupted");
          if (s.ok()) continue;
          const std::lock_guard<std::mutex> lock(mutex);
          if (first_error.ok()) first_error = s;
          return;
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    return first_error;
  }

  Status insert(std::size_t row_number, const float* row) override {
    return guarded([&] { graph_.addPoint(row, row_number); });
  }

  Status erase(std::size_t row_number) override {
    return guarded([&] { graph_.markDelete(row_number); });
  }

  // Not addPoint(): that would link the row anew.
  Status restore(std::size_t row_number, const float*) override {
    return guarded([&] { graph_.unmarkDelete(row_number); });
  }

  std::size_t search(const float* query, std::size_t k, std::size_t ef, Label* labels) override {
    graph_.setEf(ef);
    std::size_t count = 0;
    // Without a lock it reads links beside a writer, and may throw "cand error".
    const Status searched = guarded([&] {
      auto found = graph_.searchKnn(query, k);
      count = found.size();
      // Farthest first.
      for (std::size_t i = count; i > 0; --i) {
        labels[i - 1] = found.top().second;
        found.pop();
      }
    });
    return searched.ok() ? count : 0;
  }

  std::uint64_t row_bytes_read(const float* query, std::size_t k, std::size_t ef) override {
    static thread_local std::uint64_t compared;
    static thread_local hnswlib::DISTFUNC<float> distance;
    distance = std::exchange(graph_.fstdistfunc_, [](const void* a, const void* b, const void* n) {
      ++compared;
      return distance(a, b, n);
    });
    compared = 0;
    std::vector<Label> labels(k);
    search(query, k, ef, labels.data());
    graph_.fstdistfunc_ = distance;
    return compared * dimension_ * sizeof(float);
  }

  std::uint64_t bytes() const override {
    std::uint64_t upper = 0;
    for (std::size_t i = 0; i < graph_.cur_element_count; ++i) {
      upper +=
          static_cast<std::uint64_t>(graph_.element_levels_[i]) * graph_.size_links_per_element_;
    }
    const std::uint64_t label_node = sizeof(void*) + 2 * sizeof(std::uint64_t);
    const std::uint64_t beside = sizeof(char*) + sizeof(int) + sizeof(std::mutex) +
                                 sizeof(hnswlib::vl_type) + label_node + sizeof(void*);
    return graph_.max_elements_ * (graph_.size_data_per_element_ + beside) + upper;
  }

 private:
  template <typename Work>
  static Status guarded(const Work& work) {
    try {
      work();
    } catch (const std::exception& problem) {
      return Status::io_error(std::string("hnswlib: ") + problem.what());
    }
    return {};
  }

  std::size_t dimension_;
  hnswlib::InnerProductSpace space_;
  Graph graph_;
};

}  // namespace

std::unique_ptr<Engine> make_hnswlib(const Shape& shape) {
  try {
    return std::make_unique<HnswlibEngine>(shape);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace vicinal::bench
