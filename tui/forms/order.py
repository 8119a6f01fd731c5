"""The order of keys in a document: that in which a person, or another program, has written them. Pure."""

from __future__ import annotations

from typing import Any


def ordered_like(document: Any, example: Any) -> Any:
    """The same document with its keys in the order of *example*.

    Keys that are not in the example stand behind the one that they follow in *document*.
    """
    if not isinstance(document, dict) or not isinstance(example, dict):
        return document
    keys = [key for key in example if key in document]
    there = set(keys)
    before: str | None = None
    for key in document:
        if key not in there:
            keys.insert(0 if before is None else keys.index(before) + 1, key)
        before = key
    return {key: ordered_like(document[key], example.get(key)) for key in keys}
