#include "tests/power/contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <span>
#include <utility>

namespace vicinal::testing {

std::vector<float> contents_vector(Label label, std::uint32_t generation) {
  std::vector<float> vector{static_cast<float>(label), static_cast<float>(generation)};
  std::mt19937_64 random(label * 1000003 + generation);
  while (vector.size() < kContentsDimension) {
    vector.push_back(static_cast<float>(random() % 2048) / 8);
  }
  return vector;
}

IndexOptions contents_index(const std::string& name) {
  IndexOptions options;
  options.dimension = kContentsDimension;
  options.metric = Metric::kSquaredL2;
  options.M = 4;
  options.ef_construction = 20;
  options.threads = 1;
  options.reserve = name == "graph" || name == "mapped" ? 500 : 0;
  options.vectors_in_memory = name != "mapped";
  return options;
}

Result<std::map<Label, std::uint32_t>> read_labels(const Index& index) {
  std::map<Label, std::uint32_t> labels;
  std::string wrong;
  const Status visited = index.for_each([&](Label label, std::span<const float> vector) {
    const auto generation = static_cast<std::uint32_t>(vector[1]);
    const std::vector<float> stored = contents_vector(label, generation);
    if (!std::equal(stored.begin(), stored.end(), vector.begin(), vector.end())) {
      wrong = fmt::format("label {} has a vector that nobody stored", label);
    }
    labels[label] = generation;
    return true;
  });
  if (!visited.ok()) return visited;
  if (!wrong.empty()) return Status::corruption(wrong);
  return labels;
}

Result<Contents> read_contents(Store& store) {
  const Result<std::vector<std::string>> names = store.index_names();
  if (!names) return names.status();
  Contents contents;
  for (const std::string& name : *names) {
    const Result<Index> index = store.open_index(name, contents_index(name));
    if (!index) return index.status();
    Result<std::map<Label, std::uint32_t>> labels = read_labels(*index);
    if (!labels) return Status(labels.status().code(), name + ": " + labels.status().message());
    const Result<ValidateReport> report = index->validate({.deep = true});
    if (!report) return report.status();
    if (!report->sound()) {
      return Status::corruption(fmt::format("{} is not sound: {} problems: {}", name,
                                            report->problems, fmt::join(report->messages, "; ")));
    }
    contents[name] = std::move(*labels);
  }
  std::vector<std::string> messages;
  const Result<std::uint64_t> damaged = store.verify_records(&messages);
  if (!damaged) return damaged.status();
  if (*damaged == 0) return contents;
  return Status::corruption(
      fmt::format("{} damaged records: {}", *damaged, fmt::join(messages, "; ")));
}

std::string described(const Contents& contents) {
  std::string text;
  for (const auto& [name, labels] : contents) {
    text += name + ":";
    for (const auto& [label, generation] : labels) text += fmt::format(" {}/{}", label, generation);
    text += "; ";
  }
  return text;
}

}  // namespace vicinal::testing
