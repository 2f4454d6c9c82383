// vicinal-proof-limits: the ends of what an index may be. The smallest and the largest dimension, M and
// label, 10,000 indexes in a store, and one index of as many vectors as are asked for (ten million),
// built by batches, churned, opened again and validated.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>

#include "tests/damage/expected.h"
#include "tests/proof/campaign.h"
#include "vicinal/index.h"
#include "vicinal/store.h"

namespace vicinal::testing {
namespace {

constexpr Label kLastLabel = ~Label{0};

struct Sizes {
  std::uint64_t indexes = 10'000;
  std::uint64_t vectors = 10'000'000;
  std::uint64_t batch = 500'000;
  std::string storage = "float32";
};

StoreOptions quick() {
  StoreOptions options;
  options.durability = Durability::kNone;
  return options;
}

void must_be_sound(const Index& index, bool deep, const std::string& what) {
  ValidateOptions options;
  options.deep = deep;
  const ValidateReport report = must(index.validate(options), what);
  must(report.sound(), fmt::format("{}: {} problems, {}", what, report.problems,
                                   report.messages.empty() ? "" : report.messages[0]));
}

// -- The ends of options and labels ---------------------------------------------------------------

/// Labels at both ends and in the middle.
Label extreme_label(std::uint64_t i) {
  return i % 3 == 0 ? i / 3 : i % 3 == 1 ? kLastLabel - i / 3 : (Label{1} << 63) + i / 3;
}

/// Each of the first `count` extreme labels is there as its generation says, and nobody else.
void must_hold(const Index& index, std::uint64_t count, std::uint64_t updated,
               const std::string& what) {
  must(index.size() == count, fmt::format("{}: {} live of {}", what, index.size(), count));
  for (std::uint64_t i = 0; i < count; ++i) {
    const Label label = extreme_label(i);
    const std::vector<float> row = row_of(label, i < updated ? 1 : 0, index.dimension());
    must(same_bits(must(index.get(label), what), row),
         fmt::format("{}: label {} has another vector", what, label));
    const SearchResult found = must(index.search(row, {.k = 1}), what);
    must(found.size() == 1 && found[0].distance == 0,
         fmt::format("{}: label {} does not find itself", what, label));
  }
}

/// An index with the given ends, in a store and as bytes.
void try_ends(Campaign& campaign, std::uint32_t dimension, std::uint32_t M, std::uint64_t count) {
  const std::string what = fmt::format("dimension {}, M {}", dimension, M);
  const std::string path = campaign.file(fmt::format("ends-{}-{}", dimension, M));
  IndexOptions options;
  options.dimension = dimension;
  options.M = M;
  options.metric = Metric::kSquaredL2;  // of one component cosine knows two directions only
  options.ef_construction = std::max(M, 100u);
  options.reserve = 500;
  const std::uint64_t updated = count / 4;
  std::vector<std::byte> bytes;
  {
    Store store = must(Store::open(path, quick()), what);
    Index index = must(store.index("ends", options), what);
    std::vector<Label> labels(count);
    std::vector<float> rows;
    for (std::uint64_t i = 0; i < count; ++i) {
      labels[i] = extreme_label(i);
      const std::vector<float> row = row_of(labels[i], 0, dimension);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    must(index.upsert_batch(labels, rows).status(), what);
    for (std::uint64_t i = 0; i < updated; ++i) {
      must(index.upsert(labels[i], row_of(labels[i], 1, dimension)).status(), what);
    }
    must(index.repair().status(), what);
    must_hold(index, count, updated, what);
    must_be_sound(index, false, what);
    must(store.close(), what);
  }
  const Store store = must(Store::open(path, quick()), what);
  const Index index = must(Store(store).open_index("ends"), what);
  must_hold(index, count, updated, what + ", opened again");
  must_be_sound(index, true, what + ", opened again");
  must(index.save([&](std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return Status();
  }),
       what);
  std::size_t at = 0;
  const Index loaded =
      must(Index::load([&](std::span<std::byte> room) -> Result<std::size_t> {
             const std::size_t n = std::min(room.size(), bytes.size() - at);
             std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), n, room.begin());
             at += n;
             return n;
           }),
           what);
  must_hold(loaded, count, updated, what + ", of a stream");
  must_be_sound(loaded, false, what + ", of a stream");
  campaign.add("ends");
}

// -- Many indexes ---------------------------------------------------------------------------------

std::string name_of(std::uint64_t i) { return fmt::format("tenant-{:05}", i); }

void try_many(Campaign& campaign, std::uint64_t count) {
  constexpr std::uint32_t kDimension = 4;
  const std::string path = campaign.file("many");
  IndexOptions options;
  options.dimension = kDimension;
  {
    Store store = must(Store::open(path, quick()), "many");
    for (std::uint64_t i = 0; i < count; ++i) {
      Index index = must(store.index(name_of(i), options), name_of(i));
      for (const Label label : {Label{i}, kLastLabel - i}) {
        must(index.upsert(label, row_of(label, i, kDimension)).status(), name_of(i));
      }
    }
    must(store.close(), "closing many");
  }
  Store store = must(Store::open(path, quick()), "many again");
  for (std::uint64_t i = 0; i < count; i += 10) must(store.drop_index(name_of(i)), name_of(i));
  const std::uint64_t dropped = (count + 9) / 10;
  must(must(store.index_names(), "names").size() == count - dropped, "names of many");
  for (std::uint64_t i = 0; i < count; ++i) {
    const Result<Index> index = store.open_index(name_of(i));
    if (i % 10 == 0) {
      must(index.status().code() == StatusCode::kNotFound, name_of(i) + " was dropped");
      continue;
    }
    must(index.status(), name_of(i));
    must(index->size() == 2, name_of(i) + " has another size");
    const Label label = kLastLabel - i;
    must(same_bits(must(index->get(label), name_of(i)), row_of(label, i, kDimension)), name_of(i));
  }
  std::vector<std::string> messages;
  must(must(store.verify_records(&messages), "records of many") == 0, "records of many");
  must(store.close(), "closing many again");
  campaign.add("indexes", count);
}

// -- One large index ------------------------------------------------------------------------------

/// Ten million labels from all over the 64 bits, and what became of each.
class Large {
 public:
  Large(Campaign& campaign, const Sizes& sizes) : campaign_(campaign), sizes_(sizes) {
    options_.dimension = kDimension;
    options_.metric = Metric::kSquaredL2;
    options_.storage = sizes.storage == "int8" ? Storage::kInt8 : Storage::kFloat32;
  }

