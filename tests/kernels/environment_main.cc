// VICINAL_TARGET, in processes of their own.
//
//   --all            runs itself once per compiled target with VICINAL_TARGET set to it
//   --expect NAME    this process must get the table NAME
//   --list           prints a line per compiled target: its name, "supported" or why it is not
//   --expect-error   this process must get the error that lists the valid names
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernels.h"

namespace {

namespace kernels = vicinal::kernels;

int expect_name(std::string_view name) {
  const auto active = kernels::active_kernels();
  if (!active.ok()) {
    std::fprintf(stderr, "%s\n", active.status().to_string().c_str());
    return 1;
  }
  if (name != (*active)->name) {
    std::fprintf(stderr, "got %s\n", (*active)->name);
    return 1;
  }
  return 0;
}

int expect_error() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto active = kernels::active_kernels();
    if (active.ok()) {
      std::fprintf(stderr, "got %s\n", (*active)->name);
      return 1;
    }
    if (active.status().code() != vicinal::StatusCode::kInvalidArgument) return 2;
    for (const kernels::TargetInfo& target : kernels::targets()) {
      if (!target.supported) continue;
      if (active.status().message().find(target.name) == std::string::npos) return 3;
    }
  }
  return 0;
}

int run_child(std::vector<const char*> command, const std::string& target, bool supported) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("VICINAL_TARGET", target.c_str(), 1);
    command.push_back(supported ? "--expect" : "--expect-error");
    if (supported) command.push_back(target.c_str());
    command.push_back(nullptr);
    execvp(command[0], const_cast<char* const*>(command.data()));
    _exit(127);
  }
  int wait_status = 0;
  if (child < 0 || waitpid(child, &wait_status, 0) != child) return 1;
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 1;
}

/// `command` starts this program.
int run_all(const std::vector<const char*>& command) {
  int failures = 0;
  for (const kernels::TargetInfo& target : kernels::targets()) {
    const int code = run_child(command, std::string(target.name), target.supported);
    if (code == 0) continue;
    std::fprintf(stderr, "%s: exit code %d\n", std::string(target.name).c_str(), code);
    ++failures;
  }
  return failures == 0 ? 0 : 1;
}

int list_targets() {
  for (const kernels::TargetInfo& target : kernels::targets()) {
    const std::string state(target.supported ? "supported" : target.why_not);
    std::printf("%s %s\n", std::string(target.name).c_str(), state.c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "--all") {
    // What follows is the emulator that runs this program, if any.
    std::vector<const char*> command(argv + 2, argv + argc);
    command.push_back(command.empty() ? "/proc/self/exe" : argv[0]);
    return run_all(command);
  }
  if (mode == "--expect" && argc > 2) return expect_name(argv[2]);
  if (mode == "--expect-error") return expect_error();
  if (mode == "--list") return list_targets();
  std::fprintf(stderr, "usage: --all [EMULATOR...] | --list | --expect NAME | --expect-error\n");
  return 64;
}
