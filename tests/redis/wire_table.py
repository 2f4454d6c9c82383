"""What every command answers, byte for byte: the table of wire_test.py.

A section starts with an empty server, runs the commands of `setup`, then its cases in order; once in
RESP2 and once in RESP3. A case is (command, RESP2 reply) or (command, RESP2 reply, RESP3 reply).

A command is words separated by spaces, or a list of words for those that a string cannot hold. A reply
is written with a space for every line end: "*2 $1 a $1 b". A tuple of replies: any of them. A reply that
begins with ~ is a regular expression over the same writing. E and A make errors.
"""

import struct


def E(text):
    """The reply ERR `text`; spaces stay spaces."""
    return f"-ERR {text}".replace(" ", "\0")


def A(command):
    """The server's own error of arity; the name in the case it was registered in."""
    return f"~(?i)-ERR\0wrong\0number\0of\0arguments\0for\0'{command}'\0command"


def fp32(*values):
    return struct.pack(f"<{len(values)}f", *values)


WRONGTYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value".replace(" ", "\0")
SPECIFICATION = E("invalid vector specification")
DIMENSION = E("Vector dimension mismatch - got 3 but set has 2")
TRUE, FALSE = (":1", "#t"), (":0", "#f")

# Three elements whose scores towards (1, 0) are exact: a 1, b 0.5, c 0. s is a string, k no key.
BASE = [
    'VADD v VALUES 2 1 0 a SETATTR {"year":1950}',
    "VADD v VALUES 2 0 1 b",
    'VADD v VALUES 2 -1 0 c SETATTR {"year":1952}',
    "SET s x",
]

ADD = [
    ("VADD k VALUES 2 1 0 a", *TRUE),
    ("VADD k VALUES 2 0 1 a", *FALSE),
    ("VEMB k a", "*2 $1 0 $1 1", "*2 ,0 ,1"),
    (["VADD", "k", "FP32", fp32(3, 4), "b"], *TRUE),
    ("VEMB k b", "*2 $1 3 $1 4", "*2 ,3 ,4"),
    ("vadd k values 2 0.5 -2e-1 c cas q8 ef 10 m 16 setattr {}", *TRUE),
    ("VGETATTR k c", "$2 {}"),
    ("VADD k VALUES 2 1 1 c", *FALSE),
    ("VGETATTR k c", "$2 {}"),
    (["VADD", "k", "VALUES", "2", "1", "1", "c", "SETATTR", ""], *FALSE),
    ("VGETATTR k c", "$-1", "_"),
    ("VADD k VALUES 2 1 1 c SETATTR no-json", *FALSE),
    ("VGETATTR k c", "$7 no-json"),
    (["VADD", "k", "VALUES", "2", "1", "2", b"\x00\r\n\xff"], *TRUE),
    (["VISMEMBER", "k", b"\x00\r\n\xff"], *TRUE),
    (["VADD", "k", "VALUES", "2", "1", "2", ""], *TRUE),
    (["VISMEMBER", "k", ""], *TRUE),
    ("VCARD k", ":5"),
    ("TYPE k", "+vectorset"),
    ("VADD n VALUES 2 1 0 a NOQUANT M 8 EF 1000000", *TRUE),
    ("VADD n VALUES 2 1 0 b NOQUANT M 8", *TRUE),
    ("VADD n VALUES 2 1 0 c", *TRUE),  # what is not said is as it is stored
    ("VADD one VALUES 1 -7 a", *TRUE),
    ("VEMB one a", "*1 $2 -7", "*1 ,-7"),
    (["VADD", "wide", "FP32", fp32(*([1.0] * 65536)), "a"], *TRUE),
    ("VDIM wide", ":65536"),
    ("VADD m VALUES 2 1 0 a M 64", *TRUE),
    ("VADD m4 VALUES 2 1 0 a M 4 EF 1", *TRUE),
]

