// Ctrl-C as a request: the first one asks long work to stop soundly, the second one kills.
#pragma once

namespace vicinal::tools {

/// Handles SIGINT and SIGTERM. Call once, early.
void install_interrupt_handler();
/// True once the user asked to stop.
/// Threads: any.
bool interrupted();

}  // namespace vicinal::tools
