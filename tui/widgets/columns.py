"""Columns of a table: which fit, where they stand, and the pieces of a line that they make. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tui.signs import Segment, Style
from tui.text import pad, plain, width_of

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
    """Cells above which it leaves the rest to the other columns without a width, where these want it."""
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


def place(
    columns: Sequence[Column],
    width: int,
    hidden: Collection[str] = (),
    needs: Mapping[str, int] | None = None,
) -> tuple[Place, ...]:
    """Where each column stands in `width` cells, without the `hidden` ones and those that have no room.

    `needs` tells, of some columns without a width, in how many cells all that is in them has room: they leave
    what is over to the others without a width.
    """
    needs = needs or {}
    kept = [n for n, column in enumerate(columns) if column.key not in hidden]
    least = {n: _least(columns[n], needs) for n in kept}
    # What one column does not need of its least goes to the others, before those that matter less have any.
    over = sum(_least(columns[n], {}) - least[n] for n in kept)
    for n in kept:
        if columns[n].width is None and columns[n].key not in needs:
            more = int(max(0, min(over, _most(columns[n], needs) - least[n])))
            least[n] += more
            over -= more

    def needed() -> int:
        return sum(least[n] + GAP for n in kept) - GAP

    while len(kept) > 1 and needed() > width:
        # Of equals the rightmost goes.
        last = max(kept, key=lambda n: (columns[n].priority, n))
        if least[last] > _least(columns[last], needs):
            least[last] = max(_least(columns[last], needs), least[last] - needed() + width)
        else:
            kept.remove(last)
    spare = max(0, width - needed())
    flexible = [n for n in kept if columns[n].width is None]
    wanted = {n: max(0, _most(columns[n], needs) - least[n]) for n in flexible}
    shares = dict.fromkeys(kept, 0)
    # Who takes the least is served first, and leaves the rest to the others.
    for served, n in enumerate(sorted(flexible, key=wanted.__getitem__)):
        shares[n] = int(min(spare // (len(flexible) - served), wanted[n]))
        spare -= shares[n]
    if flexible:
        # What none of them wants must be somewhere.
        shares[flexible[-1]] += spare
    places = []
    x = 0
    for n in kept:
        wide = least[n] + shares[n]
        places.append(Place(n, x, min(wide, max(0, width - x))))
        x += wide + GAP
    return tuple(places)


def _least(column: Column, needs: Mapping[str, int]) -> int:
    if column.width is not None:
        return column.width
    # The sign of the order has room behind the title.
    return min(column.least, max(needs.get(column.key, column.least), width_of(column.title) + 1))


def _most(column: Column, needs: Mapping[str, int]) -> float:
    most = math.inf if column.most is None else column.most
    return min(most, needs.get(column.key, most))


def text_of(cell: Cell) -> str:
    """What a cell says, without what it means."""
    if isinstance(cell, list):
        return "".join(text for text, _ in cell)
    return cell if isinstance(cell, str) else cell[0]


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
