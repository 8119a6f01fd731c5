"""The signs that states are shown with, and bars of progress.

A state is always a glyph and a word; colour only comes on top. The glyphs are one cell wide and none of them
is turned into an emoji by a terminal; where the locale is not UTF-8 all are ASCII. Imports no textual:
the command line prints them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from runners.findings import FindingState
from runners.states import State
from runners.store.rows import Counts
from tui.text import ascii_only

Style = Literal[
    "pending",
    "running",
    "done",
    "failed",
    "cancelled",
    "unknown",
    "requeued",
    "muted",
    "strong",
    "warning",
]
"""What a piece of text means. Each theme gives it a colour: see `tui.widgets.tones`."""


@dataclass(frozen=True, slots=True)
class Sign:
    """How a state is shown."""

    glyph: str
    """One cell."""
    word: str
    style: Style


Shown = State | FindingState | Literal["requeued"]
"""What has a sign: every state, a batch that SLURM has put back in its queue, and how a check came out."""

_GLYPHS: Final[Mapping[Shown, tuple[str, str, Style]]] = {
    State.PENDING: ("○", "o", "pending"),
    State.RUNNING: ("●", "*", "running"),
    State.DONE: ("✓", "+", "done"),
    State.FAILED: ("✗", "x", "failed"),
    State.CANCELLED: ("⊘", "-", "cancelled"),
    State.UNKNOWN: ("?", "?", "unknown"),
    "requeued": ("↻", "r", "requeued"),
    FindingState.OK: ("✓", "+", "done"),
    FindingState.WARNING: ("!", "!", "warning"),
    FindingState.FAILURE: ("✗", "x", "failed"),
    FindingState.UNTOLD: ("?", "?", "unknown"),
}


def sign(shown: Shown) -> Sign:
    """The sign of a state."""
    fine, simple, style = _GLYPHS[shown]
    return Sign(simple if ascii_only() else fine, str(shown), style)


def changed_mark() -> str:
    """The sign of what differs from what is saved: one cell."""
    return "+" if ascii_only() else "•"


def branch(*, last: bool) -> str:
    """What leads from a row to one that belongs to it, the *last* of these or not: one cell, in ASCII two."""
    if ascii_only():
        return "`-" if last else "|-"
    return "└" if last else "├"


_EIGHTHS = " ▏▎▍▌▋▊▉"
"""What fills a part of a cell."""

_EMPTY = "·-"
"""What is not filled: in Unicode, in ASCII."""


def bar(counts: Counts, width: int) -> str:
    """A bar of `width` cells, filled by the tasks that have ended, in steps of an eighth of a cell.

    It never lies at its ends: with one task ended it is not empty, and it is full only when all have.
    """
    full, fractions = ("#", " ") if ascii_only() else ("█", _EIGHTHS)
    steps = len(fractions)
    filled = width * steps * counts.ended // max(1, counts.total)
    if counts.total > counts.ended > 0:
        filled = min(max(filled, 1), width * steps - 1)
    cells, rest = divmod(filled, steps)
    drawn = full * cells + (fractions[rest] if rest else "")
    return drawn + _EMPTY[ascii_only()] * (width - len(drawn))


Segment = tuple[str, Style]
"""A piece of a text that has several meanings."""


def bar_segments(counts: Counts, width: int, state: State) -> list[Segment]:
    """The bar of a run in this *state*, in two tones: what failed at the end of what is filled.

    Failures take their share of the bar in whole cells, at least one where any task failed, and leave one to
    those that ended well; so a run with 2 of 500 failed is not red from end to end. What no task has reached
    is drawn as what waits.
    """
    drawn = bar(counts, width)
    # There is no cell with two colours: what begins a cell has it, and a fraction comes on top.
    filled = len(drawn.rstrip(_EMPTY[ascii_only()]))
    failed = 0
    if counts.failed and filled:
        share = max(1, round(width * counts.failed / counts.total)) + (drawn[filled - 1] in _EIGHTHS)
        failed = min(share, filled if counts.failed == counts.ended else max(1, filled - 1))
    rest: Style = "done" if state is State.FAILED else sign(state).style
    parts: list[Segment] = [
        (drawn[: filled - failed], rest),
        (drawn[filled - failed : filled], "failed"),
        (drawn[filled:], "muted"),
    ]
    return [part for part in parts if part[0]]
