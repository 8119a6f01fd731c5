"""One line that is not typed in but acted on: with keys, or with a click on a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from tui.text import fit, width_of
from tui.widgets.line_view import Line, LineView, Piece


class Spot(NamedTuple):
    """A part of the line."""

    pieces: Sequence[Piece]
    pick: int | None = None
    """What a click on it picks; None where it is only read."""


def said(*pieces: Piece) -> Spot:
    """Pieces that are only read."""
    return Spot(pieces)


def picked(pick: int, *pieces: Piece) -> Spot:
    """Pieces of which a click picks something."""
    return Spot(pieces, pick)


class EditLine(LineView, can_focus=True):
    """Draws its parts, cut where there is no room."""

    DEFAULT_CSS = """
    EditLine {
        height: 1;
        &:focus { background: $block-cursor-blurred-background; }
        &:ansi:focus, &:nocolor:focus { text-style: reverse; }
    }
    """

    class Picked(Message):
        """A part was clicked on, or a key says the same."""

        def __init__(self, pick: int) -> None:
            super().__init__()
            self.pick = pick

    def __init__(self) -> None:
        super().__init__()
        self._parts: Sequence[Spot] = ()

    def say(self, parts: Sequence[Spot]) -> None:
        """Show these. Their texts are plain."""
        if parts != self._parts:
            self._parts = parts
            self.repaint()

    def line(self, y: int) -> Line:
        """The parts that there is room for."""
        room = self.size.width
        pieces: list[Piece] = []
        for text, style in [(" ", None), *(piece for part in self._parts for piece in part.pieces)]:
            cut = fit(text, room)
            room -= width_of(cut)
            if cut:
                pieces.append((cut, style))
        return Line((*pieces, (" " * room, None)))

    def on_click(self, event: events.Click) -> None:
        """Pick the part that was clicked on."""
        event.stop()
        end = 1
        for part in self._parts:
            end += sum(width_of(text) for text, _ in part.pieces)
            if event.x < end:
                if part.pick is not None:
                    self.post_message(self.Picked(part.pick))
                return
