#include "tools/names.h"

#include "tools/arguments.h"
#include "tools/matrix/matrix.h"

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

const std::map<std::string, Storage>& storage_words() {
  static const std::map<std::string, Storage> words = {
      {"float32", Storage::kFloat32}, {"float16", Storage::kFloat16}, {"int8", Storage::kInt8}};
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

CLI::Option* add_storage(CLI::App& app, std::optional<Storage>& storage) {
  return add_word<Storage>(app, "--storage", storage_words(), "float32|float16|int8",
                           "What vectors are stored as (default: float32)",
                           [&storage](Storage value) { storage = value; });
}

CLI::Option* add_format(CLI::App& app, std::string& format) {
  const auto check = [](const std::string& word) {
    return matrix::known_format(word)
               ? std::string()
               : "\"" + word + "\" is no format; known are " + matrix::kFormatNames +
                     ", without the point, .gz may follow";
  };
  return add_text(app, "--format", format,
                  "What the file is, whatever its name: fvecs, bvecs, fbin, u8bin, i8bin, npy, "
                  "npz, jsonl, hdf5, hnswlib, faiss; with .gz behind it, gzip")
      ->check(CLI::Validator(check, ""));
}

CLI::Option* add_array(CLI::App& app, std::string& array, const std::string& usual) {
  return add_text(app, "--array", array,
                  "Which array of a npz or HDF5 file (default: " + usual + ", or the only one)");
}

CLI::Option* add_durability(CLI::App& app, Durability& durability) {
  return add_word<Durability>(app, "--durability", durability_words(), "full|relaxed|none",
                              std::string("When a write survives a power cut (default: ") +
                                  durability_name(durability) + ")",
                              [&durability](Durability value) { durability = value; });
}

}  // namespace vicinal::tools
