"""The first line of every screen: whether the engine runs, what is busy, how fresh this all is."""

from __future__ import annotations

import os
import time
from collections import Counter

from textual.content import Content
from textual.widget import Widget

from runners.config.units import format_about
from runners.states import State
from tui.feed import Picture
from tui.keeper import EngineState
from tui.signs import sign
from tui.text import plain

CORES = len(os.sched_getaffinity(0))
"""Of this machine, as far as we may use them."""

_LOCAL = "local"
"""The resource that is this machine; to have the name from `runners.config.files` would cost 0.1 s."""

_QUIET = "$foreground 60%"

_Part = Content | str | tuple[str, str]


class TopLine(Widget):
    """One line; drawn anew only when it says something else."""

    DEFAULT_CSS = """
    TopLine { height: 1; background: $panel; color: $foreground; padding: 0 1; }
    """

    def __init__(self, *, read_only: bool, help_key: str) -> None:
        """*help_key* is the key that leads to the help, as a person reads it."""
        super().__init__()
        self._read_only = read_only
        self._help_key = help_key
        self._said = Content()

    def show(self, picture: Picture, engine: EngineState, now: float) -> None:
        """Show what *picture* says at the moment *now* (seconds since the epoch)."""
        said = _said(picture, engine, now, read_only=self._read_only)
        if said != self._said:
            self._said = said
            self.refresh()

    def render(self) -> Content:
        """The line, with the way to the help at its right end."""
        help_hint = Content.assemble((self._help_key, "bold $primary"), " help")
        room = self.size.width - help_hint.cell_length
        left = self._said.truncate(max(0, room - 1), ellipsis=True)
        return Content.assemble(left, " " * (room - left.cell_length), help_hint)

    def on_click(self) -> None:
        """The whole line leads to the help."""
        self.app.simulate_key("f1")


def _said(picture: Picture, engine: EngineState, now: float, *, read_only: bool) -> Content:
    parts: list[_Part] = [("Runyard", "bold")]
    if read_only:
        parts += ["  ", (" read-only ", "bold $background on $warning")]
    parts += ["  engine ", *_engine(picture, engine)]
    if picture.problem:
        age = f", what you see is {format_about(now - picture.read_at)} old" if picture.read_at else ""
        parts += ["   ", (f"! the store can't be read{age}", "bold $warning")]
    else:
        parts += _busy(picture)
    return Content.assemble(*parts)


def _engine(picture: Picture, engine: EngineState) -> list[_Part]:
    glyph = sign(State.RUNNING if engine is EngineState.ON else State.PENDING).glyph
    if engine is EngineState.ON:
        return [(f"{glyph} on", "$success")]
    if not picture.stale:
        return [(f"{glyph} {engine}", _QUIET)]
    words = f"{glyph} {engine}"
    if engine is EngineState.OFF:
        words += f", as of {time.strftime('%H:%M:%S', time.localtime(picture.heard_at))}"
    return [(words, "bold $warning")]


def _busy(picture: Picture) -> list[_Part]:
    """What runs and waits on each resource that has live runs."""
    running: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    for run in picture.runs.values():
        if not run.state.final:
            running[run.resource] += run.counts.running
            waiting[run.resource] += run.counts.pending
    parts: list[_Part] = []
    for resource in sorted(running):
        parts += [f"   {plain(resource, 20)}  ", (f"{running[resource]:,}", "bold"), " running"]
        if resource == _LOCAL:
            parts.append(f", {CORES} {'core' if CORES == 1 else 'cores'}")
        else:
            parts.append(f", {waiting[resource]:,} pending")
    return parts
