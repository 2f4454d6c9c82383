// Files for tests: a folder that goes with the test, and bytes put together by hand.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"

namespace vicinal::testing {

class Folder : public ::testing::Test {
 protected:
  /// Writes a file of the folder and answers its path.
  std::string file(const std::string& name, const std::string& bytes) const {
    const std::string path = this->path(name);
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::string path(const std::string& name) const { return folder_.file(name); }

 private:
  TemporaryFolder folder_;
};

template <typename T>
std::string raw(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
std::string raw_all(const std::vector<T>& values) {
  std::string bytes;
  for (const T value : values) bytes += raw(value);
  return bytes;
}

/// A row of a .vecs file.
template <typename T>
std::string vecs_row(const std::vector<T>& values) {
  return raw(static_cast<std::int32_t>(values.size())) + raw_all(values);
}

/// A npy file of version 1 or 2 with the dictionary as given.
inline std::string npy(const std::string& dictionary, const std::string& data, int version = 1) {
  const std::string text = dictionary + "\n";
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  bytes += version == 1 ? raw(static_cast<std::uint16_t>(text.size()))
                        : raw(static_cast<std::uint32_t>(text.size()));
  return bytes + text + data;
}

}  // namespace vicinal::testing
