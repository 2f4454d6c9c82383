"""Enumerations of the C ABI."""

from enum import IntEnum


class Word(IntEnum):
    """A number of the C ABI whose str() is its word ("resurrected")."""

    def __str__(self) -> str:
        return self.name.lower()


class Metric(Word):
    """How nearness is measured. Smaller is nearer for all of them.

    COSINE         1 - cos(a, b), in [0, 2]; a zero vector is refused
    INNER_PRODUCT  1 - <a, b>, any finite value
    SQUARED_L2     |a - b|^2, at least 0
    L2             its word
    """

    COSINE = 0
    INNER_PRODUCT = 1
    SQUARED_L2 = 2
    L2 = 2

    def __str__(self) -> str:
        return "l2" if self == Metric.L2 else super().__str__()


class Quantization(Word):
    """What the graph is traversed over; reported distances are exact for both.

    NONE  the stored vectors
    INT8  rotated int8 codes, re-ranked from the stored vectors; int8 ones are the codes
    """

    NONE = 0
    INT8 = 1


class Storage(Word):
    """What a stored vector is made of: what get() answers, and what memory and files hold.

    FLOAT32  the components as they come
    FLOAT16  IEEE binary16, the nearest, of two the even one; what would be beyond 65,504 is refused
    INT8     scale * code, codes from -127 to 127, one scale a vector: max|x| / 127, cut to 17 bits;
             a max|x| below 1.5e-36 is refused, but for 0
    """

    FLOAT32 = 0
    FLOAT16 = 1
    INT8 = 2


class Durability(Word):
    """When an acknowledged write survives what.

    FULL     fsync before each call returns: survives a power cut
    RELAXED  survives a killed process; a power cut may lose the last
    NONE     nothing is promised before a sync or a clean close
    """

    FULL = 0
    RELAXED = 1
    NONE = 2


class UpsertOutcome(Word):
    """What an upsert found and did.

    INSERTED     the label was not there
    UPDATED      it had another vector, or was erased and had another vector
    RESURRECTED  erased before with this very vector: the tombstone was lifted
    UNCHANGED    live with this very vector: nothing was written
    """

    INSERTED = 0
    UPDATED = 1
    RESURRECTED = 2
    UNCHANGED = 3


class SearchPath(Word):
    """The path a search took.

    EMPTY           nothing live, or k = 0: no work
    GRAPH           the HNSW walk
    FILTERED_GRAPH  the HNSW walk with a filter on what enters the results
    EXACT_SCAN      every candidate was compared
    """

    EMPTY = 0
    GRAPH = 1
    FILTERED_GRAPH = 2
    EXACT_SCAN = 3


class Severity(Word):
    """How much an event matters.

    INFO     worth a line in a log
    WARNING  nothing is wrong yet, or the store has helped itself
    ERROR    something that should be done is not done: act
    """

    INFO = 0
    WARNING = 1
    ERROR = 2


class EventKind(Word):
    """What happened in a store.

    CHECKPOINT_FAILED   of the store's own thread; value: failures in a row
    REPAIR_FAILED       a slice of the store's own thread; value as above
    RECOVERED           what failed went well again; value: failures before
    DAMAGE              damage met while an index was loaded; value: records
    STALE_READER        readers of killed processes were cleared; value: count
    FILE_GROWN          the map grew; value: its bytes, limit: the most, or 0
    NEARLY_FULL         the file nears max_map_bytes; value: its bytes
    HUGE_PAGES_REFUSED  searches cost up to 1.4 times as much
    """

    CHECKPOINT_FAILED = 0
    REPAIR_FAILED = 1
    RECOVERED = 2
    DAMAGE = 3
    STALE_READER = 4
    FILE_GROWN = 5
    NEARLY_FULL = 6
    HUGE_PAGES_REFUSED = 7
