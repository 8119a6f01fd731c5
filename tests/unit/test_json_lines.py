"""Where parts of a document stand in its text."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.json_lines import line_of

DOCUMENTS = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def parts(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in items:
        yield from parts(value, (*path, key))


@given(DOCUMENTS)
def test_every_part_is_found_where_it_is_written(document: Any) -> None:
    lines = json.dumps(document, indent=2).splitlines()
    found = [line_of(document, path) for path in parts(document)]
    # In the order of the text each part begins on a line of its own, and ends are on none of these.
    ends = [number for number, line in enumerate(lines) if line.strip() in ("]", "],", "}", "},")]
    assert sorted(found + ends) == list(range(len(lines)))
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("path", "line"), [((), 0), (("a",), 1), (("b", 1), 4), (("b", 7), 2), (("b", "c"), 2), (("x", "b"), 0)]
)
def test_what_is_not_there_is_looked_for_where_it_would_be(path: tuple[object, ...], line: int) -> None:
    assert line_of({"a": {}, "b": [1, {"c": None}]}, path) == line
