// Verbs: everything that a program asks of a store, each with what has to be there before and after.
//
// What: a verb is run on a store that was made for it; what it answers is held against what is there.
// Ownership: a Scene belongs to one run.
// Threads: one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/power/contents.h"
#include "vicinal/store.h"

namespace vicinal::testing {

/// A store that is open, and its indexes; what verbs work on.
struct Scene {
  std::string folder;  ///< below which everything is
  StoreOptions options;
  std::unique_ptr<Store> store = {};
  std::map<std::string, Index> indexes = {};

  std::string path() const { return folder + "/store"; }
  /// Opens the store and all its indexes.
  Status open();
  Index& index(const std::string& name) { return indexes.at(name); }
  /// What is in the open indexes.
  Result<Contents> contents() const;
};

struct Verb {
  enum class Before : std::uint8_t {
    kNothing,  ///< no store
    kClosed,   ///< a store that is not open
    kOpen,
    kOldFormat  ///< a store of format 1
  };
  std::string name;
  Before before = Before::kOpen;
  std::function<Status(Scene&)> run;
  /// Makes of what was there what is there afterwards.
  std::function<void(Contents&)> change = [](Contents&) {};
  StoreOptions options = {};
  bool leaves_open = true;  ///< when it is done the scene's store is open
};

/// What the store holds that most verbs begin with.
Contents first_contents();
/// Makes it at `path`.
Status make_first_store(const std::string& path);

/// `golden`: the folder of a store of format 1.
std::vector<Verb> all_verbs();

}  // namespace vicinal::testing
