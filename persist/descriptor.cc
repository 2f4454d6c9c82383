#include "persist/descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace vicinal::persist {

int Descriptor::close() {
  const int fd = std::exchange(fd_, -1);
  return fd < 0 || ::close(fd) == 0 ? 0 : errno;
}

}  // namespace vicinal::persist
