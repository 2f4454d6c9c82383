#include "tools/redis/bytes.h"

#include <xxhash.h>

namespace vicinal::redis {

std::uint64_t checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace vicinal::redis