# In the order in which they are looked for: a command with two faults gets the first.
ADD_ERRORS = [
    ("VADD", A("vadd")),
    ("VADD v", A("vadd")),
    ("VADD v VALUES 2 1", SPECIFICATION),
    (["VADD", "v", "FP32", fp32(1, 0)], A("vadd")),
    ("VADD v VALUES 2 x 1 e", SPECIFICATION),
    ("VADD v VALUES 2 1 0x e", SPECIFICATION),
    ("VADD v VALUES 3 1 0 e", SPECIFICATION),
    ("VADD v VALUES 0 1 0 e", SPECIFICATION),
    ("VADD v VALUES -2 1 0 e", SPECIFICATION),
    ("VADD v VALUES 65537 1 0 e", SPECIFICATION),
    ("VADD v VALUES 99999999999999999999 1 0 e", SPECIFICATION),
    ("VADD v VALUES two 1 0 e", SPECIFICATION),
    ("VADD v FP16 aaaa e", SPECIFICATION),
    (["VADD", "v", "FP32", b"", "e"], SPECIFICATION),
    (["VADD", "v", "FP32", b"abc", "e"], SPECIFICATION),
    (["VADD", "v", "FP32", b"abcde", "e"], SPECIFICATION),
    (["VADD", "v", "FP32", fp32(*([1.0] * 65537)), "e"], SPECIFICATION),
    ("VADD s VALUES 2 x 1 e EF 0", SPECIFICATION),
    ("VADD v VALUES 2 1 0", A("vadd")),
    ("VADD v VALUES 2 1 0 e EF 0", E("invalid EF")),
    ("VADD v VALUES 2 1 0 e EF 1000001", E("invalid EF")),
    ("VADD v VALUES 2 1 0 e EF x", E("invalid EF")),
    ("VADD v VALUES 2 1 0 e M 3", E("invalid M")),
    ("VADD v VALUES 2 1 0 e M 4097", E("invalid M")),
    ("VADD v VALUES 2 1 0 e M x", E("invalid M")),
    ("VADD v VALUES 2 1 0 e M 65", r"~-ERR\0.*M.*64.*"),
    ("VADD v VALUES 2 1 0 e NAN", E("invalid option after element")),
    ("VADD v VALUES 2 1 0 e EF", E("invalid option after element")),
    ("VADD v VALUES 2 1 0 e SETATTR", E("invalid option after element")),
    ("VADD v VALUES 2 1 0 e CAS CAS2", E("invalid option after element")),
    ("VADD s VALUES 2 1 0 e EF 0", E("invalid EF")),
    ("VADD s VALUES 2 1 0 e M 3", E("invalid M")),
    ("VADD s VALUES 2 1 0 e WHAT", E("invalid option after element")),
    ("VADD s VALUES 2 1 0 e", WRONGTYPE),
    ("VADD s VALUES 3 1 0 0 e NOQUANT M 8", WRONGTYPE),
    ("VADD v VALUES 2 1 0 e NOQUANT", E("asked quantization mismatch with existing vector set")),
    ("VADD v VALUES 3 1 0 0 e NOQUANT M 8", E("asked quantization mismatch with existing vector set")),
    ("VADD v VALUES 2 1 0 e M 8", E("asked M value mismatch with existing vector set")),
    ("VADD v VALUES 3 1 0 0 e M 8", E("asked M value mismatch with existing vector set")),
    ("VADD v VALUES 3 1 0 0 e", DIMENSION),
    ("VADD v VALUES 3 1 0 0 e Q8 M 16", DIMENSION),
    # What Redis 8 takes and this module does not.
    ("VADD k VALUES 2 1 0 e BIN", r"~-ERR\0.*BIN.*not\0supported.*"),
    ("VADD k REDUCE 1 VALUES 2 1 0 e", r"~-ERR\0.*REDUCE.*not\0supported.*"),
    ("VADD v REDUCE 1 VALUES 2 1 0 e", r"~-ERR\0.*"),
    ("VADD v VALUES 2 nan 1 e", "~-ERR\0.*"),
    ("VADD v VALUES 2 inf 1 e", "~-ERR\0.*"),
    (["VADD", "v", "FP32", fp32(float("nan"), 1), "e"], "~-ERR\0.*"),
    ("VADD v VALUES 2 0 0 e", "~-ERR\0.*"),
    ("VADD k VALUES 2 0 0 e", "~-ERR\0.*"),
    ("EXISTS k", ":0"),  # a refused VADD leaves no empty key behind
    ("VCARD v", ":3"),
    ("VISMEMBER v e", *FALSE),
]

