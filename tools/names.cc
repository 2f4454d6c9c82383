#include "tools/names.h"

namespace vicinal::tools {
namespace {

// CLI11's own transformers print enumerators as numbers; this one reads a word and keeps the help
// readable.
template <typename T>
CLI::Option* add_word(CLI::App& app, const std::string& flag, const std::map<std::string, T>& words,
                      const std::string& list, const std::string& help,
                      std::function<void(T)> take) {
  CLI::Option* option = app.add_option_function<std::string>(
      flag, [take = std::move(take), &words](const std::string& word) { take(words.at(word)); },
      help);
  option->type_name("");
  option->check(CLI::Validator(
      [&words, list](std::string& word) {
        return words.count(word) != 0 ? std::string() : "\"" + word + "\" is none of " + list;
      },
      list));
  return option;
}

}  // namespace

const char* metric_name(Metric metric) {
  switch (metric) {
    case Metric::kCosine:
      return "cosine";
    case Metric::kInnerProduct:
      return "inner_product";
    case Metric::kSquaredL2:
      return "l2";
  }
  return "unknown";
}

const char* quantization_name(Quantization quantization) {
  switch (quantization) {
    case Quantization::kNone:
      return "none";
    case Quantization::kInt8:
      return "int8";
  }
  return "unknown";
}

const char* durability_name(Durability durability) {
  switch (durability) {
    case Durability::kFull:
      return "full";
    case Durability::kRelaxed:
      return "relaxed";
    case Durability::kNone:
      return "none";
  }
  return "unknown";
}

const char* outcome_name(UpsertOutcome outcome) {
  switch (outcome) {
    case UpsertOutcome::kInserted:
      return "inserted";
    case UpsertOutcome::kUpdated:
      return "updated";
    case UpsertOutcome::kResurrected:
      return "resurrected";
    case UpsertOutcome::kUnchanged:
      return "unchanged";
  }
  return "unknown";
}

const char* path_name(SearchPath path) {
  switch (path) {
    case SearchPath::kEmpty:
      return "empty";
    case SearchPath::kGraph:
      return "graph";
    case SearchPath::kFilteredGraph:
      return "filtered_graph";
    case SearchPath::kExactScan:
      return "exact_scan";
  }
  return "unknown";
}

const std::map<std::string, Metric>& metric_words() {
  static const std::map<std::string, Metric> words = {{"cosine", Metric::kCosine},
                                                      {"inner_product", Metric::kInnerProduct},
                                                      {"ip", Metric::kInnerProduct},
                                                      {"l2", Metric::kSquaredL2},
                                                      {"squared_l2", Metric::kSquaredL2}};
  return words;
}

const std::map<std::string, Quantization>& quantization_words() {
  static const std::map<std::string, Quantization> words = {{"int8", Quantization::kInt8},
                                                            {"none", Quantization::kNone}};
  return words;
}

const std::map<std::string, Durability>& durability_words() {
  static const std::map<std::string, Durability> words = {
      {"full", Durability::kFull}, {"relaxed", Durability::kRelaxed}, {"none", Durability::kNone}};
  return words;
}

CLI::Option* add_metric(CLI::App& app, std::optional<Metric>& metric) {
  return add_word<Metric>(app, "--metric", metric_words(), "cosine|inner_product|l2",
                          "How nearness is measured (default: cosine)",
                          [&metric](Metric value) { metric = value; });
}

CLI::Option* add_quantization(CLI::App& app, std::optional<Quantization>& quantization) {
  return add_word<Quantization>(app, "--quantization", quantization_words(), "int8|none",
                                "What the graph walks over (default: int8)",
                                [&quantization](Quantization value) { quantization = value; });
}

CLI::Option* add_durability(CLI::App& app, Durability& durability) {
  return add_word<Durability>(app, "--durability", durability_words(), "full|relaxed|none",
                              std::string("When a write survives a power cut (default: ") +
                                  durability_name(durability) + ")",
                              [&durability](Durability value) { durability = value; });
}

}  // namespace vicinal::tools
