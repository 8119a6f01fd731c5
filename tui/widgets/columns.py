"""Columns of a table: which fit, where they stand, and the pieces of a line that they make. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tui.signs import Segment, Style
from tui.text import pad, plain

Cell = str | Segment | list[Segment]
"""Untrusted text, or such text and what it means; or plain text of several meanings that fills its column."""

Sortable = str | float | None
"""What a column is sorted by. None (nothing known) stays at the end in both directions."""

GAP = 1
"""Blank cells between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    key: str
    title: str
    width: int | None
    """Cells; None takes its share of what the others leave."""
    align: Literal["left", "right"] = "left"
    priority: int = 0
    """When there is no room, the column with the highest goes first; 0 stays to the last."""
    sortable: bool = True
    least: int = 10
    """Cells below which a column without a width is not worth having."""
    most: int | None = None
    """Cells above which it leaves the rest to the other columns without a width."""
    keep: Literal["start", "end"] = "start"
    """Which end of a text that is too long is shown: the end of a path says more."""
    value: Callable[[str], Sortable] | None = None
    """What a row sorts by, from its key; without it, the text of its cell, numbers in it as numbers."""


class Place(NamedTuple):
    """Where a column stands."""

    column: int
    """Its number among all, also those that had no room."""
    x: int
    width: int


def place(columns: Sequence[Column], width: int, hidden: Collection[str] = ()) -> tuple[Place, ...]:
    """Where each column stands in `width` cells, without the `hidden` ones and those that have no room."""
    kept = [n for n, column in enumerate(columns) if column.key not in hidden]

    def needed() -> int:
        return sum(_least(columns[n]) + GAP for n in kept) - GAP

    while len(kept) > 1 and needed() > width:
        # Of equals the rightmost goes.
        kept.remove(max(kept, key=lambda n: (columns[n].priority, n)))
    spare = max(0, width - needed())
    # Who takes no more than so much is served first, and leaves the rest to the others.
    flexible = sorted((n for n in kept if columns[n].width is None), key=lambda n: columns[n].most is None)
    shares = dict.fromkeys(kept, 0)
    for served, n in enumerate(flexible):
        share = spare // (len(flexible) - served)
        most = columns[n].most
        shares[n] = share if most is None else min(share, most - columns[n].least)
        spare -= shares[n]
    places = []
    x = 0
    for n in kept:
        cells = _least(columns[n]) + shares[n]
        places.append(Place(n, x, min(cells, max(0, width - x))))
        x += cells + GAP
    return tuple(places)


def text_of(cell: Cell) -> str:
    """What a cell says, without what it means."""
    if isinstance(cell, list):
        return "".join(text for text, _ in cell)
    return cell if isinstance(cell, str) else cell[0]


def _least(column: Column) -> int:
    return column.least if column.width is None else column.width


def pieces(
    columns: Sequence[Column], places: Sequence[Place], cells: Sequence[Cell], width: int
) -> tuple[tuple[str, Style | None], ...]:
    """The pieces of one line, `width` cells in all: a piece for each column, the gaps, and what is left over.

    `cells` holds a cell for every column, whether it has room or not. The text is made harmless here.
    """
    made: list[tuple[str, Style | None]] = []
    x = 0
    for index, start, cells_wide in places:
        if start > x:
            made.append((" " * (start - x), None))
        cell = cells[index]
        column = columns[index]
        if isinstance(cell, list):
            made += cell
        else:
            text, style = (cell, None) if isinstance(cell, str) else cell
            made.append((pad(plain(text), cells_wide, column.align, column.keep), style))
        x = start + cells_wide
    if x < width:
        made.append((" " * (width - x), None))
    return tuple(made)
