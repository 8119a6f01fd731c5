"""Where the parts of a form are: every field is one line of three columns, whatever is in it.

These layouts know that, so that a form with many fields is laid out in no time, and nothing ever jumps.
"""

from __future__ import annotations

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


class FieldLayout(Layout):
    """One editor between label and third column; with two the first is a key and takes from the label."""

    name = "form-field"

    def __init__(self, *, long: bool = False) -> None:
        super().__init__()
        self._long = long

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """Place the editors."""
        label, editor, _ = columns(size.width, long=self._long)
        regions = [Region(label, 0, editor, 1)]
        if len(children) == 2:
            key = (label + editor - HANDLES - GAP) * 2 // 5
            value = HANDLES + key + GAP
            regions = [Region(HANDLES, 0, key, 1), Region(value, 0, label + editor - value, 1)]
        return [_placed(child, region) for child, region in zip(children, regions, strict=False)]


class LinesLayout(Layout):
    """One line below the other."""

    name = "form-lines"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """Place the lines."""
        return [_placed(child, Region(0, y, size.width, 1)) for y, child in enumerate(children)]


FIELD: Final = FieldLayout()
LONG_FIELD: Final = FieldLayout(long=True)
LINES: Final = LinesLayout()


def _placed(widget: Widget, region: Region) -> WidgetPlacement:
    return WidgetPlacement(region, NULL_OFFSET, NULL_SPACING, widget)
