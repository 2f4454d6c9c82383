// HDF5 as ann-benchmarks' files are: a matrix by its name, and the distance that is meant.
//
// libhdf5 reads files that are trusted: cut or crafted ones can end the process, or have it allocate
// what a number in the file says. So it runs in a child with a bound on memory and time, and only
// says where the numbers stand. They are then read from the file as those of any other format; where
// they are packed or in chunks, the child writes them to a temporary file first.
#include "tools/matrix/hdf5.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "tools/interrupt.h"
#include "tools/matrix/formats.h"
#include "tools/matrix/hdf5_child.h"
#include "tools/matrix/temporary.h"

namespace vicinal::matrix {
namespace {

constexpr std::uint64_t kChildBytes = 64u << 20;
constexpr rlim_t kChildSeconds = 3;
constexpr std::uint64_t kSlowestBytesPerSecond = 4u << 20;  // unpacked, or walked over

/// Bytes of memory that this process has mapped, which a bound has to leave room for.
std::uint64_t mapped_bytes() {
  unsigned long pages = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  const int got = std::fscanf(file, "%lu", &pages);
  std::fclose(file);
  return got == 1 ? pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

void bound_child(std::uint64_t file_bytes, std::uint64_t work_bytes) {
  const std::uint64_t mapped = mapped_bytes();
  if (mapped != 0) {
    const rlim_t bytes = mapped + kChildBytes + 2 * file_bytes;
    const rlimit memory = {bytes, bytes};
    ::setrlimit(RLIMIT_AS, &memory);
  }
  const rlim_t seconds = kChildSeconds + (file_bytes + work_bytes) / kSlowestBytesPerSecond;
  const rlimit time = {seconds, seconds};
  ::setrlimit(RLIMIT_CPU, &time);
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  // How it ended is told by its parent; what the C library says of a damaged heap is not wanted.
  if (const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC); nowhere >= 0) {
    ::dup2(nowhere, STDERR_FILENO);
  }
}

[[noreturn]] void run_child(const Hdf5Question& question, int answer_to, std::uint64_t work_bytes) {
  bound_child(question.file_bytes, work_bytes);
  Hdf5Answer answer;
  try {
    answer = answer_hdf5(question);
  } catch (const std::exception& problem) {
    answer = Hdf5Answer();
    answer.fail(problem.what());
  }
  const bool written = ::write(answer_to, &answer, sizeof answer) == sizeof answer;
  // What the parent has in its buffers is not this process's to write.
  ::_exit(written ? 0 : 1);
}

/// Reads one answer. False at the end of the pipe, or when the user asked to stop.
bool receive(int from, Hdf5Answer& answer) {
  auto* const bytes = reinterpret_cast<char*>(&answer);
  for (std::size_t done = 0; done < sizeof answer;) {
    const ssize_t got = ::read(from, bytes + done, sizeof answer - done);
    if (got < 0 && errno == EINTR && !tools::interrupted()) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

/// Asks a child. `work_bytes` is what it has to write.
Result<Hdf5Answer> ask(const InputFile& file, const Hdf5Question& question,
                       std::uint64_t work_bytes) {
  const auto failed = [&](const char* what) {
    return Status::io_error(fmt::format("{}: {}: {}", file.path(), what, std::strerror(errno)));
  };
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    run_child(question, ends[1], work_bytes);
  }
  ::close(ends[1]);
  if (child < 0) {
    const Status status = failed("fork");
    ::close(ends[0]);
    return status;
  }
  Hdf5Answer answer;
  const bool received = receive(ends[0], answer);
  ::close(ends[0]);
  if (tools::interrupted()) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (tools::interrupted()) return Status::cancelled("interrupted");
  if (!received) {
    const std::string how = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                                : fmt::format("exit code {}", WEXITSTATUS(status));
    return file.malformed(0, fmt::format("libhdf5 ended with {} in it: the file is damaged", how));
  }
  if (answer.failed()) return file.malformed(0, answer.message());
  return answer;
}

/// X1 and X2 of what the child says.
Result<RowLayout> checked(const InputFile& file, const Hdf5Answer& answer) {
  const std::optional<Element> element = element_of(answer.descr());
  if (!element.has_value()) {
    return file.malformed(
        0, fmt::format("array {}: elements are '{}'", answer.name(), answer.descr()));
  }
  if (answer.columns < 1 || answer.columns > kMaxDimension) {
    return file.malformed(0, fmt::format("array {}: dimension {}, must be 1 to {}", answer.name(),
                                         answer.columns, kMaxDimension));
  }
  RowLayout layout;
  layout.dimension = static_cast<std::uint32_t>(answer.columns);
  layout.rows = answer.rows;
  layout.element = *element;
  const std::uint64_t most = answer.packed ? kMostUnpacked * file.size() : file.size();
  if (layout.rows > most / layout.row_bytes()) {
    return file.malformed(
        0, fmt::format("array {}: {} rows of {} bytes declared, the file has {} bytes",
                       answer.name(), layout.rows, layout.row_bytes(), file.size()));
  }
  if (answer.in_place) {
    layout.data_offset = answer.offset;
    const std::uint64_t bytes = layout.rows * layout.row_bytes();
    if (answer.offset > file.size() || bytes > file.size() - answer.offset) {
      return file.malformed(answer.offset,
                            fmt::format("array {}: {} bytes declared here, the file has {} bytes",
                                        answer.name(), bytes, file.size()));
    }
  }
  layout.note = element_note(answer.descr(), *element);
  return layout;
}

Origin origin_of(const std::string& distance) {
  Origin origin;
  if (distance == "euclidean") {
    origin.metric = Metric::kSquaredL2;
  } else if (distance == "angular") {
    origin.metric = Metric::kCosine;
  } else if (distance == "ip" || distance == "dot") {
    origin.metric = Metric::kInnerProduct;
  } else if (!distance.empty()) {
    origin.no_metric = fmt::format("its distance is '{}', which no index here has", distance);
  }
  return origin;
}

}  // namespace

Result<RowLayout> hdf5_layout(InputFile& file, const Wanted& wanted) {
  Hdf5Question question;
  // Opened by the descriptor: what came packed or through a pipe has no name.
  question.path = fmt::format("/proc/self/fd/{}", file.descriptor());
  question.file_bytes = file.size();
  question.array = wanted.array;
  question.usual_array = wanted.usual_array;
  Result<Hdf5Answer> answer = ask(file, question, 0);
  if (!answer.ok()) return answer.status();
  Result<RowLayout> layout = checked(file, *answer);
  if (!layout.ok()) return layout;
  layout->origin = origin_of(answer->distance());
  if (answer->in_place || layout->rows == 0) return layout;
  Temporary unpacked;
  if (!unpacked.status().ok()) return unpacked.status();
  question.array = answer->name();
  question.write_to = unpacked.descriptor();
  const std::uint64_t bytes = layout->rows * layout->row_bytes();
  Result<Hdf5Answer> written = ask(file, question, bytes);
  if (!written.ok()) return written.status();
  Result<InputFile> plain = InputFile::take(unpacked.release(), file.path());
  if (!plain.ok()) return plain.status();
  if (plain->size() != bytes) {
    return file.malformed(0, fmt::format("array {}: {} bytes of {} could be read", answer->name(),
                                         plain->size(), bytes));
  }
  file = std::move(*plain);
  return layout;
}

}  // namespace vicinal::matrix
