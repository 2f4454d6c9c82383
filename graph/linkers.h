// Linkers: who is changing links right now, so that maintenance can wait for them and never they
// for it.
//
// What: everybody who changes links (a link, a round of a batch, a run of a repair slice) is inside
// from before he looks which topology, and which nodes, may be linked to, until what he changed is
// marked. Maintenance announces something (nodes are condemned, a topology is coming), takes a tag,
// and goes on once everybody has left who may have looked before: it comes back and asks, nobody
// waits.
// Ownership: a part of GraphState.
// Threads: any.
//
// G13  Who comes inside after the tag was taken sees what was announced before.
#pragma once

#include <atomic>
#include <cstdint>

#include "graph/epoch.h"
#include "graph/scratch.h"

namespace vicinal::graph {

class Linkers {
 public:
  /// The stay of a thread, with a scratch for its work; inside the epochs of readers, too.
  class Inside {
   public:
    explicit Inside(ScratchPool& scratches) : scratch_(scratches) {
      scratches.linkers().enter(*scratch_->linker);
    }
    ~Inside() { EpochDomain::leave(*scratch_->linker); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

    Scratch& operator*() const { return *scratch_; }
    Scratch* operator->() const { return &*scratch_; }

   private:
    const BorrowedScratch scratch_;
  };

  /// For gone(): of those who are inside now.
  std::uint64_t tag() { return domain_.retire_tag(); }
  /// Whether everybody has left who was inside when the tag was taken.
  bool gone(std::uint64_t tag) { return domain_.advance() > tag; }
  /// Whether at some moment during the call each was outside.
  bool nobody_inside() const { return domain_.nobody_inside(); }

  EpochDomain& domain() { return domain_; }

 private:
  EpochDomain domain_;
};

}  // namespace vicinal::graph