FULL2 = '*9 $1 a $1 1 $13 {"year":1950} $1 b $3 0.5 $-1 $1 c $1 0 $13 {"year":1952}'
FULL3 = '%3 $1 a *2 ,1 $13 {"year":1950} $1 b *2 ,0.5 _ $1 c *2 ,0 $13 {"year":1952}'
NAMES = "*3 $1 a $1 b $1 c"

SIMILAR = [
    ("VSIM v VALUES 2 1 0", NAMES),
    ("VSIM v VALUES 2 5 0", NAMES),
    (["VSIM", "v", "FP32", fp32(-2, 0)], "*3 $1 c $1 b $1 a"),
    ("VSIM v ELE a", NAMES),
    ("vsim v ele c", "*3 $1 c $1 b $1 a"),
    ("VSIM v ELE a WITHSCORES", "*6 $1 a $1 1 $1 b $3 0.5 $1 c $1 0", "%3 $1 a ,1 $1 b ,0.5 $1 c ,0"),
    (
        "VSIM v ELE a WITHATTRIBS",
        '*6 $1 a $13 {"year":1950} $1 b $-1 $1 c $13 {"year":1952}',
        '%3 $1 a $13 {"year":1950} $1 b _ $1 c $13 {"year":1952}',
    ),
    ("VSIM v ELE a WITHSCORES WITHATTRIBS", FULL2, FULL3),
    ("VSIM v ELE a withattribs withscores truth nothread", FULL2, FULL3),
    ("VSIM v ELE a COUNT 2", "*2 $1 a $1 b"),
    ("VSIM v ELE a COUNT 1 WITHSCORES", "*2 $1 a $1 1", "%1 $1 a ,1"),
    ("VSIM v ELE a COUNT 1000000", NAMES),
    ("VSIM v ELE a EF 1", NAMES),
    ("VSIM v ELE a EF 1000000", NAMES),
    ("VSIM v ELE a EF 100001 TRUTH", NAMES),
    ("VSIM v ELE a EPSILON 0.5", "*2 $1 a $1 b"),
    ("VSIM v ELE a EPSILON 0.25", "*1 $1 a"),
    ("VSIM v ELE a EPSILON 1", NAMES),
    ("VSIM v ELE b EPSILON 0.1 WITHSCORES", "*2 $1 b $1 1", "%1 $1 b ,1"),
    ("VSIM v ELE a TRUTH COUNT 2", "*2 $1 a $1 b"),
    ("VSIM v ELE a NOTHREAD COUNT 2", "*2 $1 a $1 b"),
    ("VSIM v ELE a COUNT 1 COUNT 2", "*2 $1 a $1 b"),
    (["VSIM", "v", "ELE", "a", "FILTER", ".year > 1950"], "*1 $1 c"),
    (["VSIM", "v", "ELE", "a", "FILTER", ".year>1950", "WITHSCORES"], "*2 $1 c $1 0", "%1 $1 c ,0"),
    (["VSIM", "v", "ELE", "a", "FILTER", ".year in [1950,1952]"], "*2 $1 a $1 c"),
    (["VSIM", "v", "ELE", "a", "FILTER", ".year == 1"], "*0"),
    (["VSIM", "v", "ELE", "a", "FILTER", ".year == 1", "WITHSCORES"], "*0", "%0"),
    (["VSIM", "v", "ELE", "a", "FILTER", ".year", "FILTER-EF", "7", "TRUTH"], "*2 $1 a $1 c"),
    (["VSIM", "v", "ELE", "a", "FILTER", "1", "COUNT", "5"], "*2 $1 a $1 c"),  # b has no attributes
    # No key: empty, whatever else is wrong.
    ("VSIM k ELE a", "*0"),
    ("VSIM k ELE a WITHSCORES WITHATTRIBS", "*0"),
    ("VSIM k VALUES 2 x y COUNT none", "*0"),
    ("VSIM k NONE x", "*0"),
]

