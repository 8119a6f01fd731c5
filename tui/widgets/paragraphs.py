"""Facts and texts in a few lines: each gets one, and what is left goes to those that need more. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from rich.cells import chop_cells

from tui.signs import Style
from tui.text import fit, plain, width_of, wrapped
from tui.widgets.line_view import Piece

LINE_BREAK = plain("\n")
"""What stands for it where lines are joined, as in every text on one line."""

_BETWEEN = "   "
"""Between two facts."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Short facts, none of which is broken; those that have no room are left out."""

    facts: Sequence[Sequence[Piece]]
    least: ClassVar[int] = 1

    def wanted(self, width: int) -> int:
        """The lines that all of it takes."""
        return len(self._broken(width))

    def lines(self, width: int, most: int) -> list[list[Piece]]:
        """It in at most so many lines."""
        return self._broken(width)[:most]

    def _broken(self, width: int) -> list[list[Piece]]:
        lines: list[list[Piece]] = []
        room = 0
        for fact in self.facts:
            needed = len(_BETWEEN) + _width(fact)
            if needed > room:
                lines.append(list(fact))
                room = width - needed + len(_BETWEEN)
            else:
                lines[-1] += [(_BETWEEN, None), *fact]
                room -= needed
        return lines


def facts(*pairs: tuple[str, str]) -> Facts:
    """Facts with their names, without those that are empty. The texts are plain."""
    muted: Style = "muted"
    return Facts([[(f"{name} ", muted), (value, None)] for name, value in pairs if value])


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of plain text behind a label. Those that are too long go on below, as far as there is room."""

    label: Sequence[Piece]
    texts: Sequence[str]
    keep: Literal["start", "end"] = "start"
    """Which end is shown of a text that does not fit."""
    which: Literal["last", "joined"] = "joined"
    """What is done with several where not all fit: the last are shown, or they become one."""
    least: int = 1
    """The lines that it gets, if it wants them, before those behind it get any."""

    def wanted(self, width: int) -> int:
        """The lines that all of it takes."""
        return len(self._broken(self._room(width)))

    def lines(self, width: int, most: int) -> list[list[Piece]]:
        """It in at most so many lines."""
        room = self._room(width)
        broken = self._broken(room)
        if len(broken) > most and len(self.texts) > 1:
            if self.which == "joined":
                return replace(self, texts=[LINE_BREAK.join(self.texts)]).lines(width, most)
            broken = [fit(text, room) for text in self.texts[-most:]]
        elif len(broken) > most and self.keep == "end":
            broken = chop_cells(fit(self.texts[0], room * most, "end"), room)[:most]
        elif len(broken) > most:
            # The last line is filled, whatever word is cut there: what is left out would tell more.
            rest = " ".join(broken[most - 1 :])
            broken = [*broken[: most - 1], fit(rest, room)]
        indent = " " * (width - room)
        return [
            [*self.label, (text, None)] if n == 0 else [(indent, None), (text, None)]
            for n, text in enumerate(broken)
        ]

    def _room(self, width: int) -> int:
        return max(1, width - _width(self.label))

    def _broken(self, room: int) -> list[str]:
        return [line for text in self.texts for line in wrapped(text, room)] or [""]


Paragraph = Facts | Passage


def fits(paragraphs: Sequence[Paragraph], width: int, height: int) -> bool:
    """Whether `laid_out` leaves nothing out."""
    unbroken = [fact for paragraph in paragraphs if isinstance(paragraph, Facts) for fact in paragraph.facts]
    wanted = sum(paragraph.wanted(width) for paragraph in paragraphs)
    return wanted <= height and all(_width(fact) <= width for fact in unbroken)


def laid_out(paragraphs: Sequence[Paragraph], width: int, height: int) -> list[list[Piece]]:
    """Lines of at most `width` cells, at most `height` of them, the paragraphs one below the other.

    Lines that are over when each has its least are dealt out in turn to those that want more.
    """
    shown: list[Paragraph] = []
    given: list[int] = []
    wanted: list[int] = []
    spare = max(0, height)
    for paragraph in paragraphs:
        wants = paragraph.wanted(width)
        if gets := min(wants, paragraph.least, spare):
            shown.append(paragraph)
            given.append(gets)
            wanted.append(wants)
            spare -= gets
    while spare > 0 and given != wanted:
        for n in range(len(shown)):
            if spare > 0 and given[n] < wanted[n]:
                given[n] += 1
                spare -= 1
    return [
        line for paragraph, most in zip(shown, given, strict=True) for line in paragraph.lines(width, most)
    ]


def _width(pieces: Sequence[Piece]) -> int:
    return sum(width_of(text) for text, _ in pieces)
