// What the opaque handles are: each owns one value of the C++ API.
#pragma once

#include <vector>

#include "vicinal/c/types.h"
#include "vicinal/index.h"
#include "vicinal/label_set.h"
#include "vicinal/store.h"

struct vicinal_store {
  vicinal::Store store;
};

struct vicinal_index {
  vicinal::Index index;
};

struct vicinal_label_set {
  vicinal::LabelSet set;
};

struct vicinal_hits {
  std::vector<vicinal::Label> labels;
  std::vector<float> distances;
  bool cut = false;
};
