#include "tests/crash/kills.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <thread>

#include "persist/failpoints.h"

namespace vicinal::testing {
namespace {

Ledger* observed = nullptr;  // of this child

/// The place of that name, noted if it is new.
std::uint32_t place_of(Ledger& ledger, std::string_view name) {
  const std::uint32_t count = ledger.place_count;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (name == ledger.places[i].name.data()) return i;
  }
  // Two threads may note it twice; both are the place then.
  if (count == kMostPlaces || name.size() >= ledger.places[count].name.size()) std::abort();
  std::memcpy(ledger.places[count].name.data(), name.data(), name.size());
  ledger.place_count.store(count + 1);
  return count;
}

void on_place(const char* name) {
  Ledger& ledger = *observed;
  const std::uint32_t place = place_of(ledger, name);
  ++ledger.places[place].reached;
  if (place != ledger.target || --ledger.countdown != 0) return;
  ++ledger.places[place].killed;
  (void)::kill(::getpid(), SIGKILL);
}

pid_t start(const std::function<void()>& life) {
  const pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child == 0) {
    life();
    ::_exit(0);
  }
  return child;
}

End wait_for(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child) std::abort();
  End end;
  end.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (WIFSIGNALED(status) && !end.killed) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  return end;
}

/// Whether the child ended within `most`.
bool ends_within(pid_t child, std::chrono::microseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  siginfo_t info{};
  while (std::chrono::steady_clock::now() < until) {
    info.si_pid = 0;
    if (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == child) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return false;
}

}  // namespace

SharedLedger::SharedLedger() {
  void* const memory =
      ::mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  ledger_ = new (memory) Ledger();
}

SharedLedger::~SharedLedger() { ::munmap(ledger_, sizeof(Ledger)); }

void SharedLedger::begin_anew() {
  for (auto& state : ledger_->states) state = 0;
  for (CallInFlight& call : ledger_->calls) call.count = 0;
  ledger_->side = SideStage::kAbsent;
  ledger_->backup = false;
  ledger_->message[0] = '\0';
}

std::string End::describe(const Ledger& ledger) const {
  const std::string words = ledger.message.data();
  if (signal != 0) return fmt::format("died of signal {} ({})", signal, ::strsignal(signal));
  return words.empty() ? fmt::format("ended with code {}", exit_code) : words;
}

Death draw_death(std::mt19937_64& random, std::chrono::microseconds longest) {
  Death death;
  death.at_place = random() % 2 == 0;
  const auto most = static_cast<std::uint64_t>(longest.count());
  death.most = death.at_place ? longest : std::chrono::microseconds(random() % most);
  return death;
}

End run_and_kill(Ledger& ledger, const Death& death, std::mt19937_64& random,
                 const std::function<void()>& life) {
  ledger.target = kMostPlaces;
  const std::uint32_t places = ledger.place_count;
  if (death.at_place && places > 0) {
    ledger.target = static_cast<std::uint32_t>(random() % places);
    ledger.countdown = static_cast<std::int64_t>(1 + random() % (1ull << (random() % 8)));
  }
  const pid_t child = start([&] {
    observed = &ledger;
    persist::failpoints::observe(on_place);
    life();
  });
  if (!ends_within(child, death.most)) (void)::kill(child, SIGKILL);
  return wait_for(child);
}

End run(Ledger& ledger, unsigned seconds, const std::function<void()>& life) {
  ledger.target = kMostPlaces;
  const pid_t child = start([&] {
    ::alarm(seconds);
    life();
  });
  return wait_for(child);
}

}  // namespace vicinal::testing
