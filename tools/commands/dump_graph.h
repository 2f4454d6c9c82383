// The neighborhood of a label as a Graphviz graph.
#pragma once

#include "tools/matrix/writers.h"
#include "vicinal/index.h"
#include "vicinal/status.h"

namespace vicinal::tools {

/// Writes the nodes within `depth` links of `label` on level 0. Tombstones are dashed, the label
/// itself is filled; a link that goes both ways is one line without arrow heads.
/// Errors: kNotFound  the label is not live; kIoError.
Status write_dot(matrix::Output& out, const Index& index, Label label, unsigned depth);

}  // namespace vicinal::tools
