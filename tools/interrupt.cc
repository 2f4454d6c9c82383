#include "tools/interrupt.h"

#include <csignal>

namespace vicinal::tools {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

void on_signal(int) { stop_asked = 1; }

}  // namespace

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return stop_asked != 0; }

}  // namespace vicinal::tools
