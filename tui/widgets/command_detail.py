"""One command and its reply, in as many lines as there is room for."""

from __future__ import annotations

import time

from runners.store.rows import CommandRow
from tui.command_words import result_sign, took_words
from tui.text import plain
from tui.widgets.line_view import Piece
from tui.widgets.paragraph_view import ParagraphView
from tui.widgets.paragraphs import Paragraph, Passage, facts


class CommandDetail(ParagraphView):
    """Shows what was run, where and when, and what it said."""

    WHOLE = "enter"

    def show(self, row: CommandRow | None) -> None:
        """Show this one; None shows nothing."""
        self.tell(() if row is None else _paragraphs(row))


def _paragraphs(row: CommandRow) -> list[Paragraph]:
    shown = result_sign(row)
    result: list[Piece] = [(f"{shown.glyph} {shown.word}", shown.style), ("  ", None)]
    said = [
        Passage([(label, "muted")], lines, which="last")
        for label, lines in (("out   ", printed(row.out)), ("error ", printed(row.err)))
        if lines
    ]
    return [
        Passage(result, [plain(row.command)]),
        facts(
            ("at", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.time))),
            ("on", plain(row.place, 80)),
            ("took", took_words(row)),
            ("said", "nothing" if not said else ""),
        ),
        *reversed(said),
    ]


def printed(text: str) -> list[str]:
    """The lines of *text*, each harmless, without blank ones at its end."""
    return [plain(line) for line in text.rstrip().split("\n")] if text.strip() else []