SIMILAR_ERRORS = [
    ("VSIM", A("vsim")),
    ("VSIM v", A("vsim")),
    ("VSIM v ELE", A("vsim")),
    ("VSIM s ELE a", WRONGTYPE),
    ("VSIM s ELE a COUNT x", WRONGTYPE),
    ("VSIM v ELE z", E("element not found in set")),
    ("VSIM v ELE z COUNT x", E("element not found in set")),
    ("VSIM v VALUES 2 1", SPECIFICATION),
    ("VSIM v VALUES 2 1 x", SPECIFICATION),
    ("VSIM v VALUES x 1 0", SPECIFICATION),
    ("VSIM v VALUES 0 1", SPECIFICATION),
    ("VSIM v VALUES 65537 1", SPECIFICATION),
    ("VSIM v FP16 aaaa", SPECIFICATION),
    ("VSIM v FP32 abc", SPECIFICATION),
    ("VSIM v VALUES 2 1 x COUNT x", SPECIFICATION),
    ("VSIM v VALUES 3 1 0 0", DIMENSION),
    ("VSIM v VALUES 3 1 0 0 COUNT x", DIMENSION),
    (["VSIM", "v", "FP32", fp32(1, 0, 0)], DIMENSION),
    ("VSIM v VALUES 2 nan 0", "~-ERR\0.*"),
    ("VSIM v ELE a COUNT x", E("invalid COUNT")),
    ("VSIM v ELE a COUNT 0", E("invalid COUNT")),
    ("VSIM v ELE a COUNT -1", E("invalid COUNT")),
    ("VSIM v ELE a EPSILON x", E("invalid EPSILON")),
    ("VSIM v ELE a EPSILON 0", E("invalid EPSILON")),
    ("VSIM v ELE a EPSILON -0.5", E("invalid EPSILON")),
    ("VSIM v ELE a EPSILON nan", E("invalid EPSILON")),
    ("VSIM v ELE a EF x", E("invalid EF")),
    ("VSIM v ELE a EF 0", E("invalid EF")),
    ("VSIM v ELE a EF 1000001", E("invalid EF")),
    ("VSIM v ELE a FILTER-EF x", E("invalid FILTER-EF")),
    ("VSIM v ELE a FILTER-EF 0", E("invalid FILTER-EF")),
    ("VSIM v ELE a FILTER-EF -1", E("invalid FILTER-EF")),
    (["VSIM", "v", "ELE", "a", "FILTER", ".year >> 5"], E("syntax error in FILTER expression near: > 5")),
    (["VSIM", "v", "ELE", "a", "FILTER", ""], E("syntax error in FILTER expression near: ")),
    (
        ["VSIM", "v", "ELE", "a", "FILTER", ".a @\r\n+OK"],
        E("syntax error in FILTER expression near: @  +OK"),
    ),
    (["VSIM", "v", "ELE", "a", "FILTER", "(" * 9000], r"~-ERR\0syntax\0error\0in\0FILTER.*depth.*"),
    ("VSIM v ELE a FILTER", E("syntax error in VSIM command")),
    ("VSIM v ELE a COUNT", E("syntax error in VSIM command")),
    ("VSIM v ELE a WHAT", E("syntax error in VSIM command")),
    ("VSIM v ELE a COUNT x WHAT", E("invalid COUNT")),
    ("VSIM v ELE a WHAT COUNT x", E("syntax error in VSIM command")),
    ("PING", "+PONG"),
]

REMOVE = [
    ("VREM v b", *TRUE),
    ("VREM v b", *FALSE),
    ("VCARD v", ":2"),
    ("VSIM v ELE a", "*2 $1 a $1 c"),
    ("VADD v VALUES 2 0 1 b", *TRUE),
    ("VGETATTR v b", "$-1", "_"),
    ("VREM v a", *TRUE),
    ("VADD v VALUES 2 1 0 a", *TRUE),
    ("VGETATTR v a", "$-1", "_"),  # gone with the element
    ("VREM v a", *TRUE),
    ("VREM v b", *TRUE),
    ("VREM v c", *TRUE),
    ("EXISTS v", ":0"),
    ("VREM v c", *FALSE),
    ("VREM k a", *FALSE),
    ("VREM", A("vrem")),
    ("VREM v", A("vrem")),
    ("VREM v a b", A("vrem")),
    ("VREM s a", WRONGTYPE),
]

