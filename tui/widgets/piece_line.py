"""One line of text in pieces, each with a meaning: a left end, and a right one that is never cut."""

from __future__ import annotations

from collections.abc import Sequence

from tui.text import fit, width_of
from tui.widgets.line_view import Line, LineView, Piece

MARGIN = 1
"""Blank cells at either end."""


class PieceLine(LineView):
    """Draws anew only when it says something else."""

    DEFAULT_CSS = """
    PieceLine { height: 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._left: Sequence[Piece] = ()
        self._right: Sequence[Piece] = ()

    def show(self, left: Sequence[Piece], right: Sequence[Piece] = ()) -> None:
        """Say this. The texts are plain."""
        self._left, self._right = left, right
        self.repaint()

    def line(self, y: int) -> Line:
        """Both ends, with what is needed between them."""
        return line_of(self._left, self._right, self.size.width)


def line_of(left: Sequence[Piece], right: Sequence[Piece], width: int) -> Line:
    """A line of `width` cells; where there is no room the left is cut, piece by piece."""
    room = max(0, width - 2 * MARGIN - sum(width_of(text) for text, _ in right))
    kept: list[Piece] = []
    for text, style in left:
        cut = fit(text, room)
        room -= width_of(cut)
        if cut:
            kept.append((cut, style))
    blank: list[Piece] = [(" " * room, None)] if room else []
    return Line(((" " * MARGIN, None), *kept, *blank, *right, (" " * MARGIN, None)))
