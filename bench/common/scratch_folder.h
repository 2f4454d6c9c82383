// A folder of its own, deleted at the end.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace vicinal::bench {

class ScratchFolder {
 public:
  /// Made in `parent`; path() is empty when that fails. `program` is part of its name.
  ScratchFolder(const std::string& parent, const std::string& program) {
    std::string name = (std::filesystem::path(parent) / (program + "-XXXXXX")).string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace vicinal::bench
