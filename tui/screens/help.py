"""Help for one screen: what it shows, its keys, and what the signs mean."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from runners.states import State
from tui.keeper import EngineState
from tui.keys import keys_of
from tui.screens.page import Page
from tui.signs import sign
from tui.standing import ANSWER_KEY

_MEANINGS = {
    State.PENDING: "waits for its turn",
    State.RUNNING: "is at work",
    State.DONE: "ended well",
    State.FAILED: "ended badly: its reason and its log say why",
    State.CANCELLED: "was stopped, or never started, because somebody said so",
    State.UNKNOWN: "cannot be told at the moment; nothing is assumed",
}
_COLOURS = {
    State.PENDING: "$foreground 60%",
    State.RUNNING: "$text-primary",
    State.DONE: "$text-success",
    State.FAILED: "$text-error",
    State.CANCELLED: "$foreground 60%",
    State.UNKNOWN: "$text-warning",
}
_ENGINE = (
    ("on", "it runs your work and writes down what happens"),
    ("starting", "it was gone while something runs, and is started again"),
    ("off", "nothing is going on, so none is needed; it starts by itself"),
    ("off, as of", "it can't be started: what runs goes on, and what you see was so at that time"),
)
"""The engine in the first line, in words: its glyphs are those of what runs and what waits."""

_CLUSTERS = (
    (State.RUNNING, "up", "the last look at it was answered"),
    (State.FAILED, "unreachable", "what is shown of it was so when it was reached last: that time is told"),
    (State.PENDING, "not tried", "nobody has tried to reach it yet"),
    (State.UNKNOWN, "asks", f"it lets nobody in before you have answered it: {ANSWER_KEY}"),
)
"""Clusters in words; the glyphs are those of tasks."""

_TABLE = (
    ("↑ ↓ j k", "move; home and end, page up and page down too"),
    ("s  S", "sort by the next column; turn the order round"),
)
_KEYS, _SIGNS = 11, 13
"""Cells of what is explained: of the signs the longest is a cluster that is unreachable."""


class Help(ModalScreen[None]):
    """Lies over *page* until a key is pressed."""

    CSS_PATH = "help.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,question_mark,q,enter", "dismiss", "back", id="help.close", tooltip="Back to the screen"
        ),
        Binding("down,j", "scroll(1)", "down", show=False, id="help.down"),
        Binding("up,k", "scroll(-1)", "up", show=False, id="help.up"),
    ]

    def __init__(self, page: Page) -> None:
        super().__init__()
        # Asked now: afterwards the focus is here.
        self._keys = [key for key in keys_of(page) if key.binding.tooltip]
        self._title = page.HELP_TITLE
        self._about = page.ABOUT

    def compose(self) -> ComposeResult:
        """One text in a frame."""
        with VerticalScroll(id="help") as frame:
            frame.border_title = f"Help: {self._title}"
            frame.border_subtitle = "esc closes"
            yield Static(self._words())

    def action_scroll(self, lines: int) -> None:
        """Up or down, where there is more than fits."""
        self.query_one("#help").scroll_relative(y=lines, animate=False)

    def _words(self) -> Content:
        parts: list[Content | str | tuple[str, str]] = [
            self._about,
            "\n\n",
            ("Keys", "bold $text-primary"),
            "\n",
        ]
        for key in self._keys:
            parts += _line(key.shown, key.binding.tooltip, _KEYS)
        parts += ["\n", ("In a table", "bold $text-primary"), "\n"]
        for keys, words in _TABLE:
            parts += _line(keys, words, _KEYS)
        parts += ["\n", ("Signs", "bold $text-primary"), "\n"]
        for state, words in _MEANINGS.items():
            shown = sign(state)
            parts += _line(f"{shown.glyph} {shown.word}", words, _SIGNS, _COLOURS[state])
        parts += ["\n", ("The engine, in the first line", "bold $text-primary"), "\n"]
        for word, words in _ENGINE:
            glyph = sign(State.RUNNING if word == EngineState.ON else State.PENDING).glyph
            parts += _line(f"{glyph} {word}", words, _SIGNS)
        parts += ["\n", ("Clusters", "bold $text-primary"), "\n"]
        for state, word, words in _CLUSTERS:
            parts += _line(f"{sign(state).glyph} {word}", words, _SIGNS)
        return Content.assemble(*parts).rstrip()


def _line(told: str, words: str, cells: int, style: str = "bold") -> list[Content | str | tuple[str, str]]:
    # The gap also comes behind what is longer.
    return [(told.ljust(cells), style), "  ", words, "\n"]
