"""The command palette, without what blinks or turns, which costs bytes for ever over SSH; and harmless."""

from __future__ import annotations

from rich.highlighter import Highlighter
from rich.text import Text
from textual import on
from textual.command import CommandPalette
from textual.events import Mount
from textual.widgets import Input

from tui.text import pictured


class _Pictures(Highlighter):
    """Stands in for `Typed`, for the palette makes its line itself."""

    def highlight(self, text: Text) -> None:
        """Draw what acts on a terminal as its picture."""
        text.plain = pictured(text.plain)


class Palette(CommandPalette):
    """Textual's palette, still."""

    @on(Mount)
    def _keep_still(self) -> None:
        typed = self.query_one(Input)
        typed.cursor_blink = False
        typed.highlighter = _Pictures()
