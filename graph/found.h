// Found: a hit before it becomes the caller's.
#pragma once

#include "graph/types.h"
#include "vicinal/types.h"

namespace vicinal::graph {

struct Found {
  NodeId node = kNoNode;
  Label label = 0;
  float distance = 0;
};

}  // namespace vicinal::graph
