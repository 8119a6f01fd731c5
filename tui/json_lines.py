"""On which line of its JSON text, as Runyard writes it, a part of a document begins. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def line_of(document: object, path: Sequence[object]) -> int:
    """The line, from 0, of what *path* leads to; of the innermost part there is, where that is not there."""
    line = 0
    for step in path:
        below = 1
        for key, value in _parts(document):
            if key == step:
                break
            below += _height(value)
        else:
            break
        line, document = line + below, value
    return line


def _parts(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _height(value: object) -> int:
    """Lines that it takes; what is empty stands on one."""
    return sum(_height(part) for _, part in _parts(value)) + (
        2 if value and isinstance(value, dict | list) else 1
    )
