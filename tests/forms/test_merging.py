"""Edits made at the same time: neither is lost where they are of different fields."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tui.forms.merging import merged

BASE = {"name": "a", "runner": {"mem": 1, "time": "10", "lines": ["x"]}, "host": "h"}

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_changes_of_different_fields_are_all_kept() -> None:
    mine = {**BASE, "runner": {**BASE["runner"], "mem": 2}, "new": 1}  # type: ignore[dict-item]
    theirs = {"host": "g", "runner": {"mem": 1, "time": "33", "lines": ["x"], "gres": "gpu"}, "name": "a"}
    document, clashes = merged(BASE, mine, theirs)
    runner = {"mem": 2, "time": "33", "lines": ["x"], "gres": "gpu"}
    assert document == {"host": "g", "runner": runner, "name": "a", "new": 1}
    assert clashes == []
    assert list(document) == ["host", "runner", "name", "new"]


def test_what_both_have_changed_stays_mine_and_is_named() -> None:
    mine = {"name": "mine", "runner": {"mem": 1, "time": "10", "lines": ["x", "y"]}, "host": "h"}
    theirs = {"name": "theirs", "runner": {"mem": 1, "time": "10", "lines": ["z"]}}
    document, clashes = merged(BASE, mine, theirs)
    assert document == {"name": "mine", "runner": {"mem": 1, "time": "10", "lines": ["x", "y"]}}
    assert clashes == ["name", "runner.lines"]


def test_a_field_that_one_has_removed_and_the_other_changed_clashes() -> None:
    assert merged(BASE, {"name": "a", "runner": BASE["runner"]}, {**BASE, "host": "g"}) == (
        {"name": "a", "runner": BASE["runner"]},
        ["host"],
    )
    assert merged({"a": 1}, {"a": True}, {"a": 1})[0]["a"] is True


@given(DOCUMENTS, DOCUMENTS)
def test_where_one_has_changed_nothing_the_other_counts(base: Any, other: Any) -> None:
    assert merged(base, other, base) == (other, [])
    assert merged(base, base, other) == (other, [])
    assert merged(base, other, other) == (other, [])
