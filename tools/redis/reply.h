// Short words for replies.
//
// Threads: the main thread.
#pragma once

#include <string_view>

#include "tools/redis/module_api.h"

namespace vicinal::redis {

inline void reply_text(ServerContext* context, std::string_view text) {
  api.ReplyWithStringBuffer(context, text.data(), text.size());
}

inline bool speaks_resp3(ServerContext* context) {
  return (api.GetContextFlags(context) & kFlagResp3) != 0;
}

/// A field of a map: its name, then its value.
inline void reply_field(ServerContext* context, const char* name, unsigned long long value) {
  api.ReplyWithSimpleString(context, name);
  api.ReplyWithLongLong(context, static_cast<long long>(value));
}
inline void reply_field(ServerContext* context, const char* name, const char* value) {
  api.ReplyWithSimpleString(context, name);
  api.ReplyWithSimpleString(context, value);
}

}  // namespace vicinal::redis
