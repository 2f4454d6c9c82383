// What the comparison asks of an engine. The peers' own headers stay in one unit each: hnswlib's
// unit alone is compiled for this machine's CPU, and two units that include hnswlib clash.
//
// Ownership: an engine copies the rows it is given. Labels are row numbers.
// Threads: one caller at a time; build() starts its own threads and none survives it, or they
// sleep. Beside one thread in search() another may insert(): Vicinal promises that, hnswlib's users
// rely on it, make_locked() makes it safe for any engine but faiss's, which is not asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::bench {

struct Shape {
  std::size_t dimension = 0;
  std::size_t capacity = 0;  ///< rows held in the end
  std::size_t M = 16;
  std::size_t ef_construction = 200;
  std::size_t seed = 42;  ///< of the levels; faiss draws its own
  /// Erased rows stay in the graph: Vicinal does not repair it. The peers never do.
  bool keeps_erased = false;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// Links rows 0 to count - 1, which stand one after the other, with `threads` threads.
  virtual Status build(const float* rows, std::size_t count, unsigned threads) = 0;
  /// Links one more row on the calling thread. Row numbers go up by one.
  virtual Status insert(std::size_t row_number, const float* row) = 0;
  /// Hides a row from searches that begin later, and leaves it in the graph.
  /// Errors: kInvalidArgument  it is not there, or the engine cannot erase (hnswlib: kIoError).
  virtual Status erase(std::size_t /*row_number*/) {
    return Status::invalid_argument("this engine cannot erase");
  }
  /// Takes the erasing of a row back: the graph is what it was before.
  /// Errors: as erase().
  virtual Status restore(std::size_t /*row_number*/, const float* /*row*/) {
    return Status::invalid_argument("this engine cannot erase");
  }
  /// Writes at most k labels, nearest first; answers how many. One thread. A search that fails
  /// answers 0.
  virtual std::size_t search(const float* query, std::size_t k, std::size_t ef, Label* labels) = 0;
  /// Bytes of rows (vectors, codes) that search() compares, counted by a search that is not timed.
  virtual std::uint64_t row_bytes_read(const float* query, std::size_t k, std::size_t ef) = 0;
  /// Bytes of vectors, links and what stands beside them, as the engine's own fields give them.
  virtual std::uint64_t bytes() const = 0;
};

/// How Vicinal is fed: as a batch, or row by row from several threads.
enum class Feeding : std::uint8_t { kBatch, kSingle };

std::unique_ptr<Engine> make_vicinal(const Shape& shape, Quantization quantization,
                                     Feeding feeding);
/// Null when the peer has no memory.
std::unique_ptr<Engine> make_hnswlib(const Shape& shape);
std::unique_ptr<Engine> make_faiss(const Shape& shape);

/// `engine` behind a std::shared_mutex: shared for searches, exclusive for what changes it.
std::unique_ptr<Engine> make_locked(std::shared_ptr<Engine> engine);

}  // namespace vicinal::bench
