// A connection to a Redis server, as fast as one socket is: commands in RESP2, pipelined.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::bench {

class Connection {
 public:
  /// To a port of 127.0.0.1. Throws std::system_error.
  explicit Connection(std::uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Puts a command behind those that were not sent yet.
  void add(const std::vector<std::string_view>& words);
  /// Sends what was added.
  void send();
  /// Reads a reply: the bulk strings of an array, or the one line or string that it is.
  /// Throws std::runtime_error with the server's words when it is an error.
  std::vector<std::string> receive();

 private:
  std::string line();
  std::string bytes(std::size_t count);
  void more();

  int socket_;
  std::string out_;
  std::string in_;
  std::size_t at_ = 0;
};

}  // namespace vicinal::bench
