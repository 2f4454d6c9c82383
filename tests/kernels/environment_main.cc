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

int run_child(const char* program, const std::string& target, bool supported) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("VICINAL_TARGET", target.c_str(), 1);
    if (supported) {
      execl(program, program, "--expect", target.c_str(), static_cast<char*>(nullptr));
    } else {
      execl(program, program, "--expect-error", static_cast<char*>(nullptr));
    }
    _exit(127);
  }
  int wait_status = 0;
  if (child < 0 || waitpid(child, &wait_status, 0) != child) return 1;
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 1;
}

int run_all(const char* program) {
  int failures = 0;
  for (const kernels::TargetInfo& target : kernels::targets()) {
    const int code = run_child(program, std::string(target.name), target.supported);
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
  if (mode == "--all") return run_all("/proc/self/exe");
  if (mode == "--expect" && argc > 2) return expect_name(argv[2]);
  if (mode == "--expect-error") return expect_error();
  if (mode == "--list") return list_targets();
  std::fprintf(stderr, "usage: --all | --list | --expect NAME | --expect-error\n");
  return 64;
}
