#include "bench/redis/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace vicinal::bench {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

Connection::Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  if (socket_ < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    const int error = errno;
    ::close(socket_);
    errno = error;
    fail("connect");
  }
}

Connection::~Connection() { ::close(socket_); }

void Connection::add(const std::vector<std::string_view>& words) {
  out_ += '*' + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    out_ += '$' + std::to_string(word.size()) + "\r\n";
    out_ += word;
    out_ += "\r\n";
  }
}

void Connection::send() {
  for (std::size_t sent = 0; sent < out_.size();) {
    const ssize_t now = ::send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (now < 0 && errno != EINTR) fail("send");
    if (now > 0) sent += static_cast<std::size_t>(now);
  }
  out_.clear();
}

void Connection::more() {
  in_.erase(0, at_);
  at_ = 0;
  char buffer[1 << 16];
  const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
  if (got < 0 && errno != EINTR) fail("recv");
  if (got == 0) throw std::runtime_error("the server closed the connection");
  if (got > 0) in_.append(buffer, static_cast<std::size_t>(got));
}

std::string Connection::line() {
  std::size_t end = in_.find("\r\n", at_);
  while (end == std::string::npos) {
    more();
    end = in_.find("\r\n", at_);
  }
  std::string text = in_.substr(at_, end - at_);
  at_ = end + 2;
  return text;
}

std::string Connection::bytes(std::size_t count) {
  while (in_.size() - at_ < count + 2) more();
  std::string text = in_.substr(at_, count);
  at_ += count + 2;
  return text;
}

std::vector<std::string> Connection::receive() {
  std::vector<std::string> items;
  std::size_t wanted = 1;
  for (bool first = true; items.size() < wanted; first = false) {
    const std::string head = line();
    const std::string rest = head.substr(1);
    if (head[0] == '-') throw std::runtime_error(rest);
    if (head[0] == '*' && first) {
      wanted = static_cast<std::size_t>(std::stoll(rest));
      continue;
    }
    if (head[0] != '$') {
      items.push_back(rest);
      continue;
    }
    items.push_back(rest == "-1" ? std::string() : bytes(std::stoull(rest)));
  }
  return items;
}

}  // namespace vicinal::bench
