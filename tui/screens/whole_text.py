"""A text that is too long for where it is told, whole, over a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.signs import Style
from tui.text import plain
from tui.widgets.line_view import Piece
from tui.widgets.paragraphs import Facts, Paragraph

_TONES: Final[Mapping[Style, str]] = {
    "pending": "$text-muted",
    "running": "$text-primary",
    "done": "$text-success",
    "failed": "$text-error",
    "cancelled": "$text-muted",
    "unknown": "$text-warning",
    "requeued": "$text-secondary",
    "muted": "$text-muted",
    "strong": "bold",
    "warning": "$text-warning",
}


class WholeText(ModalScreen[None]):
    """Lies over the page until a key is pressed."""

    CSS_PATH = "whole_text.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "back", id="text.close", tooltip="Back to the page"),
        Binding("down,j", "scroll(1)", "down", show=False, id="text.down"),
        Binding("up,k", "scroll(-1)", "up", show=False, id="text.up"),
        Binding("pagedown", "scroll(10)", "page down", show=False, id="text.page_down"),
        Binding("pageup", "scroll(-10)", "page up", show=False, id="text.page_up"),
    ]

    def __init__(self, title: str, words: Content) -> None:
        """*title* is untrusted; *words* are harmless."""
        super().__init__()
        self._title = title
        self._words = words

    def compose(self) -> ComposeResult:
        """One text in a frame."""
        with VerticalScroll(id="whole-text") as frame:
            frame.border_title = Content(plain(self._title, 60))
            frame.border_subtitle = "esc closes"
            yield Static(self._words)

    def action_scroll(self, lines: int) -> None:
        """Up or down, where there is more than fits."""
        self.query_one("#whole-text").scroll_relative(y=lines, animate=False)


def in_whole(paragraphs: Sequence[Paragraph]) -> Content:
    """What a few lines may have no room for: all of it, an empty line between two paragraphs."""
    return Content("\n\n").join(_whole(paragraph) for paragraph in paragraphs)


def _whole(paragraph: Paragraph) -> Content:
    if isinstance(paragraph, Facts):
        return Content("   ").join(_content(fact) for fact in paragraph.facts)
    label = _content(paragraph.label)
    if len(paragraph.texts) > 1:
        # Several lines keep what stands below what.
        label = label.rstrip() + "\n"
    return label + "\n".join(paragraph.texts)


def _content(pieces: Sequence[Piece]) -> Content:
    return Content.assemble(*((text, _TONES[style]) if style else text for text, style in pieces))
