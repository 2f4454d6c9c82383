"""One vector set over many servers of a Redis or Valkey cluster: P keys `name:{tag}`, asked together.

    cluster = redis.RedisCluster(host="127.0.0.1", port=7000)
    index = SlicedIndex.create(cluster, "films", slices=6, dimension=384)
    index.add("alien", vector)
    index.search(vector, 10)          # [(b"alien", 1.0), ...], best first

The hash `name` says how many keys there are (slices, dim, options). An element lives in key number
crc32(element) mod P. Scores are exact, so answers of keys are merged by them; equal ones by the
bytes of the element. Elements are bytes or str.
Threads: an object may be shared, as RedisCluster may. Elements come back as the client decodes them.
"""

import functools
import itertools
import struct
import time
import zlib

from redis import exceptions
from redis.crc import key_slot

SLOTS = 16384
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# All fields or none, whoever else creates it and whatever ends this process.
_CREATE = """
if redis.call('HEXISTS', KEYS[1], 'dim') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'slices', ARGV[1], 'dim', ARGV[2], 'options', ARGV[3])
return 1
"""
_LOST = (exceptions.ConnectionError, exceptions.TimeoutError)
_PASSING = _LOST + (
    exceptions.AskError,  # MOVED, too
    exceptions.ClusterDownError,
    exceptions.ReadOnlyError,
    exceptions.SlotNotCoveredError,
    exceptions.TryAgainError,
)


class NotReplicated(exceptions.RedisError):
    """The write is at its primary, but fewer replicas than asked for have it."""


