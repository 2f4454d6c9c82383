#include "bench/compare/child.h"

#include <fmt/core.h>
#include <malloc.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <string>

#include "tools/interrupt.h"

namespace vicinal::bench {
namespace {

void send(int to, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t n = ::write(to, text.data() + sent, text.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

/// What the child sends. It is killed when the user asks to stop: not all that it runs can be asked.
std::string receive(int from, pid_t child) {
  constexpr int kLookMs = 100;
  std::string text;
  char block[4096];
  for (;;) {
    pollfd ready{from, POLLIN, 0};
    const int polled = ::poll(&ready, 1, kLookMs);
    if (tools::interrupted()) {
      ::kill(child, SIGKILL);
      return text;
    }
    if (polled <= 0) continue;
    const ssize_t n = ::read(from, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(block, static_cast<std::size_t>(n));
  }
}

std::string answer_of(const std::function<Result<Json>()>& work) {
  try {
    const Result<Json> answer = work();
    if (answer.ok()) return answer->dump();
    return Json{{"error", answer.status().to_string()}}.dump();
  } catch (const std::exception& problem) {
    return Json{{"error", problem.what()}}.dump();
  }
}

}  // namespace

Result<Json> in_child(const std::function<Result<Json>()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) return Status::io_error(fmt::format("pipe: {}", std::strerror(errno)));
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return Status::io_error(fmt::format("fork: {}", std::strerror(errno)));
  if (child == 0) {
    ::close(ends[0]);
    send(ends[1], answer_of(work));
    ::_exit(0);
  }
  ::close(ends[1]);
  const std::string text = receive(ends[0], child);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (Status s = check_interrupted(); !s.ok()) return s;
  Json answer = Json::parse(text, nullptr, false);
  if (answer.is_discarded()) {
    return Status::io_error(fmt::format("a measuring child ended with wait status {}", status));
  }
  if (answer.contains("error")) return Status::io_error(answer["error"].get<std::string>());
  return answer;
}

std::uint64_t resident_bytes() {
  ::malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace vicinal::bench
