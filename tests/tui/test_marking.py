"""Errors as lines in a JSON text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.verbs.marking import lines_of, marked, repeated, unmarked

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
# With dots in keys, or nothing, dotted paths can be those of several fields.
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="."), min_size=1, max_size=6)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def fields(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """All that is in a document, by its path."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(each for key, part in inner for each in fields(part, (*path, str(key))))]


@given(DOCUMENTS, st.sampled_from([None, 2]))
def test_each_field_is_found_and_marks_come_out_again(document: Any, indent: int | None) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False) + "\n"
    found = lines_of(text)
    assert set(found) == {".".join(path) for path in fields(document)}
    assert repeated(text) == []
    lines = text.split("\n")
    for path in fields(document):
        line = lines[found[".".join(path)]]
        assert (
            not path or not indent or path[-1].isdecimal() or json.dumps(path[-1], ensure_ascii=False) in line
        )
    with_marks = marked(text, ["head\nof it"], [(".".join(path), "is\nwrong") for path in fields(document)])
    assert unmarked(with_marks) == text
    assert with_marks.count("# ^ ") == len(fields(document))


@pytest.mark.parametrize("text", ["", "{", "{\n", '{"a":\n\n', "\x00", '{"a": 1}\n}', "[1,]"])
def test_what_is_no_json_is_marked_where_reading_failed(text: str) -> None:
    shown = marked(text, ["head"], [])
    assert shown.startswith("# head\n")
    assert shown.count("# ^ ") == 1
    assert unmarked(shown).rstrip("\n") == text.rstrip("\n")


def test_what_is_missing_is_told_at_the_group_it_would_be_in() -> None:
    text = '{\n  "a": {\n    "b": 1\n  }\n}\n'
    faults = [("a.c", "is missing"), ("d.e", "is missing"), ("", "must have one of a and d")]
    assert marked(text, [], faults).splitlines() == [
        "{",
        "# ^ d.e is missing",
        "# ^ it must have one of a and d",
        '  "a": {',
        "  # ^ a.c is missing",
        '    "b": 1',
        "  }",
        "}",
    ]


def test_keys_that_are_there_twice() -> None:
    assert repeated('{"a": {"b": 1, "b": {"b": 2}}, "a.b": 3, "c": [1, 1, {"d": 1, "d": 1}]}') == [
        "a.b",
        "c.2.d",
    ]
