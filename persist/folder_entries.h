// FolderEntries: the names in a folder.
//
// Why: std::filesystem's iterators end the process where memory runs out.
// Ownership: the folder is open as long as it lives.
// Threads: one at a time.
#pragma once

#include <dirent.h>

#include <cerrno>
#include <new>
#include <string>
#include <string_view>

namespace vicinal::persist {

class FolderEntries {
 public:
  /// Throws std::bad_alloc.
  explicit FolderEntries(const std::string& path) : folder_(::opendir(path.c_str())) {
    if (folder_ != nullptr) return;
    if (errno == ENOMEM) throw std::bad_alloc();
    error_ = errno;
  }
  ~FolderEntries() {
    if (folder_ != nullptr) ::closedir(folder_);
  }
  FolderEntries(const FolderEntries&) = delete;
  FolderEntries& operator=(const FolderEntries&) = delete;

  /// The next name that is neither "." nor "..", until the next call; null: there is none, or error().
  const char* next() {
    if (folder_ == nullptr) return nullptr;
    for (;;) {
      errno = 0;
      const dirent* const entry = ::readdir(folder_);
      if (entry == nullptr) {
        error_ = errno;
        return nullptr;
      }
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") return entry->d_name;
    }
  }
  /// An errno: why the folder could not be opened, or read to its end. 0: it could.
  int error() const { return error_; }
  /// The folder's own, for calls that take names in it. Only when it could be opened.
  int descriptor() const { return ::dirfd(folder_); }

 private:
  DIR* const folder_;
  int error_ = 0;
};

}  // namespace vicinal::persist
