// Stores are portable: one written on x86-64 and one written on aarch64 give the same answers, bit
// for bit, on every CPU, and so does an index that this CPU builds from the same vectors.
//
// The vectors are such that float32 distances are exact whatever the order of their sums (small
// integers under squared L2, sixteen components of +1 or -1 under cosine): the kernels promise
// equal bits between CPUs only for what is stored (kernels.h, K5 and K6).
//
// To make a store of the architecture that runs this, run it with VICINAL_WRITE_GOLDEN=1 and commit
// it; answers.txt is made when it is absent. Files of a released format are never made anew.
#include <gtest/gtest.h>

#include <bit>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

const std::string kFolder = VICINAL_GOLDEN "/engine-v2";
const std::string kEarlier = VICINAL_GOLDEN "/engine-v1";  // of store format 1
const std::string kAnswers = kEarlier + "/answers.txt";    // of every format
constexpr std::uint32_t kSquaredDimension = 12;
constexpr std::uint32_t kCosineDimension = 32;

bool writing() { return std::getenv("VICINAL_WRITE_GOLDEN") != nullptr; }

#if defined(__aarch64__)
constexpr const char* kArchitecture = "aarch64";
#else
constexpr const char* kArchitecture = "x86-64";
#endif

/// splitmix64: the standard library's distributions differ between implementations.
std::uint64_t next(std::uint64_t* state) {
  std::uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Integers from -15 to 15.
std::vector<float> squared_row(Label label) {
  std::uint64_t state = label + 1;
  std::vector<float> row(kSquaredDimension);
  for (float& component : row) component = static_cast<float>(next(&state) % 31) - 15;
  return row;
}

/// Sixteen components of +1 or -1, so that the norm is 4; the others are zero.
std::vector<float> cosine_row(Label label) {
  std::uint64_t state = label + 1000;
  std::vector<float> row(kCosineDimension, 0.0F);
  for (int left = 16; left > 0;) {
    float& component = row[next(&state) % kCosineDimension];
    if (component != 0) continue;
    component = next(&state) % 2 == 0 ? 1.0F : -1.0F;
    --left;
  }
  return row;
}

using RowOf = std::vector<float> (*)(Label);

IndexOptions golden_options(Metric metric) {
  IndexOptions options;
  options.metric = metric;
  options.dimension = metric == Metric::kSquaredL2 ? kSquaredDimension : kCosineDimension;
  options.M = 6;
  options.ef_construction = 40;
  options.threads = 1;
  options.reserve = 500;  // links are what it is about
  return options;
}

/// A batch, single upserts that replace and that add, erased labels, one of them back again.
void fill(Index index, RowOf row_of) {
  const std::vector<Label> labels = labels_up_to(120);
  std::vector<float> rows;
  for (const Label label : labels) {
    const std::vector<float> row = row_of(label);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  ASSERT_TRUE(index.upsert_batch(labels, rows).ok());
  for (Label label = 110; label < 130; ++label) {
    ASSERT_TRUE(index.upsert(label, row_of(label + 500)).ok());
  }
  for (Label label = 10; label < 25; ++label) ASSERT_EQ(*index.erase(label), EraseOutcome::kErased);
  ASSERT_TRUE(index.upsert(12, row_of(12)).ok());
}

std::string answers_of(const Index& index, const std::string& name, RowOf row_of) {
  std::string text;
  for (Label query = 900; query < 912; ++query) {
    const Result<SearchResult> found = index.search(row_of(query), {.k = 8, .ef_search = 24});
    EXPECT_TRUE(found.ok()) << found.status().to_string();
    text += name + " " + std::to_string(query) + ":";
    for (const Hit& hit : found->hits) {
      char words[40];
      std::snprintf(words, sizeof words, " %llu/%08x", static_cast<unsigned long long>(hit.label),
                    std::bit_cast<unsigned>(hit.distance));
      text += words;
    }
    text += "\n";
  }
  return text;
}

std::string answers_of_store(const Store& opened) {
  Store store = opened;
  const Result<Index> squared = store.open_index("squared");
  const Result<Index> cosine = store.open_index("cosine");
  EXPECT_TRUE(squared.ok()) << squared.status().to_string();
  EXPECT_TRUE(cosine.ok()) << cosine.status().to_string();
  if (!squared.ok() || !cosine.ok()) return "";
  EXPECT_EQ(squared->stats().repaired_links, 0u);
  expect_sound(*squared, true);
  expect_sound(*cosine, true);
  return answers_of(*squared, "squared", squared_row) + answers_of(*cosine, "cosine", cosine_row);
}

Store made_store(const std::string& path) {
  StoreOptions options = quick_store();
  options.background = false;
  Store store = *Store::open(path, options);
  fill(*store.index("squared", golden_options(Metric::kSquaredL2)), squared_row);
  fill(*store.index("cosine", golden_options(Metric::kCosine)), cosine_row);
  return store;
}

std::string golden_answers() {
  std::ifstream in(kAnswers);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(EngineGolden, WhatIsBuiltHereAnswersTheSame) {
  TemporaryFolder folder;
  Store store = made_store(folder.file("s"));
  const std::string answers = answers_of_store(store);
  if (writing()) {
    const std::string target = kFolder + "/" + kArchitecture;
    std::filesystem::create_directories(target);
    ASSERT_OK(store.checkpoint());
    ASSERT_OK(store.backup(folder.file("copy")));
    std::filesystem::copy_file(folder.file("copy") + "/data.mdb", target + "/data.mdb",
                               std::filesystem::copy_options::overwrite_existing);
    if (golden_answers().empty()) std::ofstream(kAnswers) << answers;
  }
  EXPECT_EQ(answers, golden_answers());
}

/// A store written on `architecture`, to be opened.
std::string copy_of(const std::string& golden, const char* architecture,
                    const TemporaryFolder& folder) {
  std::filesystem::create_directory(folder.file("s"));
  std::filesystem::copy_file(golden + "/" + architecture + "/data.mdb",
                             folder.file("s") + "/data.mdb");
  return folder.file("s");
}

TEST(EngineGolden, WhatWasWrittenAnswersTheSame) {
  TemporaryFolder folder;
  const Result<Store> store = Store::open(copy_of(kFolder, "x86-64", folder), quick_store());
  ASSERT_TRUE(store.ok()) << store.status().to_string();
  EXPECT_EQ(answers_of_store(*store), golden_answers());
}

class EngineGoldenStore : public ::testing::TestWithParam<const char*> {};

TEST_P(EngineGoldenStore, OfFormat1AnswersTheSame) {
  TemporaryFolder folder;
  const std::string path = copy_of(kEarlier, GetParam(), folder);
  EXPECT_CODE(Store::open(path, quick_store()).status(), kFormatVersion, "convert");
  const Result<bool> converted = Store::convert(path);
  ASSERT_TRUE(converted.ok()) << converted.status().to_string();
  const Result<Store> store = Store::open(path, quick_store());
  ASSERT_TRUE(store.ok()) << store.status().to_string();
  EXPECT_EQ(answers_of_store(*store), golden_answers());
}

INSTANTIATE_TEST_SUITE_P(WrittenOn, EngineGoldenStore, ::testing::Values("x86-64", "aarch64"),
                         [](const auto& instance) {
                           return std::string(instance.param) == "aarch64" ? "Aarch64" : "X86";
                         });

}  // namespace
}  // namespace vicinal::testing