  void run() {
    const std::string path = campaign_.file("large");
    Store store = must(Store::open(path, quick()), "large");
    Index index = must(store.index("large", options_), "large");
    timed("build", [&] { build(index); });
    timed("churn", [&] { churn(index); });
    timed("repair", [&] { must(index.repair().status(), "repair"); });
    timed("check", [&] { must_hold(index); });
    timed("close", [&] { must(store.close(), "closing large"); });
    timed("reopen", [&] {
      store = must(Store::open(path, quick()), "large again");
      index = must(store.open_index("large"), "large again");
    });
    timed("check", [&] { must_hold(index); });
    timed("validate", [&] { must_be_sound(index, true, "large"); });
    const Stats stats = index.stats();
    campaign_.add("live", stats.live);
    campaign_.add("bytes in memory", stats.bytes_in_memory());
    campaign_.add("bytes on disk", stats.bytes_disk);
    const double recall = must(index.recall(), "recall");
    campaign_.add("recall of 10,000", static_cast<std::uint64_t>(recall * 10'000));
    must(recall > 0.9, fmt::format("recall {} of the large index", recall));
    must(store.close(), "closing large again");
    campaign_.add("vectors", sizes_.vectors);
  }

 private:
  static constexpr std::uint32_t kDimension = 16;
  static constexpr std::uint64_t kErased = 20;   ///< one of so many
  static constexpr std::uint64_t kUpdated = 50;  ///< by batches, one of so many
  static constexpr std::uint64_t kSingly = 500;  ///< one by one, one of so many

  static Label label_of(std::uint64_t i) { return i * 0x9E3779B97F4A7C15u; }
  /// What is stored of the i-th in the end; nothing where it was erased.
  static std::optional<std::uint64_t> generation_of(std::uint64_t i) {
    if (i % kErased == 3) return std::nullopt;
    if (i % kSingly == 11) return 2;
    return i % kUpdated == 7 ? 1 : 0;
  }

  template <typename Step>
  void timed(const std::string& what, const Step& step) {
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t begin_of_work = std::clock();
    step();
    const auto passed = std::chrono::steady_clock::now() - begin;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(passed).count();
    const auto work = 1000 * (std::clock() - begin_of_work) / CLOCKS_PER_SEC;  // of all threads
    campaign_.add(what + " ms", static_cast<std::uint64_t>(ms));
    campaign_.add(what + " CPU ms", static_cast<std::uint64_t>(work));
    fmt::print(stderr, "{}: {} ms, {} ms of CPU\n", what, ms, work);
  }

  void build(Index& index) {
    for (std::uint64_t first = 0; first < sizes_.vectors; first += sizes_.batch) {
      upsert_some(index, first, std::min(first + sizes_.batch, sizes_.vectors), 1, 0, 0);
      fmt::print(stderr, "  {} of {}\n", index.size(), sizes_.vectors);
    }
  }

  /// One batch of every `step`-th from `first + rest` on.
  void upsert_some(Index& index, std::uint64_t first, std::uint64_t end, std::uint64_t step,
                   std::uint64_t rest, std::uint64_t generation) {
    std::vector<Label> labels;
    std::vector<float> rows;
    for (std::uint64_t i = first; i < end; ++i) {
      if (i % step != rest) continue;
      labels.push_back(label_of(i));
      rows.resize(labels.size() * kDimension);
      fill_row(labels.back(), generation, std::span(rows).last(kDimension));
    }
    must(index.upsert_batch(labels, rows).status(), "a batch of the large index");
  }

  void churn(Index& index) {
    std::vector<Label> gone;
    for (std::uint64_t i = 3; i < sizes_.vectors; i += kErased) gone.push_back(label_of(i));
    must(must(index.erase_batch(gone), "erasing") == gone.size(), "not all were live");
    campaign_.add("erased", gone.size());
    upsert_some(index, 0, sizes_.vectors, kUpdated, 7, 1);
    for (std::uint64_t i = 11; i < sizes_.vectors; i += kSingly) {
      const Label label = label_of(i);
      must(index.upsert(label, row_of(label, 2, kDimension)).status(), "an upsert");
      campaign_.add("upserted singly");
    }
    campaign_.add("upserted by batch", sizes_.vectors / kUpdated);
  }

  /// Every label is there or not as it should be, and its vector is what was stored.
  void must_hold(const Index& index) {
    std::uint64_t live = 0;
    for (std::uint64_t i = 0; i < sizes_.vectors; ++i) {
      const Label label = label_of(i);
      const std::optional<std::uint64_t> generation = generation_of(i);
      must(index.contains(label) == generation.has_value(),
           fmt::format("label {} is {}", label, generation ? "lost" : "back"));
      live += generation ? 1 : 0;
      if (!generation || options_.storage != Storage::kFloat32) continue;
      must(same_bits(must(index.get(label), "get"), row_of(label, *generation, kDimension)),
           fmt::format("label {} has another vector", label));
      campaign_.add("vectors compared");
    }
    must(index.size() == live, fmt::format("{} live, not {}", index.size(), live));
  }

  Campaign& campaign_;
  const Sizes sizes_;
  IndexOptions options_;
};

int run(int argc, const char* const* argv) {
  Campaign campaign("limits", "The ends of what an index may be", 1);
  Sizes sizes;
  campaign.arguments()
      .add_option("--vectors", sizes.vectors, "of 16 dimensions in one index")
      ->capture_default_str();
  campaign.arguments()
      .add_option("--batch", sizes.batch, "vectors a batch")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  campaign.arguments()
      .add_option("--indexes", sizes.indexes, "in one store")
      ->capture_default_str();
  campaign.arguments()
      .add_option("--storage", sizes.storage, "of the one index")
      ->check(CLI::IsMember({"float32", "int8"}))
      ->capture_default_str();
  if (!campaign.parse(argc, argv)) return campaign.exit_code();
  while (campaign.more()) {
    try {
      for (const std::uint32_t M : {4u, 64u}) {
        try_ends(campaign, 1, M, 600);
        try_ends(campaign, 65'536, M, 20);
      }
      try_many(campaign, sizes.indexes);
      Large(campaign, sizes).run();
    } catch (const Broken& broken) {
      campaign.finding(broken.what());
    }
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  campaign.add("peak MiB", static_cast<std::uint64_t>(usage.ru_maxrss) / 1024);
  return campaign.finish();
}

}  // namespace
}  // namespace vicinal::testing

int main(int argc, char** argv) { return vicinal::testing::run(argc, argv); }
