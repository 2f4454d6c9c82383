#include "tools/commands/demo_steps.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <utility>

#include "tools/demo_ngrams.h"
#include "tools/format.h"
#include "tools/interrupt.h"
#include "tools/progress.h"

namespace vicinal::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 5000;
constexpr std::size_t kStreamed = 500;
constexpr std::size_t kErased = 200;
constexpr std::size_t kAnswerEf = 200;
constexpr double kLeastRecall = 0.9;

struct Misspelling {
  const char* wrong;
  const char* right;
};

constexpr std::array<Misspelling, 12> kMisspellings = {{{"accomodate", "accommodate"},
                                                        {"definately", "definitely"},
                                                        {"embarass", "embarrass"},
                                                        {"goverment", "government"},
                                                        {"independant", "independent"},
                                                        {"millenium", "millennium"},
                                                        {"neccessary", "necessary"},
                                                        {"occured", "occurred"},
                                                        {"priviledge", "privilege"},
                                                        {"recieve", "receive"},
                                                        {"seperate", "separate"},
                                                        {"tommorrow", "tomorrow"}}};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

std::string per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? grouped(static_cast<std::uint64_t>(static_cast<double>(count) / seconds))
                     : "-";
}

bool shows(const SearchResult& answer, Label label) {
  return std::any_of(answer.begin(), answer.end(),
                     [label](const Hit& hit) { return hit.label == label; });
}

/// Whether k hits are as near as the word itself: a list may have more such words than are shown ("aaa",
/// "aaaa": the same n-grams).
bool all_equal_it(const SearchResult& answer, std::size_t k) {
  constexpr float kSamePlace = 1e-6F;
  return answer.size() == k && answer.hits.back().distance < kSamePlace;
}

}  // namespace

Demo::Demo(std::string words_path, std::string store_path, unsigned threads)
    : words_path_(std::move(words_path)), store_path_(std::move(store_path)), threads_(threads) {}

void Demo::heading(const std::string& text) {
  fmt::print("\n{}. {}\n", ++step_, text);
  std::fflush(stdout);
}

void Demo::expect(bool good, const std::string& what) {
  if (good) return;
  ++failures_;
  std::fflush(stdout);
  fmt::print(stderr, "vicinal demo: NOT AS IT SHOULD BE: {}\n", what);
}

bool Demo::is_possessive(Label label) const {
  return label < words_.size() && words_[label].ends_with("'s");
}

Result<SearchResult> Demo::nearest(const std::string& word, std::size_t k, bool whole_words) const {
  std::vector<float> vector(kWordDimension);
  embed_word(word, vector);
  SearchOptions options;
  options.k = k;
  options.ef_search = kAnswerEf;
  if (whole_words) {
    options.filter = Filter::by([this](Label label) { return !is_possessive(label); });
  }
  return index_->search(vector, options);
}

Result<std::vector<SearchResult>> Demo::probe() const {
  std::vector<SearchResult> answers;
  for (const Misspelling& word : kMisspellings) {
    Result<SearchResult> answer = nearest(word.wrong, 10, false);
    if (!answer.ok()) return answer.status();
    answers.push_back(std::move(*answer));
  }
  return answers;
}

Status Demo::read_words() {
  Result<std::vector<std::string>> words = load_words(words_path_);
  if (!words.ok()) return words.status();
  words_ = std::move(*words);
  if (words_.size() < 1000) {
    return Status::invalid_argument(
        fmt::format("{}: {} words, the demo wants 1,000", words_path_, words_.size()));
  }
  heading("Words");
  fmt::print("   {} words of {}, as {}-dimensional vectors of their character 2- to 4-grams\n",
             grouped(words_.size()), words_path_, kWordDimension);
  summary_.push_back({"words", fmt::format("{} x {}", grouped(words_.size()), kWordDimension)});
  return {};
}

Status Demo::open_fresh() {
  Result<Store> store = Store::open(store_path_);
  if (!store.ok()) return store.status();
  store_.emplace(std::move(*store));
  Result<std::vector<std::string>> names = store_->index_names();
  if (!names.ok()) return names.status();
  if (!names->empty()) {
    return Status::invalid_argument(
        fmt::format("{}: holds {} indexes already, \"{}\" the first; the demo wants a fresh store",
                    store_path_, names->size(), names->front()));
  }
  IndexOptions options;
  options.dimension = kWordDimension;
  options.threads = threads_;
  Result<Index> index = store_->index("words", options);
  if (!index.ok()) return index.status();
  index_.emplace(std::move(*index));
  heading("Store");
  const Stats stats = index_->stats();
  fmt::print("   {} (LMDB), index \"words\": cosine, M {}, ef_construction {}, kernels {}\n",
             store_path_, stats.options.M, stats.options.ef_construction, stats.target);
  return {};
}

