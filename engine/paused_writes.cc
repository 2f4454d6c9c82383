// PausedWrites: the handle over a WritePause.
#include "engine/index_core.h"
#include "engine/write_pause.h"
#include "vicinal/index.h"

namespace vicinal {

PausedWrites::PausedWrites(std::unique_ptr<engine::WritePause> pause) : pause_(std::move(pause)) {}
PausedWrites::PausedWrites(PausedWrites&&) noexcept = default;
PausedWrites& PausedWrites::operator=(PausedWrites&&) noexcept = default;
PausedWrites::~PausedWrites() = default;

Status PausedWrites::save(const ByteSink& sink) { return pause_->save(sink); }

Result<PausedWrites> Index::pause_writes() const {
  Result<std::unique_ptr<engine::WritePause>> pause = core_->pause_writes(core_);
  if (!pause) return pause.status();
  return PausedWrites(std::move(*pause));
}

}  // namespace vicinal
