"""The whole reply of one command, over the command log."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from runners.store.rows import CommandRow
from tui.command_words import result_sign, took_words
from tui.text import plain
from tui.widgets.command_detail import printed


class CommandReply(ModalScreen[None]):
    """Lies over the page until a key is pressed."""

    CSS_PATH = "command_reply.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "back", id="reply.close", tooltip="Back to the command log"),
        Binding("down,j", "scroll(1)", "down", show=False, id="reply.down"),
        Binding("up,k", "scroll(-1)", "up", show=False, id="reply.up"),
        Binding("pagedown", "scroll(10)", "page down", show=False, id="reply.page_down"),
        Binding("pageup", "scroll(-10)", "page up", show=False, id="reply.page_up"),
    ]

    def __init__(self, row: CommandRow) -> None:
        super().__init__()
        self._row = row

    def compose(self) -> ComposeResult:
        """One text in a frame."""
        with VerticalScroll(id="reply") as frame:
            frame.border_title = "Reply"
            frame.border_subtitle = "esc closes"
            yield Static(self._words())

    def action_scroll(self, lines: int) -> None:
        """Up or down, where there is more than fits."""
        self.query_one("#reply").scroll_relative(y=lines, animate=False)

    def _words(self) -> Content:
        row = self._row
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
