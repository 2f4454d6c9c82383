"""The exceptions, one a status code of the library, and how a status becomes one."""


class Error(Exception):
    """What the library refuses or fails at; the text has the words and the numbers.

    Each subclass is one action for the caller. `code` is the number of the C ABI's status.
    """

    code = 0


class InvalidArgument(Error, ValueError):
    """The call is wrong: correct it."""

    code = 1


class NotFound(Error, LookupError):
    """No such label, index or file."""

    code = 2


class Full(Error):
    """A limit (disk, map, node ids) is reached: free space or raise it."""

    code = 3


class Busy(Error):
    """Somebody else holds it (a process, a rebuild): try later."""

    code = 4


class IoError(Error):
    """The system refused a read or a write; memory is unchanged."""

    code = 5


class Corruption(Error):
    """Stored bytes are not what was written: restore or salvage."""

    code = 6


class FormatVersion(Error):
    """Written by another release: open with that one, or convert."""

    code = 7


class ReadOnly(Error):
    """Opened for reading: reopen for writing."""

    code = 8


class Closed(Error):
    """The store or index was closed, or belongs to the process that forked this one: reopen it."""

    code = 9


class Cancelled(Error):
    """The progress callback asked to stop by returning False."""

    code = 10


class OutOfMemory(Error, MemoryError):
    """No memory; nothing changed: free some."""

    code = 100


class Internal(Error):
    """A fault of the library's: report it."""

    code = 101


BY_CODE = {kind.code: kind for kind in Error.__subclasses__()}
