#include "bench/vicinal_bench/live_line.h"

namespace vicinal::bench {
namespace {

/// By how much a time of `measured` is longer; null when one of them was not measured.
Json times(double measured, double control) {
  if (measured <= 0 || control <= 0) return nullptr;
  return rounded(measured / control, 3);
}

Json us(const Latencies& latencies, double part) {
  return rounded(latencies.percentile_us(part), 2);
}

Json ratio(const Latencies& measured, const Latencies& control, double part) {
  return times(measured.percentile_us(part), control.percentile_us(part));
}

}  // namespace

Json phase_line(const Phase& phase, const LiveShape& shape, const PhaseOutcome& outcome,
                const PhaseRecall& judged) {
  const Tally& m = outcome.measured;
  const Tally& c = outcome.control;
  return {{"phase", phase.name},
          {"writers", phase.writers},
          {"search_p50_us", us(m.wall, 0.5)},
          {"search_p99_us", us(m.wall, 0.99)},
          {"search_p999_us", us(m.wall, 0.999)},
          {"search_max_us", us(m.wall, 1)},
          {"search_cpu_us", rounded(m.cpu.mean_us(), 2)},
          {"search_waits", m.waits},
          {"p50_x", ratio(m.wall, c.wall, 0.5)},
          {"p99_x", ratio(m.wall, c.wall, 0.99)},
          {"qps", rounded(m.qps(), 1)},
          {"recall", rounded(recall(judged.measured, judged.control), 5)},
          {"short_answers", m.short_answers},
          {"searches", m.searches()},
          {"writes", outcome.writes.count()},
          {"write_p50_us", us(outcome.writes, 0.5)},
          {"write_p99_us", us(outcome.writes, 0.99)},
          {"write_max_us", us(outcome.writes, 1)},
          {"live", outcome.live},
          {"tombstones", outcome.tombstones},
          {"ef", shape.ef},
          {"k", shape.k},
          {"rounds", outcome.rounds},
          {"cpu_p50_x", ratio(m.cpu, c.cpu, 0.5)},
          {"cpu_p99_x", ratio(m.cpu, c.cpu, 0.99)},
          {"cpu_mean_x", times(m.cpu.mean_us(), c.cpu.mean_us())},
          {"after_p50_x", ratio(outcome.after_measured.wall, outcome.after_control.wall, 0.5)},
          {"after_cpu_p50_x", ratio(outcome.after_measured.cpu, outcome.after_control.cpu, 0.5)},
          {"after_cpu_p99_x", ratio(outcome.after_measured.cpu, outcome.after_control.cpu, 0.99)},
          {"control_p50_us", us(c.wall, 0.5)},
          {"control_p99_us", us(c.wall, 0.99)},
          {"control_cpu_us", rounded(c.cpu.mean_us(), 2)},
          {"control_waits", c.waits},
          {"control_recall", rounded(recall(judged.control, judged.measured), 5)},
          {"control_short_answers", c.short_answers},
          {"control_searches", c.searches()},
          {"control_write_p50_us", us(outcome.control_writes, 0.5)},
          {"control_write_p99_us", us(outcome.control_writes, 0.99)},
          {"control_write_max_us", us(outcome.control_writes, 1)},
          {"judged", judged.measured.judged},
          {"dead_hits", judged.measured.dead_hits}};
}

}  // namespace vicinal::bench
