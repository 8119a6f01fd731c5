"""The first line of every screen: whether the engine runs, what is busy, how fresh this all is."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from runners.config.units import format_about
from runners.states import State
from tui.feed import Picture
from tui.keeper import EngineState
from tui.signs import sign
from tui.standing import ANSWER_KEY, Standing, standings
from tui.text import plain

CORES = len(os.sched_getaffinity(0))
"""Of this machine, as far as we may use them."""

_QUIET = "$foreground 60%"

_Part = Content | str | tuple[str, str]


class TopLine(Widget):
    """One line; drawn anew only when it says something else."""

    DEFAULT_CSS = """
    TopLine { height: 1; background: $panel; color: $foreground; padding: 0 1; }
    """

    def __init__(self, *, read_only: bool, help_key: str, clusters: bool) -> None:
        """*help_key* is the key that leads to the help, as a person reads it.

        With *clusters* it tells of them too; else the page does.
        """
        super().__init__()
        self._read_only = read_only
        self._help_key = help_key
        self._clusters = clusters
        self._said: tuple[Content, ...] = ()

    def show(self, picture: Picture, engine: EngineState, now: float) -> None:
        """Show what *picture* says at the moment *now* (seconds since the epoch)."""
        said = _head(picture, engine, now, read_only=self._read_only)
        if not picture.problem:
            said += _busy(picture, clusters=self._clusters)
        if said != self._said:
            self._said = said
            self.refresh()

    def render(self) -> Content:
        """The line, as much of it as fits, with the way to the help at its right end."""
        help_hint = Content.assemble((self._help_key, "bold $primary"), " help")
        room = self.size.width - help_hint.cell_length
        left = _fitting(self._said, max(0, room - 1))
        return Content.assemble(left, " " * (room - left.cell_length), help_hint)

    def on_click(self) -> None:
        """The whole line leads to the help."""
        self.app.simulate_key("f1")


def _fitting(parts: Sequence[Content], room: int) -> Content:
    """The first of *parts* that fit, and how many more there are."""
    for kept in range(len(parts), 0, -1):
        hidden = len(parts) - kept
        more = [(f"   +{hidden} more", _QUIET)] if hidden else []
        line = Content.assemble(*parts[:kept], *more)
        if line.cell_length <= room:
            return line
    return Content.assemble(*parts).truncate(room, ellipsis=True)


def _head(picture: Picture, engine: EngineState, now: float, *, read_only: bool) -> tuple[Content, ...]:
    parts: list[_Part] = [("Runyard", "bold")]
    if read_only:
        parts += ["  ", (" read-only ", "bold $background on $warning")]
    parts += ["  engine ", *_engine(picture, engine)]
    if picture.problem:
        age = f", what you see is {format_about(now - picture.read_at)} old" if picture.read_at else ""
        parts += ["   ", (f"! the store can't be read{age}", "bold $warning")]
    return (Content.assemble(*parts),)


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


def _busy(picture: Picture, *, clusters: bool) -> tuple[Content, ...]:
    """What runs on each resource that has live runs: clusters in trouble, this machine, other clusters."""
    running: Counter[str] = Counter()
    for run in picture.runs.values():
        if not run.state.final and run.profile is None:
            running[run.resource] += run.counts.running
    here = [_of_machine(resource, running[resource]) for resource in sorted(running)]
    if not clusters:
        return tuple(here)
    there = standings(picture.runs.values(), picture.batches, picture.places.values())
    troubled = [_of_cluster(standing) for standing in there if standing.troubled]
    return (*troubled, *here, *(_of_cluster(standing) for standing in there if not standing.troubled))


def _of_machine(resource: str, running: int) -> Content:
    cores = f", {CORES} {'core' if CORES == 1 else 'cores'}"
    return Content.assemble(f"   {plain(resource, 20)}  ", (f"{running:,}", "bold"), " running", cores)


def _of_cluster(standing: Standing) -> Content:
    shown = standing.sign
    colour = {"done": "$success", "failed": "bold $error", "warning": "bold $warning"}.get(
        shown.style, _QUIET
    )
    words = f"{shown.word}: {ANSWER_KEY}" if standing.asks else shown.word
    more = "" if standing.troubled else f"  {standing.running:,} run {standing.pending:,} pend"
    return Content.assemble(f"   {plain(standing.resource, 20)} ", (f"{shown.glyph} {words}", colour), more)
