// Keeping an index well.
#include "vicinal/c/maintenance.h"

#include <string>

#include "engine/c/answer.h"
#include "engine/c/convert.h"
#include "engine/c/handles.h"
#include "engine/c/structs.h"

using vicinal::Result;
using vicinal::Status;
using vicinal::c_abi::answer;
using vicinal::c_abi::check_result;
using vicinal::c_abi::copy_counts;
using vicinal::c_abi::require;
using vicinal::c_abi::write_struct;

namespace {

vicinal_validate_report to_struct(const vicinal::ValidateReport& from) {
  vicinal_validate_report report = {};
  report.problems = from.problems;
  report.live = from.live;
  report.tombstones = from.tombstones;
  report.unreachable = from.unreachable;
  report.dead_links = from.dead_links;
  report.invalid_links = from.invalid_links;
  report.duplicate_links = from.duplicate_links;
  report.overfull_lists = from.overfull_lists;
  report.tree_errors = from.tree_errors;
  report.asymmetric_links = from.asymmetric_links;
  report.entry_point_errors = from.entry_point_errors;
  report.label_errors = from.label_errors;
  report.record_errors = from.record_errors;
  copy_counts(from.degree_histogram, report.degree_histogram);
  copy_counts(from.nodes_by_level, report.nodes_by_level);
  return report;
}

}  // namespace

vicinal_status vicinal_index_checkpoint(vicinal_index* index, vicinal_progress_callback progress,
                                        void* progress_context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    return index->index.checkpoint(vicinal::c_abi::to_progress(progress, progress_context));
  });
}

vicinal_status vicinal_index_sync(vicinal_index* index) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    return index->index.sync();
  });
}

vicinal_status vicinal_index_rebuild(vicinal_index* index, const vicinal_batch_options* options) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    const Result<vicinal::BatchOptions> read = vicinal::c_abi::read_batch_options(options);
    if (!read) return read.status();
    return index->index.rebuild(read.value());
  });
}

vicinal_status vicinal_index_repair(vicinal_index* index, const vicinal_repair_options* options,
                                    vicinal_repair_result* result) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    VICINAL_RETURN_IF_ERROR(check_result(result, "vicinal_repair_result"));
    const Result<vicinal::RepairOptions> read = vicinal::c_abi::read_repair_options(options);
    if (!read) return read.status();
    const Result<vicinal::RepairResult> done = index->index.repair(read.value());
    if (!done) return done.status();
    vicinal_repair_result counted = {};
    counted.nodes_examined = done.value().nodes_examined;
    counted.nodes_relinked = done.value().nodes_relinked;
    counted.slots_freed = done.value().slots_freed;
    counted.unreachable_mended = done.value().unreachable_mended;
    counted.finished = done.value().finished;
    counted.waiting = done.value().waiting;
    write_struct(result, counted);
    return {};
  });
}

vicinal_status vicinal_index_validate(const vicinal_index* index,
                                      const vicinal_validate_options* options,
                                      vicinal_validate_report* report) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    VICINAL_RETURN_IF_ERROR(check_result(report, "vicinal_validate_report"));
    vicinal_validate_options told = {};
    const Result<vicinal::ValidateOptions> read =
        vicinal::c_abi::read_validate_options(options, told);
    if (!read) return read.status();
    const Result<vicinal::ValidateReport> found = index->index.validate(read.value());
    if (!found) return found.status();
    write_struct(report, to_struct(found.value()));
    if (told.on_message == nullptr) return {};
    for (const std::string& message : found.value().messages) {
      if (!told.on_message(told.message_context, message.c_str())) break;
    }
    return {};
  });
}

vicinal_status vicinal_index_recall(const vicinal_index* index,
                                    const vicinal_recall_options* options, double* recall) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", recall, "recall"));
    const Result<vicinal::RecallOptions> read = vicinal::c_abi::read_recall_options(options);
    if (!read) return read.status();
    const Result<double> measured = index->index.recall(read.value());
    if (!measured) return measured.status();
    *recall = measured.value();
    return {};
  });
}
