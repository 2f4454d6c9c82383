#include "tools/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "tools/format.h"
#include "tools/interrupt.h"

namespace vicinal::tools {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kLine = std::chrono::seconds(3);
constexpr int kBarWidth = 28;

bool quiet_all = false;

}  // namespace

void ProgressBar::set_quiet(bool quiet) { quiet_all = quiet; }

ProgressBar::ProgressBar(std::string title, std::uint64_t total, std::string unit)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      start_(Clock::now()),
      shown_(start_),
      terminal_(isatty(STDERR_FILENO) == 1),
      finished_(quiet_all) {}

ProgressBar::~ProgressBar() { finish(); }

void ProgressBar::update(std::uint64_t done) {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  done_ = done;
  const Clock::time_point now = Clock::now();
  if (terminal_ ? now - shown_ >= kRedraw : now - shown_ >= kLine) show(now);
}

void ProgressBar::finish() {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  if (!drawn_) return;
  show(Clock::now());
  if (terminal_) std::fputc('\n', stderr);
}

ProgressCallback ProgressBar::callback() {
  return [this](const Progress& progress) {
    {
      const std::lock_guard lock(mutex_);
      if (phase_ != progress.phase) {
        phase_ = progress.phase;
        start_ = Clock::now();
      }
      total_ = progress.total;
    }
    update(progress.done);
    return !interrupted();
  };
}

ProgressCallback ProgressBar::callback_from(std::uint64_t base) {
  return [this, base](const Progress& progress) {
    if (std::strcmp(progress.phase, "links") == 0) update(base + progress.done);
    return !interrupted();
  };
}

void ProgressBar::show(Clock::time_point now) {
  shown_ = now;
  drawn_ = true;
  const std::string text = line(now);
  if (terminal_) {
    fmt::print(stderr, "\r{}\x1b[K", text);
  } else {
    fmt::print(stderr, "{}\n", text);
  }
  std::fflush(stderr);
}

std::string ProgressBar::bar() const {
  const double part = std::min(
      1.0, static_cast<double>(done_) / static_cast<double>(std::max<std::uint64_t>(1, total_)));
  const int full = static_cast<int>(part * kBarWidth);
  std::string text = "[";
  text.append(static_cast<std::size_t>(full), '#');
  text.append(static_cast<std::size_t>(kBarWidth - full), '-');
  return text + fmt::format("] {:3.0f} %", part * 100);
}

std::string ProgressBar::line(Clock::time_point now) const {
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double rate = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0;
  std::string text = title_;
  if (!phase_.empty()) text += ": " + phase_;
  text += ' ';
  if (total_ > 0 && terminal_) text += bar() + ' ';
  text += grouped(done_);
  if (total_ > 0) text += " of " + grouped(total_);
  if (!unit_.empty()) text += ' ' + unit_;
  if (rate > 0) text += fmt::format(", {}/s", grouped(static_cast<std::uint64_t>(rate + 0.5)));
  if (rate > 0 && total_ > done_) {
    text += fmt::format(", {} left", human_seconds(static_cast<double>(total_ - done_) / rate));
  } else if (total_ > 0 && done_ >= total_) {
    text += fmt::format(", {}", human_seconds(elapsed));
  }
  return text;
}

}  // namespace vicinal::tools
