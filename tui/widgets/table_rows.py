"""The rows of a large table: which there are, which pass the filter, and in which order. Imports no textual.

Nothing is computed for a row before it is looked at, so that 20,000 rows cost no more than their keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tui.widgets.columns import Cell, Column, Sortable, text_of

_NUMBER = re.compile(r"([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Row:
    """One row, named by a key that no other row has and that it keeps."""

    key: str
    cells: tuple[Cell, ...] | Callable[[str], tuple[Cell, ...]]
    """One cell for every column, or what makes them from the key when the row is looked at."""

    def look(self) -> tuple[Cell, ...]:
        """The cells."""
        return self.cells(self.key) if callable(self.cells) else self.cells


Rank = tuple[tuple[float, str], ...]
"""What a row sorts by; any two can be compared. Empty where nothing is known."""


def rank(value: Sortable) -> Rank:
    """Numbers by size, text so that `plate-4` comes before `plate-12`."""
    if value is None:
        return ()
    if isinstance(value, str):
        parts = enumerate(_NUMBER.split(value))
        return tuple((float(part), "") if n % 2 else (-1.0, part.casefold()) for n, part in parts)
    return ((value, ""),)


class TableRows:
    """Rows by key, and the order in which those that pass the filter are shown."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = {column.key: n for n, column in enumerate(columns)}
        self._values = [column.value for column in columns]
        self._rows: dict[str, Row] = {}
        self._ranks: dict[str, Rank] = {}
        """Of every row that passes the filter."""
        self._order: list[str] = []
        self._place: dict[str, int] = {}
        self._predicate: Callable[[Row], bool] | None = None
        self._sorted_by: int | None = None
        self._reverse = False

    def __len__(self) -> int:
        return len(self._order)

    @property
    def total(self) -> int:
        """All rows, also those that the filter hides."""
        return len(self._rows)

    @property
    def order(self) -> Sequence[str]:
        """The keys of the shown rows, from the top: a new list after each change, while this one stays."""
        return self._order

    def index_of(self, key: str) -> int | None:
        """Where a row is shown, from 0; None if it is not."""
        return self._place.get(key)

    def row(self, key: str) -> Row:
        """The row of a key; KeyError if there is none."""
        return self._rows[key]

    def replace(self, rows: Iterable[Row]) -> None:
        """Have these rows and no others, in this order where no sorting is asked for."""
        self._rows = {row.key: row for row in rows}
        self._rank_all()

    def patch(self, rows: Iterable[Row]) -> None:
        """Put changed rows in place of the old ones of their keys, and new ones at the end."""
        moved = False
        for row in rows:
            self._rows[row.key] = row
            before = self._ranks.get(row.key)
            after = self._rank(row)
            if before == after:
                continue
            moved = True
            if after is None:
                del self._ranks[row.key]
            else:
                self._ranks[row.key] = after
        if moved:
            self._arrange()

    def filter(self, predicate: Callable[[Row], bool] | None) -> None:
        """Show only the rows for which `predicate` holds; None shows all."""
        self._predicate = predicate
        self._rank_all()

    def sort(self, column: str | None, *, reverse: bool = False) -> None:
        """Order by a column (KeyError if there is none such); None orders as the rows were given."""
        self._sorted_by = None if column is None else self._columns[column]
        self._reverse = reverse
        self._rank_all()

    def _rank(self, row: Row) -> Rank | None:
        """What a row sorts by, or None if the filter hides it."""
        if self._predicate is not None and not self._predicate(row):
            return None
        if self._sorted_by is None:
            return ()
        value = self._values[self._sorted_by]
        if value is not None:
            return rank(value(row.key))
        return rank(text_of(row.look()[self._sorted_by]))

    def _rank_all(self) -> None:
        ranks = ((key, self._rank(row)) for key, row in self._rows.items())
        self._ranks = {key: ranked for key, ranked in ranks if ranked is not None}
        self._arrange()

    def _arrange(self) -> None:
        ranks = self._ranks
        self._order = [key for key in self._rows if key in ranks]
        if self._sorted_by is not None:
            known = [key for key in self._order if ranks[key]]
            unknown = [key for key in self._order if not ranks[key]]
            self._order = sorted(known, key=ranks.__getitem__, reverse=self._reverse) + unknown
        self._place = {key: n for n, key in enumerate(self._order)}
