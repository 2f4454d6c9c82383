// faiss's IndexHNSWFlat as one of the engines compared: inner product over unit vectors. Debian's
// build of it uses no AVX2.
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <omp.h>

#include <exception>
#include <string>
#include <vector>

#include "bench/compare/engine.h"

namespace vicinal::bench {
namespace {

class FaissEngine : public Engine {
 public:
  explicit FaissEngine(const Shape& shape)
      : index_(static_cast<int>(shape.dimension), static_cast<int>(shape.M),
               faiss::METRIC_INNER_PRODUCT) {
    index_.hnsw.efConstruction = static_cast<int>(shape.ef_construction);
    // Room for the rows that come singly, or the first of them would move all others.
    flat().codes.reserve(shape.capacity * shape.dimension * sizeof(float));
  }

  Status build(const float* rows, std::size_t count, unsigned threads) override {
    return add(rows, count, static_cast<int>(threads));
  }

  Status insert(std::size_t, const float* row) override { return add(row, 1, 1); }

  std::size_t search(const float* query, std::size_t k, std::size_t ef, Label* labels) override {
    index_.hnsw.efSearch = static_cast<int>(ef);
    found_.resize(k);
    distances_.resize(k);
    omp_set_num_threads(1);
    index_.search(1, query, static_cast<faiss::Index::idx_t>(k), distances_.data(), found_.data());
    std::size_t count = 0;
    for (const auto row : found_) {
      if (row >= 0) labels[count++] = static_cast<Label>(row);
    }
    return count;
  }

  std::uint64_t row_bytes_read(const float* query, std::size_t k, std::size_t ef) override {
    faiss::hnsw_stats.reset();
    std::vector<Label> labels(k);
    search(query, k, ef, labels.data());
    return faiss::hnsw_stats.n3 * flat().code_size;
  }

  std::uint64_t bytes() const override {
    const faiss::HNSW& hnsw = index_.hnsw;
    return flat().codes.size() + hnsw.neighbors.size() * sizeof(hnsw.neighbors[0]) +
           hnsw.offsets.size() * sizeof(hnsw.offsets[0]) +
           hnsw.levels.size() * sizeof(hnsw.levels[0]);
  }

 private:
  Status add(const float* rows, std::size_t count, int threads) {
    try {
      omp_set_num_threads(threads);
      index_.add(static_cast<faiss::Index::idx_t>(count), rows);
    } catch (const std::exception& problem) {
      return Status::io_error(std::string("faiss: ") + problem.what());
    }
    return {};
  }

  faiss::IndexFlat& flat() const { return *static_cast<faiss::IndexFlat*>(index_.storage); }

  faiss::IndexHNSWFlat index_;
  std::vector<faiss::Index::idx_t> found_;
  std::vector<float> distances_;
};

}  // namespace

std::unique_ptr<Engine> make_faiss(const Shape& shape) {
  try {
    return std::make_unique<FaissEngine>(shape);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace vicinal::bench