READ = [
    ("VCARD v", ":3"),
    ("VCARD k", ":0"),
    ("VCARD s", WRONGTYPE),
    ("VCARD", A("vcard")),
    ("VCARD v v", A("vcard")),
    ("VDIM v", ":2"),
    ("VDIM k", E("key does not exist")),
    ("VDIM s", WRONGTYPE),
    ("VDIM", A("vdim")),
    ("VDIM v v", A("vdim")),
    ("VEMB v a", "*2 $1 1 $1 0", "*2 ,1 ,0"),
    ("VEMB v c", "*2 $2 -1 $1 0", "*2 ,-1 ,0"),
    ("VEMB k a", "$-1", "_"),
    ("VEMB v z", "$-1", "_"),
    ("VEMB v a WHAT", E("invalid option")),
    ("VEMB s a", WRONGTYPE),
    ("VEMB", A("vemb")),
    ("VEMB v", A("vemb")),
    ("VEMB v a RAW RAW", A("vemb")),
    ("VADD f VALUES 2 1 0 a NOQUANT", *TRUE),
    (
        ["VEMB", "f", "a", "RAW"],
        ["*3 +f32 $8 ", fp32(1, 0), " $1 1"],
        ["*3 +f32 $8 ", fp32(1, 0), " ,1"],
    ),
    ("VEMB f z RAW", "$-1", "_"),
    ("VISMEMBER v a", *TRUE),
    ("VISMEMBER v z", *FALSE),
    ("VISMEMBER k a", *FALSE),
    ("VISMEMBER s a", WRONGTYPE),
    ("VISMEMBER v", A("vismember")),
    ("VISMEMBER v a b", A("vismember")),
    (
        "VINFO v",
        "~\\*18 \\+quant-type \\+int8 \\+hnsw-m :16 \\+vector-dim :2 \\+projection-input-dim :0 \\+size :3 "
        "\\+max-level :\\d+ \\+attributes-count :2 \\+vset-uid :\\d+ \\+hnsw-max-node-uid :\\d+",
        "~%9 \\+quant-type \\+int8 \\+hnsw-m :16 \\+vector-dim :2 \\+projection-input-dim :0 \\+size :3 "
        "\\+max-level :\\d+ \\+attributes-count :2 \\+vset-uid :\\d+ \\+hnsw-max-node-uid :\\d+",
    ),
    ("VINFO f", "~.*\\+quant-type \\+f32 .* \\+attributes-count :0 .*"),
    ("VINFO k", "*-1", "_"),
    ("VINFO s", WRONGTYPE),
    ("VINFO", A("vinfo")),
    ("VINFO v v", A("vinfo")),
    ("VLINKS v a", r"~\*\d+( \*\d+( \$1 [bc])*)+"),
    ("VLINKS v a WITHSCORES", r"~\*\d+( \*\d+( \$1 [bc] \$\d+ \S+)*)+", r"~\*\d+( %\d+( \$1 [bc] ,\S+)*)+"),
    ("VLINKS v z", "$-1", "_"),
    ("VLINKS k a", "$-1", "_"),
    ("VLINKS s a", WRONGTYPE),
    ("VLINKS v", A("vlinks")),
    ("VLINKS v a WHAT", A("vlinks")),
    ("VLINKS v a WITHSCORES WITHSCORES", A("vlinks")),
]

ATTRIBUTES = [
    ("VGETATTR v a", '$13 {"year":1950}'),
    ("VGETATTR v b", "$-1", "_"),
    ("VGETATTR v z", "$-1", "_"),
    ("VGETATTR k a", "$-1", "_"),
    ("VGETATTR s a", WRONGTYPE),
    ("VGETATTR v", A("vgetattr")),
    ("VGETATTR v a b", A("vgetattr")),
    ("VSETATTR v b {}", *TRUE),
    ("VGETATTR v b", "$2 {}"),
    (["VSETATTR", "v", "b", b"\r\n\x00not json"], *TRUE),
    (["VGETATTR", "v", "b"], ["$11 ", b"\r\n\x00not json"]),
    (["VSETATTR", "v", "b", ""], *TRUE),
    ("VGETATTR v b", "$-1", "_"),
    (["VSETATTR", "v", "b", ""], *TRUE),
    ("VSETATTR v z {}", *FALSE),
    ("VSETATTR k a {}", *FALSE),
    ("EXISTS k", ":0"),
    ("VSETATTR s a {}", WRONGTYPE),
    ("VSETATTR v a", A("vsetattr")),
    ("VSETATTR v a {} {}", A("vsetattr")),
    ("VINFO v", "~.*\\+attributes-count :2 .*"),
    ('VSETATTR v b {"year":1951}', *TRUE),
    (["VSIM", "v", "ELE", "a", "FILTER", ".year>1950"], "*2 $1 b $1 c"),
]