Status Demo::import_words() {
  heading("Upsert all of them, searchable and durable batch by batch");
  ProgressBar bar("   upserting", words_.size(), "words");
  std::vector<Label> labels;
  std::vector<float> vectors;
  const auto start = Clock::now();
  for (std::size_t first = 0; first < words_.size(); first += kBatch) {
    const std::size_t rows = std::min(kBatch, words_.size() - first);
    labels.resize(rows);
    vectors.resize(rows * kWordDimension);
    for (std::size_t r = 0; r < rows; ++r) {
      labels[r] = first + r;
      embed_word(words_[first + r], {vectors.data() + r * kWordDimension, kWordDimension});
    }
    BatchOptions options;
    options.progress = bar.callback_from(first);
    Result<BatchResult> done = index_->upsert_batch(labels, vectors, options);
    if (!done.ok()) return done.status();
    bar.update(first + rows);
    if (interrupted()) return Status::cancelled("interrupted");
  }
  bar.finish();
  const double seconds = seconds_since(start);
  fmt::print("   {} words in {}: {} a second\n", grouped(words_.size()), human_seconds(seconds),
             per_second(words_.size(), seconds));
  expect(index_->size() == words_.size(),
         fmt::format("{} live, {} upserted", index_->size(), words_.size()));
  summary_.push_back({"upsert_batch", fmt::format("{} ({} words/s)", human_seconds(seconds),
                                                  per_second(words_.size(), seconds))});
  return {};
}

Status Demo::answer_misspelt() {
  heading("Misspelt words and their nearest (possessives filtered out)");
  bool whole_words = false;
  for (Label label = 0; label < words_.size(); ++label) {
    whole_words = whole_words || !is_possessive(label);
  }
  std::size_t known = 0;
  std::size_t found = 0;
  for (const Misspelling& word : kMisspellings) {
    Result<SearchResult> answer = nearest(word.wrong, 5, true);
    if (!answer.ok()) return answer.status();
    expect(!answer->empty() || !whole_words, fmt::format("nothing found near \"{}\"", word.wrong));
    std::string line;
    bool hit = false;
    for (const Hit& h : *answer) {
      const std::string text = h.label < words_.size() ? words_[h.label] : "?";
      expect(!text.ends_with("'s"), "a possessive passed the filter");
      hit = hit || text == word.right;
      line += fmt::format("  {} {:.2f}", text == word.right ? "[" + text + "]" : text, h.distance);
    }
    fmt::print("   {:<12}{}\n", word.wrong, line);
    found += hit ? 1 : 0;
    known += std::find(words_.begin(), words_.end(), word.right) != words_.end() ? 1 : 0;
  }
  fmt::print("   the word that was meant is among the five nearest for {} of {}\n", found, known);
  expect(found * 4 >= known * 3, fmt::format("only {} of {} misspelt words found", found, known));
  summary_.push_back({"misspelt words", fmt::format("{} of {} found", found, known)});
  return {};
}

Status Demo::measure_recall() {
  heading("Recall against exact search (500 words of the index, k 10)");
  double best = 0;
  std::string line;
  for (const std::size_t ef : {std::size_t{40}, std::size_t{80}, std::size_t{200}}) {
    RecallOptions options;
    options.samples = 500;
    options.ef_search = ef;
    options.threads = threads_;
    const auto start = Clock::now();
    Result<double> recall = index_->recall(options);
    if (!recall.ok()) return recall.status();
    fmt::print("   ef {:>3}  recall@10 {:.4f}  ({} with the exact searches)\n", ef, *recall,
               human_seconds(seconds_since(start)));
    best = *recall;
    line += fmt::format("{}{:.3f} at ef {}", line.empty() ? "" : ", ", *recall, ef);
  }
  expect(best >= kLeastRecall,
         fmt::format("recall {:.4f} at ef 200, at least {} wanted", best, kLeastRecall));
  summary_.push_back({"recall@10", line});
  return {};
}

Status Demo::stream_upserts() {
  heading(fmt::format("Stream {} single upserts, each durable (fsync) and searchable at once",
                      kStreamed));
  const std::size_t old = words_.size();
  std::vector<float> vector(kWordDimension);
  std::vector<double> latency;
  std::size_t seen = 0;
  ProgressBar bar("   streaming", kStreamed, "upserts");
  for (std::size_t i = 0; i < kStreamed; ++i) {
    // Compounds of words far apart in the list: new, and much like what is there.
    words_.push_back(words_[(i * 7919) % old] + "-" + words_[(i * 104729 + 13) % old]);
    embed_word(words_.back(), vector);
    const Label label = words_.size() - 1;
    const auto start = Clock::now();
    Result<UpsertOutcome> done = index_->upsert(label, vector);
    latency.push_back(seconds_since(start));
    if (!done.ok()) return done.status();
    Result<SearchResult> answer = nearest(words_.back(), 3, false);
    if (!answer.ok()) return answer.status();
    seen += shows(*answer, label) || all_equal_it(*answer, 3) ? 1 : 0;
    bar.update(i + 1);
    if (interrupted()) return Status::cancelled("interrupted");
  }
  bar.finish();
  const std::string p50 = human_seconds(percentile(latency, 0.5));
  const std::string p99 = human_seconds(percentile(latency, 0.99));
  fmt::print("   p50 {}, p99 {}; {} of {} found by the very next search\n", p50, p99, seen,
             kStreamed);
  expect(seen == kStreamed, fmt::format("{} of {} found by the next search", seen, kStreamed));
  summary_.push_back({"durable upsert", fmt::format("p50 {}, p99 {}", p50, p99)});
  return {};
}

