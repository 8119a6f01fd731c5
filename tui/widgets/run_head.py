"""The head of the Run screen: what the run is, how far it is, and why it is as it is. Three lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from runners.config.units import format_about, format_duration
from runners.states import State
from runners.store.rows import RunRow, StepRow, TaskRow
from tui.pace import age_words, pace_of, rate_words, worked
from tui.signs import Style, bar, sign
from tui.text import fit, plain, width_of
from tui.widgets.line_view import Line, LineView, Piece

_MARGIN = 1
"""Blank cells at either end."""

_REASONS = 3
"""Reasons that a sentence names before it says "other"."""


class RunHead(LineView):
    """Draws anew only the figures that differ."""

    DEFAULT_CSS = """
    RunHead { height: 3; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._run: RunRow | None = None
        self._now = 0.0
        self._why = ""

    def show(self, run: RunRow, why: str, now: float) -> None:
        """Show *run* as it is at the moment *now*, with *why* as its sentence."""
        self._run, self._why, self._now = run, why, now
        self.repaint()

    def miss(self, run: str) -> None:
        """Say that there is no run with the id *run*."""
        self._why = f"There is no run {run}. esc leads to those there are."
        self.repaint()

    def line(self, y: int) -> Line:
        """One of the three lines."""
        width = self.size.width - 2 * _MARGIN
        run = self._run
        if run is None:
            return _filled([(fit(plain(self._why), width), "warning")] if y == 0 else [], width)
        if y == 0:
            return _between(self._title(run), self._times(run), width)
        if y == 1:
            return self._progress(run, width)
        style: Style = "failed" if run.counts.failed or run.state is State.FAILED else "muted"
        return _filled([(fit(plain(self._why), width), style)], width)

    def _title(self, run: RunRow) -> list[Piece]:
        shown = sign(run.state)
        word = "cancelling" if run.cancelling and not run.state.final else shown.word
        return [
            (f"{shown.glyph} {word}", shown.style),
            ("  ", None),
            (plain(run.name), "strong"),
            (f"  {run.id}  on {plain(run.resource, 20)}", "muted"),
        ]

    def _times(self, run: RunRow) -> list[Piece]:
        pace = pace_of(run, self._now)
        if pace.elapsed_s is None:
            return [("not started", "muted")]
        if run.state.final:
            return [
                (f"took {format_duration(pace.elapsed_s)}", None),
                (f", {age_words(self._now - (run.ended or self._now))}", "muted"),
            ]
        pieces: list[Piece] = [(format_duration(pace.elapsed_s), None)]
        if pace.left_s is not None:
            pieces.append((f", ~{format_about(pace.left_s)} left", "muted"))
        return pieces

    def _progress(self, run: RunRow, width: int) -> Line:
        counts = run.counts
        right: list[Piece] = [(f"  {counts.done:,}/{counts.total:,} done", None)]
        for number, state in (
            (counts.failed, State.FAILED),
            (counts.running, State.RUNNING),
            (counts.cancelled, State.CANCELLED),
            (counts.unknown, State.UNKNOWN),
        ):
            if number:
                right.append((f"  {number:,} {state}", sign(state).style))
        pace = pace_of(run, self._now)
        if pace.per_s is not None:
            right.append((f"  {rate_words(pace.per_s)}", "muted"))
        room = width - sum(width_of(text) for text, _ in right)
        while room < 10 and len(right) > 1:
            room += width_of(right.pop()[0])
        return _filled([(bar(worked(counts), max(1, room)), sign(run.state).style), *right], width)


def why_of(run: RunRow, steps: Iterable[StepRow], tasks: Iterable[TaskRow]) -> str:
    """Why *run* is as it is, in a sentence, from its tasks."""
    if run.counts.failed:
        reasons = Counter(task.reason for task in tasks if task.state is State.FAILED)
        most = reasons.most_common(_REASONS)
        named = [f"{number:,}× {reason}" if len(most) > 1 else reason for reason, number in most]
        other = run.counts.failed - sum(number for _, number in most)
        if other > 0 and named:
            named.append(f"{other:,} other")
        tasks_word = "task" if run.counts.failed == 1 else "tasks"
        return f"{run.counts.failed:,} {tasks_word} failed" + (f": {', '.join(named)}" if named else "")
    if run.reason:
        return run.reason
    for step in steps:
        if not step.state.final and step.plan:
            return step.plan
    return next((step.plan for step in steps), "")


def _filled(pieces: list[Piece], width: int) -> Line:
    left = max(0, width - sum(width_of(text) for text, _ in pieces))
    return Line(((" " * _MARGIN, None), *pieces, (" " * (left + _MARGIN), None)))


def _between(left: list[Piece], right: list[Piece], width: int) -> Line:
    """Both ends of a line; where there is no room the left is cut, piece by piece."""
    room = max(0, width - sum(width_of(text) for text, _ in right) - 1)
    kept: list[Piece] = []
    for text, style in left:
        text = fit(text, room)
        room -= width_of(text)
        if text:
            kept.append((text, style))
    return _filled([*kept, (" " * (room + 1), None), *right], width)