RANDOM = [
    ("VRANDMEMBER v", r"~\$1 [abc]"),
    ("VRANDMEMBER v 1", r"~\*1 \$1 [abc]"),
    ("VRANDMEMBER v 2", r"~\*2 \$1 ([abc]) \$1 (?!\1)[abc]"),
    ("VRANDMEMBER v 3", r"~\*3 \$1 ([abc]) \$1 (?!\1)([abc]) \$1 (?!\1|\2)[abc]"),
    ("VRANDMEMBER v 100", r"~\*3 \$1 ([abc]) \$1 (?!\1)([abc]) \$1 (?!\1|\2)[abc]"),
    ("VRANDMEMBER v 4611686018427387904", r"~\*3 \$1 ([abc]) \$1 (?!\1)([abc]) \$1 (?!\1|\2)[abc]"),
    ("VRANDMEMBER v 9223372036854775807", r"~\*3 \$1 ([abc]) \$1 (?!\1)([abc]) \$1 (?!\1|\2)[abc]"),
    ("VRANDMEMBER v -7", r"~\*7( \$1 [abc]){7}"),
    ("VRANDMEMBER v 0", "*0"),
    ("VRANDMEMBER k", "$-1", "_"),
    ("VRANDMEMBER k 3", "*0"),
    ("VRANDMEMBER k -3", "*0"),
    ("VRANDMEMBER v x", E("COUNT value is not an integer")),
    ("VRANDMEMBER v 1.5", E("COUNT value is not an integer")),
    ("VRANDMEMBER v 99999999999999999999", E("COUNT value is not an integer")),
    ("VRANDMEMBER s", WRONGTYPE),
    ("VRANDMEMBER", A("vrandmember")),
    ("VRANDMEMBER v 1 1", A("vrandmember")),
]

RANGE = [
    ("VADD v VALUES 2 1 1 aa", *TRUE),
    (["VADD", "v", "VALUES", "2", "1", "1", b"b\xff"], *TRUE),
    ("VRANGE v - +", ["*5 $1 a $2 aa $1 b $2 b", b"\xff", " $1 c"]),
    ("VRANGE v - + 2", "*2 $1 a $2 aa"),
    ("VRANGE v - + 0", "*0"),
    ("VRANGE v - + -1", ["*5 $1 a $2 aa $1 b $2 b", b"\xff", " $1 c"]),
    ("VRANGE v [aa [b", "*2 $2 aa $1 b"),
    ("VRANGE v (a (b", "*1 $2 aa"),
    ("VRANGE v (aa + 1", "*1 $1 b"),
    ("VRANGE v [ab [az", "*0"),
    ("VRANGE v [c [a", "*0"),
    ("VRANGE v [ +", ["*5 $1 a $2 aa $1 b $2 b", b"\xff", " $1 c"]),
    ("VRANGE k - +", "*0"),
    ("VRANGE v a +", E("invalid start range format")),
    ("VRANGE v - c", E("invalid end range format")),
    ("VRANGE v a c", E("invalid start range format")),
    ("VRANGE v + -", E("'-' can only be used as first argument, '+' only as second")),
    ("VRANGE v - -", E("'-' can only be used as first argument, '+' only as second")),
    ("VRANGE v + +", E("'-' can only be used as first argument, '+' only as second")),
    ("VRANGE v - + x", E("invalid COUNT value")),
    ("VRANGE s - +", WRONGTYPE),
    ("VRANGE v -", A("vrange")),
    ("VRANGE v - + 1 1", A("vrange")),
]

