#include "tests/fuzz/stored_seeds.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

#include "tests/fuzz/script_reader.h"
#include "vicinal/index.h"
#include "vicinal/store.h"

namespace vicinal::fuzz {
namespace {

constexpr std::uint32_t kDimension = 4;
constexpr std::uint64_t kMapBytes = 16 << 20;

std::vector<float> vector_of(Label label) {
  std::vector<float> vector(kDimension, 1);
  for (std::uint32_t i = 0; i < kDimension; ++i) {
    vector[i] = static_cast<float>((label * 37 + i * 101 + label * i * 13) % 255) - 127.5F;
  }
  return vector;
}

void upsert(Index& index, Label first, Label end) {
  for (Label label = first; label < end; ++label) {
    expect_ok(index.upsert(label, vector_of(label)).status());
  }
}

void batch(Index& index, Label first, Label end) {
  std::vector<Label> labels;
  std::vector<float> vectors;
  for (Label label = first; label < end; ++label) {
    labels.push_back(label);
    const std::vector<float> vector = vector_of(label);
    vectors.insert(vectors.end(), vector.begin(), vector.end());
  }
  expect_ok(index.upsert_batch(labels, vectors).status());
}

Index make_index(Store& store, const std::string& name, std::uint64_t reserve,
                 Storage storage = Storage::kFloat32) {
  IndexOptions options;
  options.dimension = kDimension;
  options.metric = Metric::kSquaredL2;
  options.M = 4;
  options.ef_construction = 16;
  options.storage = storage;
  options.threads = 1;
  options.reserve = reserve;
  Result<Index> index = store.index(name, options);
  expect_ok(index.status());
  return *index;
}

void fill_flat(Store& store) {
  Index index = make_index(store, "text", 0);
  batch(index, 0, 10);
  Index gone = make_index(store, "gone", 0);
  batch(gone, 0, 100);
  expect_ok(store.checkpoint());
  Index other = make_index(store, "other", 0, Storage::kFloat16);
  upsert(other, 100, 102);
  expect_ok(store.drop_index("gone"));
  expect_ok(store.checkpoint());
  upsert(index, 8, 13);
  expect_ok(index.erase(3).status());
}

void fill_graph(Store& store) {
  Index index = make_index(store, "text", 500);
  batch(index, 0, 40);
  expect_ok(index.erase(7).status());
  Index codes = make_index(store, "codes", 500, Storage::kInt8);
  batch(codes, 0, 5);
  expect_ok(store.checkpoint());
  upsert(index, 39, 42);
  expect_ok(index.erase_batch(std::vector<Label>{1, 2}).status());
}

void fill_wide(Store& store) {
  Index index = make_index(store, "text", 0);
  batch(index, 0, 300);
  expect_ok(store.checkpoint());
  upsert(index, 300, 450);
  expect_ok(index.erase(310).status());
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

StoreOptions store_options() {
  StoreOptions options;
  options.durability = Durability::kNone;
  options.background = false;
  options.map_bytes = kMapBytes;
  return options;
}

/// Whatever the file, a call does what it should or names the damage.
bool fine(const Status& status) {
  if (status.ok()) return true;
  const bool named =
      status.code() == StatusCode::kCorruption || status.code() == StatusCode::kFormatVersion ||
      status.code() == StatusCode::kReadOnly || status.code() == StatusCode::kNotFound;
  if (!named) std::fprintf(stderr, "%s\n", status.to_string().c_str());
  expect(named && !status.message().empty(), "what is refused is named as damage");
  return false;
}

void read_index(const Index& index) {
  const std::vector<float> query(index.dimension(), 1.0F);
  const Result<SearchResult> walk = index.search(query, {.k = 3});
  if (fine(walk.status())) expect(walk->size() <= 3, "a search finds no more than k");
  fine(index.search(query, {.k = 1000, .exact = true}).status());
  fine(index.search_radius(query, 1000).status());
  std::vector<Label> labels;
  fine(index.for_each([&labels](Label label, std::span<const float>) {
    labels.push_back(label);
    return true;
  }));
  for (const Label label : labels) {
    expect(index.contains(label), "what is visited is there");
    const Result<std::vector<float>> vector = index.get(label);
    if (fine(vector.status())) {
      expect(vector->size() == index.dimension(), "a vector has the index's dimension");
    }
  }
  fine(index.validate({.deep = true, .max_messages = 3}).status());
  fine(index.save([](std::span<const std::byte>) { return Status(); }));
}

void write_index(Index& index) {
  std::vector<float> vector(index.dimension(), 2.0F);
  for (const Label label : {Label{1}, Label{39}, Label{5000}, Label{5001}}) {
    vector.front() += 1;
    if (fine(index.upsert(label, vector).status())) {
      expect(index.contains(label), "what was stored is there");
    }
  }
  if (fine(index.erase(5000).status())) expect(!index.contains(5000), "what was erased is not");
  const std::vector<Label> labels = {7000, 7001, 7002};
  std::vector<float> rows(labels.size() * index.dimension(), 3.0F);
  fine(index.upsert_batch(labels, rows).status());
  fine(index.erase_batch(labels).status());
  fine(index.checkpoint());
  fine(index.repair().status());
  fine(index.rebuild());
}

void use_index(Store& store, const std::string& name, const Use& how) {
  const std::vector<Label> labels = {0, 3, 39, 100, 400};
  fine(store.stored_stats(name).status());
  fine(store.stored_vectors(name, labels).status());
  fine(store.for_each_journal_entry(name, [](const std::string&) { return true; }));
  IndexOptions tuning;
  tuning.threads = 1;
  tuning.salvage = how.salvage;
  tuning.vectors_in_memory = how.rows_in_memory;
  Result<Index> index = store.open_index(name, tuning);
  // What is stored may say that there is nothing but the rows to traverse: then this is asked too much.
  if (!how.rows_in_memory && index.status().code() == StatusCode::kInvalidArgument) return;
  if (!fine(index.status())) return;
  read_index(*index);
  if (!how.write) return;
  write_index(*index);
  read_index(*index);
}

}  // namespace

StoredSeeds& StoredSeeds::get() {
  static StoredSeeds seeds;
  return seeds;
}

StoredSeeds::StoredSeeds() : path_(folder_.file("store")) {
  constexpr std::array kFill = {fill_flat, fill_graph, fill_wide};
  for (std::size_t i = 0; i < kCount; ++i) {
    std::filesystem::remove_all(path_);
    Result<Store> store = Store::open(path_, store_options());
    expect_ok(store.status());
    kFill[i](*store);
    files_[i] = contents_of(path_ + "/data.mdb");  // as a crash leaves it: with a journal
  }
}

void StoredSeeds::put(const std::string& contents) const {
  const int file = ::open((path_ + "/data.mdb").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  const ssize_t written = file < 0 ? -1 : ::write(file, contents.data(), contents.size());
  expect(written == static_cast<ssize_t>(contents.size()), "the file can be written");
  ::close(file);
}

bool StoredSeeds::use(const Use& how) const {
  StoreOptions options = store_options();
  options.create = false;
  options.read_only = how.read_only;
  Result<Store> store = Store::open(path_, options);
  if (!fine(store.status())) return false;
  const Result<std::vector<std::string>> names = store->index_names();
  if (fine(names.status())) {
    for (std::size_t i = 0; i < names->size() && i < 3; ++i) use_index(*store, (*names)[i], how);
  }
  fine(store->verify_records().status());
  if (how.drop && names.ok() && !names->empty()) fine(store->drop_index(names->front()));
  fine(store->close());
  return true;
}

}  // namespace vicinal::fuzz
