"""The whole reply of one command, over the command log."""

from __future__ import annotations

import time

from textual.content import Content

from runners.store.rows import CommandRow
from tui.command_words import result_sign, took_words
from tui.screens.whole_text import WholeText
from tui.text import plain
from tui.widgets.command_detail import printed


class CommandReply(WholeText):
    """A command and its reply."""

    def __init__(self, row: CommandRow) -> None:
        super().__init__("Reply", _words(row))


def _words(row: CommandRow) -> Content:
    shown = result_sign(row)
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.time))
    parts: list[tuple[str, str] | str] = [
        (plain(row.command), "bold"),
        "\n",
        (f"{shown.glyph} {shown.word} after {took_words(row)}", "$foreground 60%"),
        (f"   {began}   {plain(row.place, 80)}", "$foreground 60%"),
        "\n",
    ]
    for title, text in (("standard output", row.out), ("standard error", row.err)):
        if lines := printed(text):
            parts += ["\n", (title, "bold $text-primary"), "\n", "\n".join(lines), "\n"]
    if not (row.out.strip() or row.err.strip()):
        parts += ["\n", "It said nothing."]
    return Content.assemble(*parts).rstrip()