# Where a client may not be blocked, searches run in place.
IN_PLACE = [
    ("MULTI", "+OK"),
    ("VADD v VALUES 2 -1 0.5 d CAS", "+QUEUED"),
    ("VSIM v ELE a COUNT 2 WITHSCORES", "+QUEUED"),
    ("VREM v d", "+QUEUED"),
    ("VSIM v ELE z", "+QUEUED"),
    (
        "EXEC",
        "*4 :1 *4 $1 a $1 1 $1 b $3 0.5 :1 " + E("element not found in set"),
        "*4 #t %2 $1 a ,1 $1 b ,0.5 #t " + E("element not found in set"),
    ),
    (["EVAL", "return redis.call('VSIM', KEYS[1], 'ELE', 'a', 'COUNT', 2)", "1", "v"], "*2 $1 a $1 b"),
    (["EVAL", "return redis.call('VADD', KEYS[1], 'VALUES', 2, 1, 0, 'e')", "1", "v"], ":1"),
    (["EVAL", "return redis.pcall('VSIM', KEYS[1], 'ELE', 'z')['err']", "1", "v"], r"~\$\d+ ERR\0element\0not\0found\0in\0set"),
    ("VCARD v", ":4"),
]

STATS_MAP = r"\+live :3 \+tombstones :\d+ .*\+dimension :2 \+metric \+cosine \+quantization \+int8 \+m :16 .*"