Status Demo::erase_and_resurrect() {
  heading(fmt::format("Erase {} words, then bring them back", kErased));
  std::vector<Label> labels;
  for (std::size_t i = 0; i < kErased; ++i) labels.push_back(i * (words_.size() / kErased));
  const std::uint64_t before = index_->size();
  Result<std::uint64_t> erased = index_->erase_batch(labels);
  if (!erased.ok()) return erased.status();
  expect(*erased == kErased, fmt::format("{} of {} erased", *erased, kErased));
  std::size_t still_seen = 0;
  std::size_t resurrected = 0;
  std::size_t back = 0;
  std::vector<float> vector(kWordDimension);
  for (const Label label : labels) {
    Result<SearchResult> answer = nearest(words_[label], 10, false);
    if (!answer.ok()) return answer.status();
    still_seen += shows(*answer, label) ? 1 : 0;
  }
  for (const Label label : labels) {
    embed_word(words_[label], vector);
    Result<UpsertOutcome> outcome = index_->upsert(label, vector);
    if (!outcome.ok()) return outcome.status();
    resurrected += *outcome == UpsertOutcome::kResurrected ? 1 : 0;
    Result<SearchResult> answer = nearest(words_[label], 10, false);
    if (!answer.ok()) return answer.status();
    back += shows(*answer, label) || all_equal_it(*answer, 10) ? 1 : 0;
    if (interrupted()) return Status::cancelled("interrupted");
  }
  fmt::print("   {} erased, {} of them still shown; {} resurrected, {} found again\n", *erased,
             still_seen, resurrected, back);
  expect(still_seen == 0, fmt::format("{} erased words still shown", still_seen));
  expect(resurrected == kErased, fmt::format("{} of {} resurrected", resurrected, kErased));
  expect(back == kErased, fmt::format("{} of {} found again", back, kErased));
  expect(index_->size() == before, fmt::format("{} live, {} before", index_->size(), before));
  return {};
}

Status Demo::reopen() {
  heading("Close and reopen");
  Result<std::vector<SearchResult>> before = probe();
  if (!before.ok()) return before.status();
  const std::uint64_t live = index_->size();
  auto start = Clock::now();
  index_.reset();
  if (Status s = store_->close(); !s.ok()) return s;
  store_.reset();
  const double closing = seconds_since(start);
  start = Clock::now();
  Result<Store> store = Store::open(store_path_);
  if (!store.ok()) return store.status();
  store_.emplace(std::move(*store));
  IndexOptions tuning;
  tuning.threads = threads_;
  Result<Index> index = store_->open_index("words", tuning);
  if (!index.ok()) return index.status();
  index_.emplace(std::move(*index));
  const double opening = seconds_since(start);
  Result<std::vector<SearchResult>> after = probe();
  if (!after.ok()) return after.status();
  bool same = true;
  for (std::size_t i = 0; i < before->size(); ++i) {
    same = same && (*before)[i].hits == (*after)[i].hits;
  }
  fmt::print("   closed in {}, reopened in {}: {} live, answers {}\n", human_seconds(closing),
             human_seconds(opening), grouped(index_->size()),
             same ? "identical bit for bit" : "DIFFERENT");
  expect(same, "answers after reopening differ");
  expect(index_->size() == live, fmt::format("{} live, {} before", index_->size(), live));
  summary_.push_back({"reopen", human_seconds(opening) + ", answers identical"});
  return {};
}

Status Demo::validate() {
  heading("Validate, every checksum and reachability included");
  ValidateOptions options;
  options.deep = true;
  Result<ValidateReport> report = index_->validate(options);
  if (!report.ok()) return report.status();
  fmt::print("   {}: {} live, {} tombstones, {} unreachable, {} problems\n",
             report->sound() ? "sound" : "NOT SOUND", grouped(report->live),
             grouped(report->tombstones), report->unreachable, report->problems);
  for (const std::string& message : report->messages) fmt::print("   {}\n", message);
  expect(report->sound(), fmt::format("validate found {} problems", report->problems));
  const Stats stats = index_->stats();
  summary_.push_back({"memory", human_bytes(stats.bytes_in_memory())});
  summary_.push_back({"on disk", human_bytes(stats.bytes_disk)});
  summary_.push_back({"validate --deep", report->sound() ? "sound" : "NOT SOUND"});
  return {};
}

int Demo::print_summary() const {
  fmt::print("\nSummary\n");
  for (const SummaryLine& line : summary_) fmt::print("   {:<18}{}\n", line.name, line.value);
  fmt::print("   {:<18}{}\n", "result",
             failures_ == 0 ? std::string("all as it should be")
                            : fmt::format("{} things off, see above", failures_));
  return failures_;
}

}  // namespace vicinal::tools
