// npz: a zip archive of npy files, stored or deflated, read by libzip.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "tools/matrix/formats.h"
#include "tools/matrix/temporary.h"

namespace vicinal::matrix {
namespace {

constexpr std::size_t kMemberPiece = 1u << 18;
constexpr std::size_t kMembersShown = 16;
constexpr std::uint64_t kMostUnpacked = 1032;  // deflate's bound, bytes for a byte
constexpr std::string_view kEnding = ".npy";

/// An archive that is only read.
class Archive {
 public:
  Archive() = default;
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;
  ~Archive() {
    if (zip_ != nullptr) zip_discard(zip_);
  }

  Status open(const InputFile& file) {
    const int own = ::fcntl(file.descriptor(), F_DUPFD_CLOEXEC, 0);
    if (own < 0 || ::lseek(own, 0, SEEK_SET) < 0) {
      const int error = errno;
      if (own >= 0) ::close(own);
      return Status::io_error(fmt::format("{}: {}", file.path(), std::strerror(error)));
    }
    int error = 0;
    zip_ = zip_fdopen(own, ZIP_CHECKCONS, &error);
    if (zip_ != nullptr) return {};
    ::close(own);
    zip_error_t what;
    zip_error_init_with_code(&what, error);
    const std::string text = zip_error_strerror(&what);
    zip_error_fini(&what);
    return file.malformed(0, fmt::format("no zip archive: {}", text));
  }

  zip_t* get() const { return zip_; }

 private:
  zip_t* zip_ = nullptr;
};

struct Member {
  zip_uint64_t index = 0;
  std::string array;
};

/// The member with the array that is wanted.
Result<Member> choose(const InputFile& file, zip_t* archive, const Wanted& wanted) {
  std::vector<Member> members;
  const zip_int64_t count = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* const name = zip_get_name(archive, static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    std::string array = name != nullptr ? name : "";
    if (!array.ends_with(kEnding)) continue;
    array.resize(array.size() - kEnding.size());
    members.push_back({static_cast<zip_uint64_t>(i), std::move(array)});
  }
  std::string listed;
  for (std::size_t i = 0; i < std::min(members.size(), kMembersShown); ++i) {
    listed += (i == 0 ? "" : ", ") + members[i].array;
  }
  if (members.size() > kMembersShown) listed += ", ...";
  const std::string& name = wanted.array.empty() ? wanted.usual_array : wanted.array;
  for (const Member& member : members) {
    if (member.array == name || (wanted.array.empty() && members.size() == 1)) return member;
  }
  if (!wanted.array.empty()) {
    return file.malformed(0, fmt::format("no array '{}'; it has: {}", wanted.array, listed));
  }
  if (members.empty()) return file.malformed(0, "no array in it");
  return file.malformed(0, fmt::format("say with --array which of its arrays: {}", listed));
}

Status unpack(const InputFile& file, zip_t* archive, const Member& member, Temporary& out) {
  const auto broken = [&](const std::string& why) {
    return file.malformed(0, fmt::format("array {}: {}", member.array, why));
  };
  zip_stat_t stat;
  zip_stat_init(&stat);
  const zip_uint64_t both = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
  if (zip_stat_index(archive, member.index, 0, &stat) != 0 || (stat.valid & both) != both) {
    return broken("the archive does not say its size");
  }
  if (stat.comp_size > file.size() || stat.size / kMostUnpacked > stat.comp_size) {
    return broken(
        fmt::format("{} bytes in {}, of a file of {}", stat.size, stat.comp_size, file.size()));
  }
  zip_file_t* const in = zip_fopen_index(archive, member.index, 0);
  if (in == nullptr) return broken(zip_strerror(archive));
  std::vector<char> piece(kMemberPiece);
  std::uint64_t unpacked = 0;
  Status status;
  while (status.ok()) {
    const zip_int64_t got = zip_fread(in, piece.data(), piece.size());
    if (got < 0) status = broken(zip_file_strerror(in));
    if (got <= 0) break;
    unpacked += static_cast<std::uint64_t>(got);
    if (unpacked > stat.size) {
      status = broken(fmt::format("more than the {} bytes declared", stat.size));
    } else if (!out.write(piece.data(), static_cast<std::size_t>(got))) {
      status = out.status();
    }
  }
  if (status.ok() && unpacked != stat.size) {
    status = broken(fmt::format("{} bytes of {} were unpacked", unpacked, stat.size));
  }
  zip_fclose(in);
  return status;
}

}  // namespace

Result<RowLayout> npz_layout(InputFile& file, const Wanted& wanted) {
  Temporary out;
  Result<Member> member = Member();
  {
    Archive archive;
    if (Status s = archive.open(file); !s.ok()) return s;
    member = choose(file, archive.get(), wanted);
    if (!member.ok()) return member.status();
    if (!out.status().ok()) return out.status();
    if (Status s = unpack(file, archive.get(), *member, out); !s.ok()) return s;
  }
  Result<InputFile> plain =
      InputFile::take(out.release(), fmt::format("{} (array {})", file.path(), member->array));
  if (!plain.ok()) return plain.status();
  if (plain->size() == 0) return plain->malformed(0, "the array is empty");
  file = std::move(*plain);
  Result<RowLayout> layout = npy_layout(file);
  if (layout.ok() || layout.status().code() != StatusCode::kInvalidArgument) return layout;
  // npy's command for a shell opens a file, which an array of an archive is not.
  const std::string& message = layout.status().message();
  return Status::invalid_argument(message.substr(0, message.find("; this converts it")));
}

}  // namespace vicinal::matrix