# The module's own commands.
EXTENSIONS = [
    (["VICINAL.MADD", "v", "FP32", "2", fp32(1, 1, 0, 2), "d", "b"], ":1"),
    ("VEMB v b", "*2 $1 0 $1 2", "*2 ,0 ,2"),
    ("VGETATTR v a", '$13 {"year":1950}'),
    (["VICINAL.MADD", "new", "FP32", "3", fp32(1, 2, 3), "a", "b", "c"], ":3"),
    ("VDIM new", ":1"),
    (["VICINAL.MADD", "new", "FP32", "2", fp32(4, 5), "z", "z"], ":1"),  # the last one stays
    ("VEMB new z", "*1 $1 5", "*1 ,5"),
    # All or nothing.
    (["VICINAL.MADD", "v", "FP32", "2", fp32(1, 1, 0, 0), "e", "f"], r"~-ERR\0.*"),
    (["VICINAL.MADD", "v", "FP32", "2", fp32(1, 1, 1, float("inf")), "e", "f"], r"~-ERR\0.*"),
    ("VISMEMBER v e", *FALSE),
    (["VICINAL.MADD", "k", "FP32", "1", fp32(0, 0), "a"], r"~-ERR\0.*"),
    ("EXISTS k", ":0"),
    (["VICINAL.MADD", "v", "FP32", "2", fp32(1, 1, 1, 0, 1, 1), "e", "f"], DIMENSION),
    (["VICINAL.MADD", "v", "FP32", "2", fp32(1, 1, 1), "e", "f"], SPECIFICATION),
    (["VICINAL.MADD", "v", "FP32", "2", "", "e", "f"], SPECIFICATION),
    (["VICINAL.MADD", "v", "FP32", "0", fp32(1, 1), "e"], SPECIFICATION),
    (["VICINAL.MADD", "v", "FP32", "2", fp32(1, 1, 1, 1), "e"], A("vicinal.madd")),
    (["VICINAL.MADD", "v", "VALUES", "1", fp32(1, 1), "e"], SPECIFICATION),
    (["VICINAL.MADD", "s", "FP32", "1", fp32(1, 1), "e"], WRONGTYPE),
    ("VICINAL.MADD v", A("vicinal.madd")),
    ("VREM v d", *TRUE),
    # Sets of other metrics: a score is 1 - the distance.
    ("VICINAL.CREATE l DIM 2 METRIC L2 M 8 EF 50 NOQUANT", "+OK"),
    ("VICINAL.CREATE l DIM 2", "-BUSYKEY\0Target\0key\0name\0already\0exists."),
    ("VICINAL.CREATE s DIM 2", ("-BUSYKEY\0Target\0key\0name\0already\0exists.", WRONGTYPE)),
    ("VCARD l", ":0"),
    ("VDIM l", ":2"),
    ("TYPE l", "+vectorset"),
    ("VSIM l VALUES 2 1 0 WITHSCORES", "*0", "%0"),
    ("VSIM l ELE a", E("element not found in set")),
    ("VRANDMEMBER l", "$-1", "_"),
    ("VRANDMEMBER l 2", "*0"),
    ("VRANGE l - +", "*0"),
    ("VREM l a", *FALSE),
    ("VADD l VALUES 2 0 0 zero", *TRUE),
    ("VADD l VALUES 2 3 0 three NOQUANT M 8", *TRUE),
    ("VADD l VALUES 2 1 0 one Q8", E("asked quantization mismatch with existing vector set")),
    ("VSIM l VALUES 2 1 0 WITHSCORES", "*4 $4 zero $1 0 $5 three $2 -3", "%2 $4 zero ,0 $5 three ,-3"),
    ("VICINAL.CREATE i DIM 2 METRIC ip", "+OK"),
    ("VADD i VALUES 2 3 0 three", *TRUE),
    ("VADD i VALUES 2 0.5 0 half", *TRUE),
    ("VSIM i VALUES 2 1 0 WITHSCORES", "*4 $5 three $1 3 $4 half $3 0.5", "%2 $5 three ,3 $4 half ,0.5"),
    ("VICINAL.CREATE k", A("vicinal.create")),
    ("VICINAL.CREATE k DIM", A("vicinal.create")),
    ("VICINAL.CREATE k DIM 0", E("invalid DIM")),
    ("VICINAL.CREATE k DIM 65537", E("invalid DIM")),
    ("VICINAL.CREATE k DIMS 2", E("syntax error in VICINAL.CREATE command")),
    ("VICINAL.CREATE k DIM 2 METRIC", E("syntax error in VICINAL.CREATE command")),
    ("VICINAL.CREATE k DIM 2 METRIC hamming", r"~-ERR\0invalid\0METRIC.*"),
    ("VICINAL.CREATE k DIM 2 BIN", r"~-ERR\0.*BIN.*not\0supported.*"),
    ("VICINAL.CREATE k DIM 2 M 3", E("invalid M")),
    ("EXISTS k", ":0"),
    # For who runs the server.
    ("VICINAL.STATS v", r"~\*48 " + STATS_MAP, "~%24 " + STATS_MAP),
    ("VICINAL.VALIDATE v", r"~\*24 \+problems :0 \+live :3 .*\+messages \*0", r"~%12 \+problems :0 \+live :3 .*\+messages \*0"),
    ("VICINAL.RECALL v", "$1 1", ",1"),
    ("VICINAL.RECALL v COUNT 2 SAMPLES 3 EF 10", "$1 1", ",1"),
    ("VICINAL.RECALL v COUNT 0", E("invalid COUNT")),
    ("VICINAL.RECALL v SAMPLES x", E("invalid SAMPLES")),
    ("VICINAL.RECALL v EF 100001", E("invalid EF")),
    ("VICINAL.RECALL v EF", E("syntax error in VICINAL.RECALL command")),
    ("VICINAL.RECALL v WHAT 1", E("syntax error in VICINAL.RECALL command")),
    ("VICINAL.REPAIR v", r"~\*8( \+[a-z]+ :\d+){4}", r"~%4( \+[a-z]+ :\d+){4}"),
    ("VICINAL.REBUILD v", "+OK"),
    ("VSIM v ELE a", NAMES),
] + [
    case
    for name in ("STATS", "VALIDATE", "RECALL", "REPAIR", "REBUILD")
    for case in (
        (f"VICINAL.{name}", A(f"vicinal.{name}")),
        (f"VICINAL.{name} k", E("key does not exist")),
        (f"VICINAL.{name} s", WRONGTYPE),
    )
]

# (title, setup, cases)
SECTIONS = [
    ("VADD", ["SET s x"], ADD),
    ("VADD errors", BASE, ADD_ERRORS),
    ("VSIM", BASE, SIMILAR),
    ("VSIM errors", BASE, SIMILAR_ERRORS),
    ("VREM", BASE, REMOVE),
    ("VCARD VDIM VEMB VISMEMBER VINFO VLINKS", BASE, READ),
    ("VSETATTR VGETATTR", BASE, ATTRIBUTES),
    ("VRANDMEMBER", BASE, RANDOM),
    ("VRANGE", BASE, RANGE),
    ("MULTI and Lua", BASE, IN_PLACE),
    ("VICINAL.*", BASE, EXTENSIONS),
]
