from typing import Any

# Both answer None where the vector must be converted first.
def search(
    index: int,
    query: Any,
    ef_search: int,
    exact: bool,
    label_set: int,
    labels: Any,
    distances: Any,
    /,
) -> Any: ...
def upsert(index: int, label: int, vector: Any, /) -> Any: ...

# The library's callbacks, by address.
on_label: int
on_struct: int
on_text: int
on_vector: int
on_bytes: int
on_room: int
on_event: int
on_release: int

class Lender:
    def lend(self, callable: Any, /) -> int: ...
    def take_error(self) -> Any: ...
    def end_at_exit(self) -> None: ...

def set_exit_error(error: BaseException, /) -> None: ...
def set_event_functions(tell: Any, forget: Any, /) -> None: ...

class Handle:
    def __init__(self, free: int, keeps: Any = None) -> None: ...
    @property
    def address(self) -> Any: ...
    @property
    def place(self) -> int: ...
    def free(self) -> None: ...
