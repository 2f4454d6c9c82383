// Names, labels and attributes of a set (RM1, RM2, RM3), and what readers in other threads see.
#include "tools/redis/elements.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/redis/fake_server.h"
#include "tools/redis/heap.h"

namespace vicinal::redis {
namespace {

const bool kFake = fake::use_fake_server();

void set_attribute(Elements& elements, Label label, std::string_view text) {
  elements.set_attribute(label, make_attribute(label, text));
}

TEST(Elements, AgreeWithAMap) {
  Elements elements;
  std::map<std::string, std::pair<Label, std::string>> model;
  std::set<Label> gone;
  std::mt19937_64 random(7);
  for (int step = 0; step < 20000; ++step) {
    const std::string name =
        fake::numbered("n", random() % 400) + std::string(random() % 3 * 20, 'x');
    const auto known = model.find(name);
    ASSERT_EQ(elements.find(name).has_value(), known != model.end());
    if (known == model.end()) {
      const Label label = elements.add(name);
      ASSERT_FALSE(gone.contains(label)) << "a label came back";
      model[name] = {label, ""};
    } else if (random() % 2 == 0) {
      elements.remove(known->second.first);
      gone.insert(known->second.first);
      ASSERT_FALSE(elements.name_of(known->second.first));
      ASSERT_FALSE(elements.attribute_of(known->second.first));
      model.erase(known);
    } else {
      known->second.second = random() % 3 == 0 ? "" : fake::numbered("{\"n\":", random(), "}");
      set_attribute(elements, known->second.first, known->second.second);
    }
  }
  std::size_t attributes = 0;
  auto expected = model.begin();
  elements.walk({}, false, [&](std::string_view name, Label label) {
    EXPECT_EQ(name, expected->first);
    EXPECT_EQ(label, expected->second.first);
    EXPECT_EQ(elements.name_of(label), name);
    EXPECT_EQ(elements.attribute_of(label).value_or(""), expected->second.second);
    attributes += expected->second.second.empty() ? 0 : 1;
    ++expected;
    return true;
  });
  EXPECT_TRUE(expected == model.end());
  EXPECT_EQ(elements.attribute_count(), attributes);
  EXPECT_LE(elements.slot_count(), 1200U) << "slots are used again";
}

TEST(Elements, CountTheirBytes) {
  const std::size_t before = fake::heap_now;
  Elements elements;
  std::vector<Label> labels;
  for (int i = 0; i < 5000; ++i) {
    labels.push_back(elements.add(fake::numbered("element number ", i)));
    set_attribute(elements, labels.back(), fake::numbered("{\"number\":", i, "}"));
  }
  const auto held = static_cast<double>(fake::heap_now - before);
  EXPECT_NEAR(static_cast<double>(elements.bytes()) / held, 1, 0.2);
  for (const Label label : labels) elements.remove(label);
  EXPECT_LT(elements.bytes(), 5000U * 60) << "what is left are slots";
}

TEST(Elements, AnyIsFair) {
  Elements elements;
  std::vector<Label> labels;
  labels.reserve(1000);
  for (int i = 0; i < 1000; ++i) labels.push_back(elements.add(std::to_string(i)));
  for (int i = 0; i < 996; ++i) elements.remove(labels[i]);
  std::mt19937_64 random(1);
  std::map<Label, int> drawn;
  for (int i = 0; i < 4000; ++i) ++drawn[elements.any([&] { return random(); })];
  ASSERT_EQ(drawn.size(), 4U);
  for (const auto& [label, times] : drawn) EXPECT_NEAR(times, 1000, 200);
}

TEST(Eras, KeepWhatASearchMayRead) {
  Elements elements;
  const Label label = elements.add("name");
  set_attribute(elements, label, "first");
  Eras::Hold early = elements.hold();
  const std::string_view first = elements.attribute_of(label).value_or("");
  const std::size_t with_first = fake::blocks;
  set_attribute(elements, label, "second");
  Eras::Hold late = elements.hold();
  const std::string_view second = elements.attribute_of(label).value_or("");
  set_attribute(elements, label, "third");
  EXPECT_EQ(fake::blocks, with_first + 2) << "the first and the second are kept";
  EXPECT_EQ(first, "first");
  late.reset();
  EXPECT_EQ(second, "second") << "the earlier search may have found it";
  EXPECT_EQ(fake::blocks, with_first + 2);
  early.reset();
  set_attribute(elements, label, "fourth");
  EXPECT_EQ(fake::blocks, with_first) << "nobody reads any more";
  // A long chain of eras ends without a deep stack.
  early = elements.hold();
  for (int i = 0; i < 200000; ++i) {
    set_attribute(elements, label, "again");
    elements.hold();
  }
  early.reset();
  set_attribute(elements, label, "");
  EXPECT_EQ(fake::blocks, with_first - 1);
}

// Every text is a hundred times the same letter: one that was freed is not.
void read_all(const Elements& elements, const std::vector<Label>& labels) {
  for (const Label label : labels) {
    const auto text = elements.attribute_of(label);
    if (!text) continue;
    ASSERT_EQ(*text, std::string(100, text->front())) << "a text that was freed";
  }
}

void replace_one(Elements& elements, Label label, std::uint64_t random) {
  const auto known = elements.name_of(label);
  if (!known) return;  // of this round's removed
  if (random % 8 != 0) {
    set_attribute(elements, label, std::string(100, static_cast<char>('b' + random % 20)));
    return;
  }
  // The readers hold a label that goes and, in the same slot, another that comes.
  const std::string name(*known);
  elements.remove(label);
  const Label fresh = elements.add(name);
  ASSERT_NE(fresh, label);
  set_attribute(elements, fresh, std::string(100, 'z'));
}

TEST(Eras, ReadersBesideReplacements) {
  Elements elements;
  std::vector<Label> labels(50);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] = elements.add(std::to_string(i));
    set_attribute(elements, labels[i], std::string(100, 'a'));
  }
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> replaced{0};
    const auto read = [&](Eras::Hold hold) {
      read_all(elements, labels);
      // Eras have come and gone behind this one by then; relaxed, so that this orders nothing.
      while (replaced.load(std::memory_order_relaxed) < 50) std::this_thread::yield();
      hold.reset();
    };
    std::thread first(read, elements.hold());
    std::thread second(read, elements.hold());
    for (int i = 0; i < 100; ++i) {
      replace_one(elements, labels[random() % labels.size()], random());
      elements.hold();  // a search that ends at once
      replaced.store(i, std::memory_order_relaxed);
    }
    first.join();
    second.join();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      labels[i] = elements.find(std::to_string(i)).value_or(0);
    }
  }
}

TEST(Heap, AlignsWhatTheEngineAsksFor) {
  std::mt19937_64 random(3);
  const std::size_t before = fake::blocks;
  for (int i = 0; i < 2000; ++i) {
    const std::size_t alignment = std::size_t{1} << (random() % 9);
    const std::size_t size = random() % 300;
    auto* const block = static_cast<char*>(hook_allocate(size, alignment));
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0U);
    std::fill_n(block, size, 'x');
    hook_deallocate(block, size, alignment);
  }
  EXPECT_EQ(fake::blocks, before);
  EXPECT_EQ(hook_allocate(SIZE_MAX - 3, 64), nullptr);
}

}  // namespace
}  // namespace vicinal::redis
