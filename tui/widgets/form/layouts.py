"""Where the parts of a form are: every field is one line of three columns, whatever is in it.

These layouts know that, so that a form with many fields is laid out in no time, and nothing ever jumps: no
line moves, and the line in which somebody types stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

GAP = 1
"""Between columns."""

NAME = 28
"""Of the label: a mark, the longest key of our schemas, a star, and a gap."""

HANDLES = 10
"""Of what numbers, moves and removes a line of a map; its key is beside it."""

TIGHT = 92
"""Cells of a line below which a long value takes the room of the third column: a sign alone is left there."""


class Columns(NamedTuple):
    """The widths of a line's columns; together with a gap before the third they fill it."""

    label: int
    editor: int
    third: int


def columns(width: int, *, long: bool = False) -> Columns:
    """The columns of a line of *width* cells; *long* where the value is a text or a path.

    That does not depend on what is typed or said: nothing jumps.
    """
    label = NAME if width >= 64 else width // 3
    if long and width < TIGHT:
        return Columns(label, max(1, width - label - 1 - GAP), 1)
    third = max((width - label) * 2 // 5, 21 if width >= 74 else 0)
    return Columns(label, max(1, width - label - third - GAP), third)


def value_at(width: int, *, long: bool) -> int:
    """Where the value of an entry of a map begins: behind a key of two fifths."""
    label, editor, _ = columns(width, long=long)
    return HANDLES + (label + editor - HANDLES - GAP) * 2 // 5 + GAP


def yielding(full: Columns, start: int) -> Columns:
    """The columns of a line whose value, which begins at *start*, leaves three fifths to what is said."""
    right = full.label + full.editor
    value = max(1, (right + full.third - start) * 2 // 5)
    return Columns(full.label, start - full.label + value, full.third + right - start - value)


class FieldLayout(Layout):
    """One editor between label and third column; with two the first is a key and takes from the label."""

    name = "form-field"

    def __init__(self, columns_of: Callable[[int], Columns], *, long: bool) -> None:
        """*columns_of* are the columns of a line of so many cells."""
        super().__init__()
        self._columns_of = columns_of
        self._long = long

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """Place the editors."""
        label, editor, _ = self._columns_of(size.width)
        regions = [Region(label, 0, editor, 1)]
        if len(children) == 2:
            value = value_at(size.width, long=self._long)
            regions = [
                Region(HANDLES, 0, value - GAP - HANDLES, 1),
                Region(value, 0, label + editor - value, 1),
            ]
        return [_placed(child, region) for child, region in zip(children, regions, strict=False)]


class LinesLayout(Layout):
    """One line below the other."""

    name = "form-lines"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """Place the lines."""
        return [_placed(child, Region(0, y, size.width, 1)) for y, child in enumerate(children)]


LINES: Final = LinesLayout()


def _placed(widget: Widget, region: Region) -> WidgetPlacement:
    return WidgetPlacement(region, NULL_OFFSET, NULL_SPACING, widget)
