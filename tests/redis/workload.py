"""Operations on vector sets that a test can repeat in its head: the n-th of a writer is the same in every run.

    model = Model("key", writer=0, dimension=16)
    client.call(*model.next())    # a command; the model has applied it
    model.check(client)           # the server's set is the model's

Of the operations 60 % add an element, 20 % give one another vector or attribute, 20 % remove one. A
writer's elements begin with its number, so that several share a key and each knows its own.
"""

import random
import struct


def vector(seed, dimension):
    """The bytes of a float32 vector that `seed` alone decides: another for each integer."""
    generator = random.Random(f"vector/{seed}")  # of a number, Random takes the absolute value only
    return struct.pack(f"<{dimension}f", *(generator.gauss(0, 1) for _ in range(dimension)))


def floats(reply):
    """VEMB's reply as float32 bytes."""
    return struct.pack(f"<{len(reply)}f", *map(float, reply))


class Model:
    def __init__(self, key, writer, dimension, seed=1):
        self.key = key
        self.prefix = f"w{writer}:"
        self.dimension = dimension
        self.elements = {}  # name -> (seed of the vector, attribute or "")
        self.done = 0
        self._random = random.Random(f"{seed}/{writer}")
        self._names = []

    def next(self):
        """The next operation as a command's words."""
        self.done += 1
        draw = self._random.random()
        if draw < 0.6 or len(self._names) < 2:
            return self._put(f"{self.prefix}{self.done}", new=True)
        name = self._random.choice(self._names)
        if draw < 0.7:
            return self._put(name, new=False)
        if draw < 0.8:
            attribute = self._attribute()
            self.elements[name] = (self.elements[name][0], attribute)
            return ("VSETATTR", self.key, name, attribute)
        self._names[self._names.index(name)] = self._names[-1]
        self._names.pop()
        del self.elements[name]
        return ("VREM", self.key, name)

    def advance(self, done):
        """Applies operations until `done` of them are."""
        while self.done < done:
            self.next()
        return self

    def _attribute(self):
        return self._random.choice(("", '{"n":%d}' % self._random.randrange(1000)))

    def _put(self, name, new):
        seed = self._random.randrange(1 << 30)
        attribute = self._attribute() if self._random.random() < 0.5 else None
        if new:
            self._names.append(name)
        kept = "" if new else self.elements[name][1]
        self.elements[name] = (seed, kept if attribute is None else attribute)
        words = ("VADD", self.key, "FP32", vector(seed, self.dimension), name)
        return words if attribute is None else words + ("SETATTR", attribute)

    def check(self, client, vectors=200):
        """Names and attributes are the model's, and so are the bits of `vectors` vectors."""
        names = client.call("VRANGE", self.key, "[" + self.prefix, "(" + self.prefix[:-1] + ";")
        expected = sorted(name.encode() for name in self.elements)
        assert names == expected, (self.prefix, self.done, set(names) ^ set(expected))
        attributes = client.pipeline([("VGETATTR", self.key, name) for name in names])
        for name, attribute in zip(names, attributes):
            kept = self.elements[name.decode()][1]
            assert (attribute or b"") == kept.encode(), (name, attribute, kept)
        chosen = random.Random(self.done).sample(names, min(vectors, len(names)))
        replies = client.pipeline([("VEMB", self.key, name) for name in chosen])
        for name, reply in zip(chosen, replies):
            seed = self.elements[name.decode()][0]
            assert floats(reply) == vector(seed, self.dimension), name


def is_sound(client, key):
    """VICINAL.VALIDATE finds nothing."""
    report = client.call("VICINAL.VALIDATE", key)
    fields = dict(zip(report[::2], report[1::2]))
    assert fields["problems"] == 0, fields
    return fields
