// Refusal: what a command throws to answer with an error, and the one place where exceptions end.
//
// What: run() and its kin call a function of ours from the server and let nothing out: a Refusal becomes
// its error, std::bad_alloc the server's OOM error, anything else an error with its words.
// Threads: the main thread.
#pragma once

#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "tools/redis/module_api.h"
#include "vicinal/status.h"

namespace vicinal::redis {

/// An error of a command: the whole text, code first ("ERR invalid EF").
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
/// As the server says it itself.
class WrongArity : public std::exception {};

/// The value of `result`, or a Refusal with its message.
template <typename T>
T value_or_refuse(Result<T> result) {
  if (!result) throw Refusal("ERR " + result.status().message());
  return std::move(*result);
}
inline void refuse_unless_ok(const Status& status) {
  if (!status.ok()) throw Refusal("ERR " + status.message());
}

/// A command: `Function` replies and returns, or throws before it has begun its reply.
template <void (*Function)(ServerContext*, ServerString**, int)>
int run(ServerContext* context, ServerString** argv, int argc) noexcept {
  try {
    Function(context, argv, argc);
  } catch (const Refusal& refusal) {
    return api.ReplyWithError(context, refusal.what());
  } catch (const WrongArity&) {
    return api.WrongArity(context);
  } catch (const std::bad_alloc&) {
    return api.ReplyWithError(context, "OOM out of memory");
  } catch (const std::exception& e) {
    char text[256];  // no allocation: it may be memory that is short
    std::snprintf(text, sizeof text, "ERR %s", e.what());
    return api.ReplyWithError(context, text);
  } catch (...) {
    return api.ReplyWithError(context, "ERR failed");
  }
  return kOk;
}

}  // namespace vicinal::redis
