from collections.abc import Callable
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tui.signs import Style
from tui.text import width_of
from tui.widgets.columns import Cell, Column, Sortable, pieces, place
from tui.widgets.table_rows import Row, TableRows, rank
from tui.widgets.viewport import Viewport

KEYS = st.sampled_from([f"k{n}" for n in range(12)])
VALUES = st.none() | st.integers(-3, 3) | st.sampled_from(["plate-4", "plate-12", "Plate-5", "9" * 5000])


class AgainstALazyPerson(RuleBasedStateMachine):
    """The rows, against someone who does everything anew after every change."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Sortable] = {}
        self.column: str | None = None
        self.reverse = False
        self.wanted: Callable[[Row], bool] | None = None
        self.rows = TableRows((Column("name", "name", None), Column("value", "value", 5, value=self.value)))

    def value(self, key: str) -> Sortable:
        return self.values[key]

    def row(self, key: str) -> Row:
        return Row(key, (key, str(self.values[key])))

    @rule(values=st.dictionaries(KEYS, VALUES))
    def replace(self, values: dict[str, Sortable]) -> None:
        self.values = values
        self.rows.replace([self.row(key) for key in values])

    @rule(values=st.dictionaries(KEYS, VALUES))
    def patch(self, values: dict[str, Sortable]) -> None:
        self.values.update(values)
        self.rows.patch([self.row(key) for key in values])

    @rule(column=st.sampled_from([None, "name", "value"]), reverse=st.booleans())
    def sort(self, column: str | None, reverse: bool) -> None:
        self.column, self.reverse = column, reverse
        self.rows.sort(column, reverse=reverse)

    @rule(least=st.none() | st.integers(-2, 3))
    def filter(self, least: int | None) -> None:
        self.wanted = None if least is None else lambda row: rank(self.values[row.key]) >= rank(least)
        self.rows.filter(self.wanted)

    @invariant()
    def as_expected(self) -> None:
        shown = [key for key in self.values if self.wanted is None or self.wanted(self.row(key))]
        if self.column is not None:
            value_of: dict[str, Sortable] = {key: key for key in shown}
            if self.column == "value":
                value_of = self.values
            last = [key for key in shown if value_of[key] is None]
            first = [key for key in shown if value_of[key] is not None]
            shown = sorted(first, key=lambda key: rank(value_of[key]), reverse=self.reverse) + last
        assert list(self.rows.order) == shown
        assert len(self.rows) == len(shown)
        assert self.rows.total == len(self.values)
        assert [self.rows.index_of(key) for key in shown] == list(range(len(shown)))
        hidden = self.values.keys() - set(shown)
        assert all(self.rows.index_of(key) is None for key in hidden)
        assert all(self.rows.row(key).look() == (key, str(self.values[key])) for key in shown)


AgainstALazyPerson.TestCase.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
TestRows = AgainstALazyPerson.TestCase


def test_numbers_in_names_count() -> None:
    names = ["plate-12", "plate-4", "Plate-5", "plate-4b", "", "10", "9"]
    assert sorted(names, key=rank) == ["", "9", "10", "plate-4", "plate-4b", "Plate-5", "plate-12"]


def test_rows_are_looked_at_only_when_asked() -> None:
    looked: list[str] = []

    def cells(key: str) -> tuple[Cell, ...]:
        looked.append(key)
        return (key, "")

    rows = TableRows((Column("name", "name", None),))
    rows.replace([Row(str(n), cells) for n in range(1000)])
    rows.patch([Row("5", cells)])
    assert looked == []
    assert rows.row("5").look() == ("5", "")


@st.composite
def many_columns(draw: st.DrawFn) -> tuple[Column, ...]:
    widths = draw(st.lists(st.none() | st.integers(0, 30), min_size=1, max_size=8))
    return tuple(
        Column(str(n), "title", width, priority=draw(st.integers(0, 4)), least=draw(st.integers(1, 12)))
        for n, width in enumerate(widths)
    )


@given(many_columns(), st.integers(0, 200), st.lists(st.text(), min_size=8, max_size=8))
def test_columns_fill_the_width_and_never_overlap(
    columns: tuple[Column, ...], width: int, texts: list[str]
) -> None:
    places = place(columns, width)
    assert [at.column for at in places] == sorted(at.column for at in places)
    assert all(left.x + left.width < right.x for left, right in pairwise(places))
    dropped = {column.priority for n, column in enumerate(columns) if n not in {at.column for at in places}}
    kept = {columns[at.column].priority for at in places}
    assert not dropped or min(dropped) >= max(kept) or len(places) == 1
    styled: list[tuple[str, Style]] = [(text, "failed") for text in texts]
    assert sum(width_of(text) for text, _ in pieces(columns, places, styled, width)) == width


def test_the_flexible_column_takes_what_is_left() -> None:
    columns = (Column("a", "a", 4), Column("b", "b", None), Column("c", "c", 6, priority=1))
    assert [(at.column, at.x, at.width) for at in place(columns, 40)] == [(0, 0, 4), (1, 5, 28), (2, 34, 6)]
    assert [(at.column, at.x, at.width) for at in place(columns, 20)] == [(0, 0, 4), (1, 5, 15)]


@given(
    st.lists(st.integers(0, 30), unique=True, max_size=25),
    st.lists(st.integers(0, 30), unique=True, max_size=25),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(1, 10),
)
def test_the_view_keeps_cursor_and_place(
    before: list[int], after: list[int], cursor: int, top: int, page: int
) -> None:
    old, new = [str(n) for n in before], [str(n) for n in after]
    view = Viewport()
    view.count = len(old)
    view.resize(page)
    view.put(cursor)
    view.scroll(top)
    seen, was, high = view.cursor in view.rows, view.cursor - view.top, view.top == 0
    on = old[view.cursor] if old else None
    view.settle(old, {key: n for n, key in enumerate(new)}.get, len(new))
    assert 0 <= view.top <= max(0, len(new) - page)
    assert 0 <= view.cursor < max(1, len(new))
    if seen and new:
        assert view.cursor in view.rows
    if on in new:
        assert new[view.cursor] == on
        if seen and not high and 0 < view.top < view.lowest:
            assert view.cursor - view.top == was
