"""A client of the Redis protocol over a plain socket, for tests that look at the bytes themselves.

Replies are read both as values and as the bytes that stood on the wire. RESP2 and RESP3 are known.
"""

import socket


class ErrorReply(Exception):
    """An error reply, also as a value inside an array. str() is its text, for example "ERR ..."."""

    def __eq__(self, other):
        return isinstance(other, ErrorReply) and str(self) == str(other)

    __hash__ = Exception.__hash__


class Map(list):
    """A RESP3 map: a list of (key, value), in the order of the wire."""


class Status(str):
    """A simple string, such as OK."""


def encode(*words):
    """The bytes of a command. Words are bytes, str, int or float."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        if isinstance(word, (int, float)):
            word = repr(word)
        if isinstance(word, str):
            word = word.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


class Client:
    """One connection. Not for several threads."""

    def __init__(self, port, protocol=2, timeout=60, host="127.0.0.1", user=None, password=None):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bytes = bytearray()
        self._at = 0
        if user is not None:
            self.call("AUTH", user, password)
        if protocol != 2:
            self.call("HELLO", protocol)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *words):
        self.socket.sendall(encode(*words))

    def receive(self):
        """The value of the next reply. An error reply is a value here."""
        return self._reply()[0]

    def receive_raw(self):
        """The bytes of the next reply."""
        return self._reply()[1]

    def call(self, *words):
        """Sends a command and returns its value; raises ErrorReply when that is an error."""
        self.send(*words)
        value = self.receive()
        if isinstance(value, ErrorReply):
            raise value
        return value

    def raw(self, *words):
        """Sends a command and returns the bytes of its reply."""
        self.send(*words)
        return self.receive_raw()

    def pipeline(self, commands):
        """Sends every command, then reads the replies: a list, in which errors are values."""
        self.socket.sendall(b"".join(encode(*words) for words in commands))
        return [self.receive() for _ in commands]

    def _reply(self):
        while True:
            try:
                value, end = _parse(self._bytes, self._at)
            except _Short:
                del self._bytes[: self._at]
                self._at = 0
                got = self.socket.recv(1 << 20)
                if not got:
                    raise ConnectionError("the server closed the connection") from None
                self._bytes += got
                continue
            raw = bytes(self._bytes[self._at : end])
            self._at = end
            return value, raw


class _Short(Exception):
    pass


def _line(data, at):
    end = data.find(b"\r\n", at)
    if end < 0:
        raise _Short
    return bytes(data[at:end]), end + 2


def _parse(data, at):
    if at >= len(data):
        raise _Short
    kind = bytes(data[at : at + 1])
    head, at = _line(data, at + 1)
    if kind == b"+":
        return Status(head.decode()), at
    if kind == b"-":
        return ErrorReply(head.decode()), at
    if kind == b":":
        return int(head), at
    if kind == b"_":
        return None, at
    if kind == b"#":
        return head == b"t", at
    if kind == b",":
        return float(head), at
    if kind in b"$=":
        size = int(head)
        if size < 0:
            return None, at
        if len(data) < at + size + 2:
            raise _Short
        return bytes(data[at : at + size]), at + size + 2
    if kind in b"*~>":
        if int(head) < 0:
            return None, at
        items = []
        for _ in range(int(head)):
            item, at = _parse(data, at)
            items.append(item)
        return items, at
    if kind == b"%":
        pairs = Map()
        for _ in range(int(head)):
            key, at = _parse(data, at)
            value, at = _parse(data, at)
            pairs.append((key, value))
        return pairs, at
    raise ValueError(f"not a reply: {kind + head!r}")
