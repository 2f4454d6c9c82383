// OwnProcess: whether this is still the process that made the object, or a child forked since.
//
// What: threads, locks on files and LMDB's readers do not pass over fork(). Who owns such things
// asks before it uses or ends them. A counter is raised in the child: asking costs one load.
// Threads: any.
#pragma once

#include <cstdint>

namespace vicinal::internal {

class OwnProcess {
 public:
  OwnProcess();
  /// True in a child that was forked since.
  bool left() const noexcept;

 private:
  std::uint64_t forks_;
};

}  // namespace vicinal::internal