@functools.lru_cache(maxsize=None)
def tags(slices):
    """The tags of `slices` keys, whose slots are the middles of as many equal ranges (1 to 16384)."""
    if not 1 <= slices <= SLOTS:
        raise ValueError(f"{slices} slices: 1 to {SLOTS} are possible")
    found = dict.fromkeys((2 * i + 1) * SLOTS // (2 * slices) for i in range(slices))
    left = len(found)
    for letters in itertools.chain(*(itertools.product(_DIGITS, repeat=n) for n in (1, 2, 3, 4))):
        tag = "".join(letters)
        slot = key_slot(tag.encode())
        if found.get(slot, "") is None:
            found[slot] = tag
            left -= 1
            if left == 0:
                break
    return tuple(found.values())


def merge(answers, count):
    """The `count` best of lists of (element, score): score down, element up."""
    return sorted(itertools.chain(*answers), key=lambda hit: (-hit[1], hit[0]))[:count]


def _bytes(element):
    return element.encode() if isinstance(element, str) else bytes(element)


class SlicedIndex:
    """An index that create() made. `patience` is how many seconds a call goes on after lost connections
    and redirections before it fails: a failover takes two to three times cluster-node-timeout."""

    def __init__(self, cluster, name, patience=15.0):
        meta = {_bytes(k).decode(): _bytes(v).decode() for k, v in cluster.hgetall(name).items()}
        if not {"slices", "dim"} <= meta.keys():
            raise KeyError(f"there is no index {name!r}")
        self.cluster, self.name, self.patience = cluster, name, patience
        self.slices, self.dimension = int(meta["slices"]), int(meta["dim"])
        self.options = tuple(meta.get("options", "").split())
        self.keys = [f"{name}:{{{tag}}}" for tag in tags(self.slices)]

    @classmethod
    def create(cls, cluster, name, slices, dimension, options=(), patience=15.0):
        """A new, empty index; `options` are VADD's NOQUANT, Q8, M and EF. Where there is one of that
        name it is left as it is, and ValueError is raised."""
        tags(slices)
        if not cluster.eval(_CREATE, 1, name, slices, dimension, " ".join(map(str, options))):
            raise ValueError(f"there is an index {name!r} already")
        return cls(cluster, name, patience)

    def key(self, element):
        """The key that `element` belongs to."""
        return self.keys[zlib.crc32(_bytes(element)) % self.slices]

    def blob(self, vector):
        """float32 bytes of a sequence of floats, or such bytes as they are."""
        blob = vector if isinstance(vector, bytes) else struct.pack(f"<{len(vector)}f", *vector)
        if len(blob) != 4 * self.dimension:
            raise ValueError(f"{len(blob) // 4} components; the index has {self.dimension}")
        return blob

    def add(self, element, vector, attribute=None, replicas=0, wait_ms=1000):
        """True if the element is new, False if its vector was replaced."""
        return self.add_many([(element, vector, attribute)], replicas, wait_ms)[0]

    def add_many(self, items, replicas=0, wait_ms=1000):
        """add() for (element, vector[, attribute]) in one round. With `replicas`, those that fewer
        replicas than that have confirmed within `wait_ms` raise NotReplicated; adding again is safe."""
        commands = []
        for element, vector, *rest in items:
            words = ("VADD", self.key(element), "FP32", self.blob(vector), element, *self.options)
            commands.append(words if not rest or rest[0] is None else (*words, "SETATTR", rest[0]))
        return [bool(reply) for reply in self._all(commands, replicas, wait_ms)]

    def remove(self, element, replicas=0, wait_ms=1000):
        """True if it was there. After a lost connection that may be False for one that was."""
        return bool(self._all([("VREM", self.key(element), element)], replicas, wait_ms)[0])

    def vector(self, element):
        """The vector as a list of floats, or None."""
        reply = self._all([("VEMB", self.key(element), element)])[0]
        return None if reply is None else [float(component) for component in reply]

    def count(self):
        """The number of elements."""
        return sum(self._all([("VCARD", key) for key in self.keys]))

    def search(self, vector, count=10, ef=None, options=()):
        """The `count` best as (element, score), best first. Any key that cannot be asked raises.
        `ef` is for each key: about max(count, ef of one graph / sqrt(slices)) finds as much."""
        hits, failures = self.search_partial(vector, count, ef, options)
        for error in failures.values():
            raise error
        return hits

    def search_partial(self, vector, count=10, ef=None, options=()):
        """search() over the keys that answer, and a dictionary of the others: key -> error."""
        more = ("WITHSCORES", "COUNT", count, *(() if ef is None else ("EF", ef)), *options)
        blob = self.blob(vector)
        replies = self.ask([("VSIM", key, "FP32", blob, *more) for key in self.keys])
        failures = {k: r for k, r in zip(self.keys, replies) if isinstance(r, Exception)}
        answers = [zip(r[::2], map(float, r[1::2])) for r in replies if not isinstance(r, Exception)]
        return merge(answers, count), failures

    def items(self, key, batch=500):
        """(element, float32 bytes, attribute or None) of one key, in byte order."""
        start = "-"
        while True:
            names = self._all([("VRANGE", key, start, "+", batch)])[0]
            vectors = self._all([("VEMB", key, name) for name in names])
            attributes = self._all([("VGETATTR", key, name) for name in names])
            for name, vector, attribute in zip(names, vectors, attributes):
                if vector is not None:  # else it was removed a moment ago
                    yield name, self.blob(list(map(float, vector))), attribute
            if len(names) < batch:
                return
            start = b"(" + _bytes(names[-1])

    def copy(self, name, slices):
        """A copy with another number of keys, by another name: how P is changed. What is written
        meanwhile is not carried over: hold writers, switch readers, then drop() the old one."""
        copied = type(self).create(self.cluster, name, slices, self.dimension, self.options, self.patience)
        for key in self.keys:
            items = self.items(key)
            while some := list(itertools.islice(items, 500)):
                copied.add_many(some)
        return copied

    def drop(self):
        """Deletes the keys and the hash that describes them."""
        self._all([("UNLINK", key) for key in self.keys] + [("UNLINK", self.name)])

    def _all(self, commands, replicas=0, wait_ms=1000):
        replies = self.ask(commands, replicas, wait_ms)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies

    def ask(self, commands, replicas=0, wait_ms=1000):
        """Sends each server its commands of one key each, all before a reply is read. Returns the
        replies in order; errors are values. python3-redis' own pipeline does not answer when one server
        cannot be reached, and cannot say which replicas have what (WAIT counts for one connection)."""
        replies, left, end = [None] * len(commands), range(len(commands)), time.monotonic() + self.patience
        asking = {}  # number of a command -> the node that ASK named for it
        while True:
            for number, reply in self._round(commands, left, asking, replicas, wait_ms):
                replies[number] = reply
            left = [number for number in left if _passes(replies[number])]
            if not left:
                return replies
            followed, asking = asking, self._asked(replies, left)
            if asking.keys() - followed.keys():
                continue  # one more redirection, which is no reason to wait
            self._learn()
            if time.monotonic() > end:
                return replies
            time.sleep(0.02)

    def _learn(self):
        """Asks the cluster who serves what."""
        try:
            self.cluster.nodes_manager.initialize()
        except (exceptions.RedisError, exceptions.RedisClusterException, IndexError):
            # Nobody answers at this moment, or one that has just started and knows no primary
            # (which python3-redis 4.3.4 does not expect). The next round tells.
            pass

    def _asked(self, replies, numbers):
        """Where ASK sends those of `numbers` that it answered: keys that left ahead of their slot."""
        asked = {n: replies[n] for n in numbers if _is_ask(replies[n])}
        if any(self.cluster.get_node(ask.host, ask.port) is None for ask in asked.values()):
            self._learn()  # of a server that has just joined
        nodes = {n: self.cluster.get_node(ask.host, ask.port) for n, ask in asked.items()}
        return {n: node for n, node in nodes.items() if node is not None}

    def _round(self, commands, numbers, asking, replicas, wait_ms):
        servers, sent, replies = {}, [], []
        for number in numbers:
            key = _bytes(commands[number][1])
            try:
                node = asking.get(number) or self.cluster.nodes_manager.get_node_from_slot(key_slot(key))
            except exceptions.RedisClusterException as error:  # a slot that no server has
                replies.append((number, error))
            else:
                servers.setdefault(node.name, (node, []))[1].append(number)
        for node, mine in servers.values():
            connection, pool = None, self.cluster.get_redis_connection(node).connection_pool
            try:
                # ASKING holds for the one command behind it.
                words = [w for n in mine for w in ([("ASKING",)] * (n in asking) + [commands[n]])]
                connection = pool.get_connection(words[0][0])
                words += [("WAIT", replicas, wait_ms)] if replicas else []
                connection.send_packed_command(connection.pack_commands(words))
                sent.append((pool, connection, mine, words))
            except _LOST as error:
                replies += [(number, error) for number in mine]
                if connection is not None:
                    pool.release(connection)
        for pool, connection, mine, words in sent:
            got = [r for r, word in zip(_read(connection, len(words)), words) if word != ("ASKING",)]
            pool.release(connection)
            confirmed = got.pop() if replicas else 0
            lost = confirmed if isinstance(confirmed, Exception) else None
            if lost is None and confirmed < replicas:
                lost = NotReplicated(f"{confirmed} of {replicas} replicas confirmed in {wait_ms} ms")
            replies += [(n, r if isinstance(r, Exception) else lost or r) for n, r in zip(mine, got)]
        return replies


def _read(connection, count):
    """The next replies. A lost connection stands for all that it did not answer, and so does a reply that cannot
    be decoded: what is left of it would be read as another's."""
    replies = []
    while len(replies) < count:
        try:
            replies.append(connection.read_response())
        except exceptions.ResponseError as error:
            replies.append(error)
        except (*_LOST, UnicodeError) as error:
            connection.disconnect()
            replies += [error] * (count - len(replies))
    return replies


def _is_ask(reply):
    return isinstance(reply, exceptions.AskError) and not isinstance(reply, exceptions.MovedError)


def _passes(reply):
    """Whether an error passes by itself: a server that is away, a slot on its way, a failover."""
    # A primary that becomes a replica ends searches and WAITs that are under way with UNBLOCKED.
    if isinstance(reply, exceptions.ResponseError) and str(reply).startswith("UNBLOCKED"):
        return True
    return isinstance(reply, _PASSING) and not isinstance(reply, exceptions.AuthenticationError)
