#include "tests/faults/faulter.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vicinal::testing {
namespace {

constexpr std::uint64_t kInterruptions = 3;

Verdict fails(int error) { return {Verdict::Kind::kFail, error}; }
Verdict fails_after(int error) { return {Verdict::Kind::kFailAfter, error}; }

}  // namespace

std::string Fault::described() const {
  const char* const kind = verdict.kind == Verdict::Kind::kShort       ? "short"
                           : verdict.kind == Verdict::Kind::kFailAfter ? "done, and "
                                                                       : "";
  const char* const error = verdict.error == 0 ? "" : ::strerrorname_np(verdict.error);
  return fmt::format("{}{}{}", kind, error, lasting ? ", lasting" : "");
}

std::vector<Verdict> possible_faults(const SystemCall& call) {
  constexpr Verdict kShort{Verdict::Kind::kShort, 0};
  switch (call.call) {
    case Call::kOpen: {
      std::vector<Verdict> faults{fails(EMFILE), fails(ENOMEM), fails(EIO), fails(EINTR)};
      if ((call.flags & O_CREAT) != 0) faults.push_back(fails(ENOSPC));
      return faults;
    }
    case Call::kClose:
      return {fails_after(EIO), fails_after(EINTR)};
    case Call::kRead:
      return {fails(EIO), fails(EINTR), kShort};
    case Call::kWrite:
      return {fails(ENOSPC), fails(EIO), fails_after(EIO), fails(EINTR), kShort};
    case Call::kSync:
      return {fails(EIO), fails_after(EIO), fails(ENOSPC), fails(EINTR)};
    case Call::kSize:
    case Call::kAllocate:
      return {fails(ENOSPC), fails(EIO), fails(EINTR)};
    case Call::kRename:
    case Call::kMakeFolder:
      return {fails(ENOSPC), fails(EIO), fails(ENOMEM)};
    case Call::kRemove:
    case Call::kLook:
      return {fails(EIO), fails(ENOMEM)};
    case Call::kLock:
      return {fails(EIO), fails(ENOLCK), fails(EINTR)};
    case Call::kMap:
      return {fails(ENOMEM)};
    case Call::kPair:
      return {fails(EMFILE), fails(ENOMEM)};
    case Call::kThread:
      return {fails(EAGAIN)};
  }
  return {};
}

void Faulter::arm(std::uint64_t number, const Fault& fault) {
  number_ = number;
  fault_ = fault;
  calls_ = 0;
  struck_so_far_ = 0;
  happened_ = false;
  struck_.clear();
  possible_.clear();
  armed_ = true;
}

void Faulter::disarm() { armed_ = false; }

bool Faulter::applies(const SystemCall& call) const {
  const std::vector<Verdict> faults = possible_faults(call);
  return std::any_of(faults.begin(), faults.end(), [&](const Verdict& verdict) {
    return verdict.kind == fault_.verdict.kind && verdict.error == fault_.verdict.error;
  });
}

Verdict Faulter::before(const SystemCall& call) {
  if (!armed_) return {};
  const std::uint64_t at = ++calls_;
  if (number_ == 0) possible_.push_back(possible_faults(call));
  if (number_ == 0 || at < number_ || (at > number_ && !fault_.lasting) || !applies(call))
    return {};
  if (fault_.verdict.error == EINTR && struck_so_far_ == kInterruptions) return {};
  ++struck_so_far_;
  if (at == number_) {
    const std::size_t slash = call.path.rfind('/');
    struck_ = fmt::format("{} {}", call.name,
                          slash == std::string::npos ? call.path : call.path.substr(slash + 1));
    happened_ = true;
  }
  return fault_.verdict;
}

void Faulter::after(const SystemCall& /*call*/, long /*result*/) {}

}  // namespace vicinal::testing
