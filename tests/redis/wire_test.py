"""The commands of the module over the wire, byte for byte in RESP2 and RESP3 (wire_table.py), and what a
table cannot say: graphs of more than a few elements, random members, flags of commands.

usage: wire_test.py MODULE
"""

import random
import re
import struct
import sys

import server
import wire_table
from resp import ErrorReply, Map

FLAGS = {
    "vadd": {"write", "denyoom"},
    "vrem": {"write"},
    "vsetattr": {"write", "fast"},
    "vsim": {"readonly"},
    "vrandmember": {"readonly"},
    "vismember": {"readonly"},
    "vrange": {"readonly"},
    "vdim": {"readonly", "fast"},
    "vcard": {"readonly", "fast"},
    "vemb": {"readonly", "fast"},
    "vlinks": {"readonly", "fast"},
    "vinfo": {"readonly", "fast"},
    "vgetattr": {"readonly", "fast"},
}
OWN = ["VICINAL." + name for name in "CREATE MADD STATS VALIDATE RECALL REPAIR REBUILD".split()]


def words(command):
    return command.split(" ") if isinstance(command, str) else command


def written(reply):
    """Bytes of the wire in the writing of the table."""
    assert reply.endswith(b"\r\n")
    return reply[:-2].replace(b" ", b"\0").replace(b"\r\n", b" ")


def wire(expected):
    """The table's writing as bytes of the wire."""
    pieces = expected if isinstance(expected, list) else [expected]
    made = b""
    for piece in pieces:
        if isinstance(piece, str):
            piece = piece.encode().replace(b" ", b"\r\n").replace(b"\0", b" ")
        made += piece
    return made + b"\r\n"


def agrees(reply, expected):
    if isinstance(expected, tuple):
        return any(agrees(reply, one) for one in expected)
    if isinstance(expected, str) and expected.startswith("~"):
        return re.fullmatch(expected[1:].encode(), written(reply), re.DOTALL) is not None
    return reply == wire(expected)


def run_section(client, protocol, title, setup, cases):
    """Runs a section; returns what differs, as lines."""
    wrong = []
    client.call("FLUSHALL")
    for command in setup:
        client.call(*words(command))
    for case in cases:
        expected = case[-1] if protocol == 3 else case[1]
        reply = client.raw(*words(case[0]))
        if not agrees(reply, expected):
            shown = expected if not isinstance(expected, (str, list)) else repr(expected)
            wrong.append(
                f"{title}, RESP{protocol}: {str(case[0])[:200]}\n"
                f"  got      {reply[:300]!r}\n  expected {str(shown)[:400]}"
            )
    return wrong


