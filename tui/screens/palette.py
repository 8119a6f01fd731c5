"""The command palette, without what blinks or turns: over SSH both cost bytes for ever."""

from __future__ import annotations

from textual import on
from textual.command import CommandPalette
from textual.events import Mount
from textual.widgets import Input


class Palette(CommandPalette):
    """Textual's palette, still."""

    @on(Mount)
    def _keep_still(self) -> None:
        self.query_one(Input).cursor_blink = False
