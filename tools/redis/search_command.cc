#include "tools/redis/search_command.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/redis/background.h"
#include "tools/redis/filter.h"
#include "tools/redis/key.h"
#include "tools/redis/reply.h"
#include "tools/redis/thread_pool.h"
#include "tools/redis/vector_argument.h"

namespace vicinal::redis {
namespace {

constexpr long long kUsualCount = 10;
constexpr long long kUsualEf = 100;
constexpr long long kMostEf = 1000000;
constexpr std::uint64_t kEngineMostEf = 100000;
// Components of all vectors together: some 10 microseconds of comparing. A filter may cost any time an
// element, by its own length and that of an attribute.
constexpr std::uint64_t kAtOnce = 1 << 16;

struct Request {
  std::vector<float> vector;
  long long count = kUsualCount;
  long long ef = kUsualEf;
  std::optional<double> epsilon;
  std::shared_ptr<const Filter> filter;
  bool with_scores = false;
  bool with_attributes = false;
  bool exact = false;
  bool no_thread = false;
};

std::shared_ptr<const Filter> compile(const ServerString* expression) {
  try {
    return std::make_shared<const Filter>(Filter::compile(text(expression)));
  } catch (const FilterError& e) {
    throw Refusal(std::string("ERR syntax error in FILTER expression near: ") + e.what());
  }
}

double epsilon(const ServerString* word) {
  double value = 0;
  if (api.StringToDouble(word, &value) != kOk || !(value > 0)) {
    throw Refusal("ERR invalid EPSILON");
  }
  return value;
}

// Whether argv[at] is a word that stands alone.
bool take_flag(Request& request, const ServerString* word) {
  bool* const flag = is(word, "WITHSCORES")    ? &request.with_scores
                     : is(word, "WITHATTRIBS") ? &request.with_attributes
                     : is(word, "TRUTH")       ? &request.exact
                     : is(word, "NOTHREAD")    ? &request.no_thread
                                               : nullptr;
  if (flag != nullptr) *flag = true;
  return flag != nullptr;
}

void take_options(Request& request, ServerString** argv, int argc, int at) {
  for (; at < argc; ++at) {
    if (take_flag(request, argv[at])) continue;
    const ServerString* const value = at + 1 < argc ? argv[at + 1] : nullptr;
    if (value != nullptr && is(argv[at], "COUNT")) {
      request.count = number(value, 1, 1LL << 62, "ERR invalid COUNT");
    } else if (value != nullptr && is(argv[at], "EPSILON")) {
      request.epsilon = epsilon(value);
    } else if (value != nullptr && is(argv[at], "EF")) {
      request.ef = number(value, 1, kMostEf, "ERR invalid EF");
    } else if (value != nullptr && is(argv[at], "FILTER-EF")) {
      number(value, 1, 1LL << 62, "ERR invalid FILTER-EF");
    } else if (value != nullptr && is(argv[at], "FILTER")) {
      request.filter = compile(value);
    } else {
      throw Refusal("ERR syntax error in VSIM command");
    }
    ++at;
  }
}

Request parse(ServerString** argv, int argc, const VectorSet& set) {
  Request request;
  int at = 2;
  if (is(argv[at], "ELE")) {
    const std::optional<Label> label = set.elements().find(text(argv[at + 1]));
    if (!label) throw Refusal("ERR element not found in set");
    request.vector = value_or_refuse(set.index().get(*label));
    at += 2;
  } else {
    request.vector = vector_argument(argv, argc, at);
    check_dimension(request.vector.size(), set.dimension());
  }
  take_options(request, argv, argc, at);
  return request;
}

class Search final : public BackgroundWork {
 public:
  Search(SetValue set, Request request) : set_(std::move(set)), request_(std::move(request)) {
    if (request_.filter != nullptr) era_ = set_->elements().hold();
  }

  void work(bool) override {
    const std::uint64_t size = set_->index().size();
    SearchOptions options;
    options.k = static_cast<std::size_t>(
        std::min<std::uint64_t>(size, static_cast<std::uint64_t>(request_.count)));
    const auto ef = static_cast<std::uint64_t>(std::max(request_.ef, request_.count));
    options.ef_search =
        static_cast<std::size_t>(std::clamp<std::uint64_t>(std::min(ef, size), 1, kEngineMostEf));
    options.exact = request_.exact;
    if (request_.filter != nullptr) {
      options.filter.predicate = [this](Label label) {
        // Who asked has gone, or the server exits, and waits for this.
        if (abandoned() || ThreadPool::searches().ending()) return false;
        const auto attribute = set_->elements().attribute_of(label);
        return attribute && request_.filter->matches(*attribute);
      };
    }
    hits_ = value_or_refuse(set_->index().search(request_.vector, options)).hits;
    era_.reset();
  }

  void reply(ServerContext* context) override {
    const Elements& elements = set_->elements();
    const bool cosine = set_->options().metric == Metric::kCosine;
    std::erase_if(hits_, [&](const Hit& hit) {
      return !elements.name_of(hit.label) ||
             (request_.epsilon && 1 - score(hit.distance, cosine) > *request_.epsilon);
    });
    const bool scores = request_.with_scores;
    const bool attributes = request_.with_attributes;
    const bool map = speaks_resp3(context) && (scores || attributes);
    const auto count = static_cast<long>(hits_.size());
    if (map) {
      api.ReplyWithMap(context, count);
    } else {
      api.ReplyWithArray(context, count * (1 + (scores ? 1 : 0) + (attributes ? 1 : 0)));
    }
    for (const Hit& hit : hits_) {
      reply_text(context, elements.used_name(hit.label));
      if (map && scores && attributes) api.ReplyWithArray(context, 2);
      if (scores) api.ReplyWithDouble(context, score(hit.distance, cosine));
      if (attributes) reply_attribute(context, hit.label);
    }
  }

 private:
  void reply_attribute(ServerContext* context, Label label) const {
    if (const auto attribute = set_->elements().attribute_of(label)) {
      return reply_text(context, *attribute);
    }
    api.ReplyWithNull(context);
  }

  const SetValue set_;
  const Request request_;
  Eras::Hold era_;
  std::vector<Hit> hits_;
};

}  // namespace

void vsim(ServerContext* context, ServerString** argv, int argc) {
  if (argc < 4) throw WrongArity();
  const Key key(context, argv[1], kReadKey);
  if (key.missing()) {
    api.ReplyWithArray(context, 0);
    return;
  }
  Request request = parse(argv, argc, *key);
  const bool small = request.filter == nullptr && key->size() * key->dimension() <= kAtOnce;
  const bool at_once = request.no_thread || small;
  auto search = std::make_unique<Search>(key.share(), std::move(request));
  if (at_once) return run_in_foreground(context, *search);
  run_in_background(context, ThreadPool::searches(), std::move(search));
}

}  // namespace vicinal::redis