def cosine_score(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    return 0.5 + dot / (2 * sum(x * x for x in a) ** 0.5 * sum(x * x for x in b) ** 0.5)


def fill(client, key, count, dimension, seed, *options):
    """`count` random vectors under e0, e1, ...; returns them by name."""
    draw = random.Random(seed)
    vectors = {}
    commands = []
    for i in range(count):
        vector = [draw.gauss(0, 1) for _ in range(dimension)]
        blob = struct.pack(f"<{dimension}f", *vector)
        vectors[f"e{i}".encode()] = struct.unpack(f"<{dimension}f", blob)
        commands.append(("VADD", key, "FP32", blob, f"e{i}", *options))
    assert client.pipeline(commands) == [1] * count
    return vectors


def check_graph(running):
    """Searches, links and random members of a set with a graph."""
    with running.client() as client, running.client(3) as client3:
        client.call("FLUSHALL")
        vectors = fill(client, "g", 3000, 16, 1, "M", 8)
        names = sorted(vectors)
        exact = {}
        for name in names[:20]:
            order = sorted(names, key=lambda other: -cosine_score(vectors[name], vectors[other]))
            exact[name] = order[:10]
        for name, order in exact.items():
            found = client3.call("VSIM", "g", "ELE", name, "TRUTH", "WITHSCORES")
            assert [one for one, _ in found] == order, (name, found, order)
            for other, score in found:
                assert abs(score - cosine_score(vectors[name], vectors[other])) < 1e-6, (name, other)
        hits = sum(len(set(client.call("VSIM", "g", "ELE", n)) & set(exact[n])) for n in exact)
        assert hits >= 190, f"{hits} of 200 neighbors were found"

        info = dict(client3.call("VINFO", "g"))
        assert info["size"] == 3000 and info["hnsw-m"] == 8, info
        for name in names[:50]:
            levels = client.call("VLINKS", "g", name)
            assert 1 <= len(levels) <= info["max-level"] + 1, (name, levels)
            assert 1 <= len(levels[-1]) <= 16, (name, levels)
            assert all(len(level) <= 8 for level in levels[:-1]), (name, levels)
            scored = client3.call("VLINKS", "g", name, "WITHSCORES")
            assert all(isinstance(level, Map) for level in scored), scored
            assert [[n for n, _ in level] for level in scored] == levels, (scored, levels)
            for other, score in scored[-1]:
                assert other != name
                assert abs(score - cosine_score(vectors[name], vectors[other])) < 1e-6, (name, other)

        for count, size in ((1, 1), (2000, 2000), (3000, 3000), (5000, 3000)):
            drawn = client.call("VRANDMEMBER", "g", count)
            assert len(drawn) == len(set(drawn)) == size and set(drawn) <= set(names), count
        drawn = client.call("VRANDMEMBER", "g", -6000)
        assert len(drawn) == 6000 and set(drawn) <= set(names)
        # 3,000 names drawn 6,000 times: 2,594 different ones are expected, give or take 18.
        assert 2450 < len(set(drawn)) < 2750, len(set(drawn))

        assert client.call("VRANGE", "g", "-", "+") == names
        assert client.call("VRANGE", "g", "[e10", "(e11") == [n for n in names if b"e10" <= n < b"e11"]

        for name in names[::2]:
            assert client.call("VREM", "g", name) == 1
        left = set(names[1::2])
        assert client.call("VCARD", "g") == 1500
        for name in names[:20:2]:
            query = [repr(x) for x in vectors[name]]
            found = client.call("VSIM", "g", "VALUES", 16, *query, "COUNT", 30)
            assert len(found) == 30 and set(found) <= left, (name, found)


def check_filter(running):
    """FILTER in a set with a graph, from every second element to one in a thousand."""
    filters = (
        (".n % 2 == 0", lambda n: n % 2 == 0),
        (".n >= 1000 and .n < 1100 and not (.n in [1001, 1002])", lambda n: 1003 <= n < 1100 or n == 1000),
        ("'e7' in .name or .n == 5", lambda n: n == 5 or str(n).startswith("7")),
        (".n in [3, 1999]", lambda n: n in (3, 1999)),
        (".n > 5000", lambda n: False),
        (".absent == 1 or .n >= 0", lambda n: False),
    )
    with running.client() as client:
        client.call("FLUSHALL")
        vectors = fill(client, "f", 2000, 16, 4)
        # The last hundred have none, and match nothing.
        commands = [("VSETATTR", "f", f"e{i}", f'{{"n": {i}, "name": "e{i}"}}') for i in range(1900)]
        commands.append(("VSETATTR", "f", "e1999", '{"n": 1999, "name": "\\u0065x"}'))
        assert client.pipeline(commands) == [1] * len(commands)
        for expression, passes in filters:
            allowed = [i for i in [*range(1900), 1999] if passes(i)]
            found = 0
            for i in range(10):
                query = vectors[f"e{i}".encode()]
                order = sorted(allowed, key=lambda n: -cosine_score(query, vectors[f"e{n}".encode()]))
                exact = [f"e{n}".encode() for n in order[:10]]
                words = ("VSIM", "f", "ELE", f"e{i}", "FILTER", expression)
                assert client.call(*words, "TRUTH") == exact, (expression, i)
                names = client.call(*words, "FILTER-EF", 2000)
                assert set(names) <= {f"e{n}".encode() for n in allowed}, (expression, i, names)
                found += len(set(names) & set(exact))
            assert found >= 0.9 * 10 * min(10, len(allowed)), (expression, found)


def check_raw(running):
    """VEMB RAW: codes, norm and range give the vector again; VEMB gives it bit for bit."""
    with running.client(3) as client:
        client.call("FLUSHALL")
        for key, option in (("q", "Q8"), ("f", "NOQUANT")):
            for name, vector in fill(client, key, 20, 32, 2, option).items():
                assert tuple(client.call("VEMB", key, name)) == vector, (key, name)
                kind, blob, norm, *rest = client.call("VEMB", key, name, "RAW")
                assert abs(norm - sum(x * x for x in vector) ** 0.5) < 1e-4 * norm, (norm, vector)
                if kind == "f32":
                    assert not rest
                    unit, allowed = struct.unpack("<32f", blob), 1e-6
                else:
                    assert (kind, key) == ("int8", "q") and len(rest) == 1, (kind, rest)
                    unit = [code * rest[0] / 127 for code in struct.unpack("<32b", blob)]
                    allowed = rest[0] / 127
                for x, y in zip(unit, vector):
                    assert abs(x - y / norm) <= allowed, (key, name, x, y / norm)


def check_commands(running):
    """Flags and keys that clients and ACLs go by."""
    with running.client() as client:
        for name, flags in FLAGS.items():
            (info,) = client.call("COMMAND", "INFO", name)
            assert info is not None, f"no command {name}"
            got = {str(flag) for flag in info[2]}
            assert flags <= got, f"{name}: {got}, wanted {flags}"
            assert not ({"write", "readonly", "denyoom", "fast"} - flags) & got, f"{name}: {got}"
            assert info[3:6] == [1, 1, 1], f"{name}: keys {info[3:6]}"


def check_hostile(running):
    """Words that are too many or too long end in an error, never the server."""
    with running.client() as client:
        client.call("FLUSHALL")
        client.call("VADD", "v", "VALUES", 2, 1, 0, "a")
        draw = random.Random(3)
        pieces = ["v", "a", "ELE", "FP32", "VALUES", "2", "1", "0", "-1", "COUNT", "EF", "FILTER", ".a"]
        pieces += ["WITHSCORES", "TRUTH", "EPSILON", "9e999", "M", "Q8", "CAS", "SETATTR", "RAW", "[", "", "DIM", "METRIC"]
        pieces += [b"\x00" * 8, b"\xff" * 8, "99999999999999999999", "x" * 100, "s", "missing", "REDUCE"]
        client.call("SET", "s", 1)
        errors = 0
        for _ in range(400):
            commands = []
            for _ in range(20):
                name = draw.choice(sorted(FLAGS) + OWN)
                key = draw.choice(["v", "v", "v", "s", "missing", ""])
                commands.append([name, key, *draw.choices(pieces, k=draw.randrange(9))])
            errors += sum(isinstance(reply, ErrorReply) for reply in client.pipeline(commands))
        assert errors > 4000, errors
        assert client.call("PING") == "PONG"


def main():
    server.require_program()
    wrong = []
    with server.Server(sys.argv[1]) as running:
        for protocol in (2, 3):
            with running.client(protocol) as client:
                for title, setup, cases in wire_table.SECTIONS:
                    wrong += run_section(client, protocol, title, setup, cases)
        for check in (check_graph, check_filter, check_raw, check_commands, check_hostile):
            try:
                check(running)
            except (AssertionError, ErrorReply) as error:
                wrong.append(f"{check.__name__}: {str(error)[:1000] or repr(error)}")
        code = running.stop()
        reports = running.sanitizer_reports()
        if code != 0 or reports:
            wrong.append(f"the server ended with {code}: {reports}\n{running.tail()}")
    for line in wrong:
        print(line)
    cases = sum(len(cases) for _, _, cases in wire_table.SECTIONS)
    print(f"{2 * cases} replies compared, {len(wrong)} findings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
