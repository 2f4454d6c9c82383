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
