// Index: the handle over IndexCore and its parts.
#include "vicinal/index.h"

#include "engine/base/check.h"
#include "engine/index_core.h"
#include "engine/options_check.h"

namespace vicinal {

Index::Index(std::shared_ptr<engine::IndexCore> core) : core_(std::move(core)) {}
Index::Index(const Index&) = default;
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(const Index&) = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Result<Index> Index::in_memory(const IndexOptions& options) {
  Result<std::shared_ptr<engine::IndexCore>> core = engine::IndexCore::make({}, options, {});
  if (!core) return core.status();
  return Index(std::move(*core));
}

Result<Index> Index::load(const ByteSource& source, const IndexOptions& tuning) {
  Result<std::shared_ptr<engine::IndexCore>> core = engine::IndexCore::load(source, tuning);
  if (!core) return core.status();
  return Index(std::move(*core));
}

Result<UpsertOutcome> Index::upsert(Label label, std::span<const float> vector) {
  return core_->writer().upsert(label, vector);
}
Result<BatchResult> Index::upsert_batch(std::span<const Label> labels,
                                        std::span<const float> vectors,
                                        const BatchOptions& options) {
  VICINAL_RETURN_IF_ERROR(engine::check_options(options));
  return core_->writer().upsert_batch(labels, vectors, options);
}
Result<std::vector<float>> Index::get(Label label) const { return core_->reader().get(label); }
Result<std::vector<std::byte>> Index::get_stored(Label label) const {
  return core_->reader().get_stored(label);
}
bool Index::contains(Label label) const { return core_->reader().contains(label); }
Result<EraseOutcome> Index::erase(Label label) { return core_->writer().erase(label); }
Result<std::uint64_t> Index::erase_batch(std::span<const Label> labels) {
  return core_->writer().erase_batch(labels);
}
Result<SearchResult> Index::search(std::span<const float> query,
                                   const SearchOptions& options) const {
  VICINAL_RETURN_IF_ERROR(engine::check_options(options));
  return core_->reader().search(query, options);
}
Result<SearchResult> Index::more(std::span<const float> query, std::span<const Hit> before,
                                 std::size_t n, const SearchOptions& options) const {
  VICINAL_RETURN_IF_ERROR(engine::check_options(options));
  return engine::search_further(core_->reader(), query, before, n, options);
}
Result<std::size_t> Index::search_into(std::span<const float> query, const SearchOptions& options,
                                       std::span<Hit> hits, SearchCounters* counters) const {
  VICINAL_RETURN_IF_ERROR(engine::check_options(options));
  return core_->reader().search_into(query, options, hits, counters);
}
Result<std::vector<SearchResult>> Index::search_batch(std::span<const float> queries,
                                                      const SearchOptions& options,
                                                      unsigned threads) const {
  VICINAL_RETURN_IF_ERROR(engine::check_options(options));
  VICINAL_RETURN_IF_ERROR(engine::check_threads(threads));
  return core_->reader().search_batch(queries, options, threads);
}
Result<RadiusResult> Index::search_radius(std::span<const float> query, float radius,
                                          const RadiusOptions& options) const {
  VICINAL_RETURN_IF_ERROR(engine::check_options(options));
  return core_->reader().search_radius(query, radius, options);
}
std::uint64_t Index::size() const { return core_->size(); }
std::uint32_t Index::dimension() const { return core_->options().dimension; }
IndexOptions Index::options() const { return core_->options(); }
Stats Index::stats() const { return core_->stats(); }
Status Index::reserve(std::uint64_t count) { return core_->reserve(count); }
Status Index::checkpoint(const ProgressCallback& progress) { return core_->checkpoint(progress); }
Status Index::sync() { return core_->sync(); }
Status Index::rebuild(const BatchOptions& options) {
  VICINAL_RETURN_IF_ERROR(engine::check_options(options));
  return core_->maintenance().rebuild(options);
}
Result<RepairResult> Index::repair(const RepairOptions& options) {
  return core_->maintenance().repair(options);
}
Result<ValidateReport> Index::validate(const ValidateOptions& options) const {
  return core_->reader().validate(options);
}
Result<double> Index::recall(const RecallOptions& options) const {
  VICINAL_RETURN_IF_ERROR(engine::check_options(options));
  return core_->reader().recall(options);
}

Result<ExpectedRecall> Index::expected_recall(std::size_t k) const {
  return core_->known_recall().expected(k);
}
Status Index::for_each(const std::function<bool(Label, std::span<const float>)>& visit) const {
  return core_->reader().for_each(visit);
}
Status Index::save(const ByteSink& sink) const { return core_->reader().save(sink); }
Result<Index::NodeView> Index::node(Label label) const { return core_->reader().node(label); }
Status Index::for_each_node(const std::function<bool(const NodeView&)>& visit) const {
  return core_->reader().for_each_node(visit);
}

}  // namespace vicinal
