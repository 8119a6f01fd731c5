"""The head of the Run screen: what the run is, how far it is, and why it is as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from runners.config.units import format_about, format_time
from runners.explanation import Explanation
from runners.states import State
from runners.store.rows import Counts, RunRow, StepRow, TaskRow
from tui.alike import alike
from tui.pace import Load, Pace, age_words, pace_of, rate_words, worked
from tui.signs import Style, bar_segments, sign
from tui.text import plain, width_of
from tui.widgets.line_view import Line, LineView, Piece
from tui.widgets.piece_line import MARGIN, PieceLine, line_of

_REASONS = 3
"""Reasons that a sentence names before it says "other"; one more where that would be the last."""

_NARROWEST_BAR = 8

WHOLE = "e"
"""The key that shows the sentence in full."""


class Bar(LineView):
    """The progress of a run. A widget of its own: what stands beside it changes more often."""

    DEFAULT_CSS = """
    Bar { width: 1fr; height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts = Counts()
        self._state = State.PENDING

    def show(self, counts: Counts, state: State) -> None:
        """Show how far the *counts* of a run in this *state* are."""
        self._counts, self._state = worked(counts), state
        self.repaint()

    def line(self, y: int) -> Line:
        """The bar."""
        segments = bar_segments(self._counts, max(1, self.size.width - 2 * MARGIN), self._state)
        return line_of(segments, (), self.size.width)


class RunHead(Vertical):
    """Title, progress, the steps where there are several, and a sentence."""

    DEFAULT_CSS = """
    RunHead {
        height: auto;
        & > Horizontal { height: 1; }
        & #figures { width: auto; }
        & #steps { display: none; }
    }
    """

    def compose(self) -> ComposeResult:
        """Line by line."""
        yield PieceLine(id="title")
        with Horizontal():
            yield Bar()
            yield PieceLine(id="figures")
        yield PieceLine(id="steps")
        yield PieceLine(id="why")

    def show(
        self,
        run: RunRow,
        steps: Sequence[StepRow],
        why: str,
        now: float,
        load: Load | None,
        *,
        warns: bool = False,
    ) -> None:
        """Show *run* with its *steps*, under its *load*, as it is *now*; *why* is its sentence.

        *warns* is whether that tells of something that a person should look at.
        """
        pace = pace_of(run, now, load)
        self._line("title").show(_title(run), _times(run, pace, now))
        self.query_one(Bar).show(run.counts, run.state)
        self._show_figures(_figures(run, pace), ended=run.state.final)
        self._line("steps").display = len(steps) > 1
        self._line("steps").show(_steps(steps))
        failed = run.counts.failed or run.state is State.FAILED
        waits = warns or (why == run.reason and not run.state.final)
        style: Style = "warning" if waits else "failed" if failed else "muted"
        cut = 0 < self.size.width < width_of(plain(why)) + 2 * MARGIN
        self._line("why").show([(plain(why), style)], [(f"  {WHOLE} shows all", "muted")] if cut else ())

    def miss(self, run: str) -> None:
        """Say that there is no run with the id *run*."""
        self._line("title").show(
            [(f"There is no run {plain(run)}. esc leads to those there are.", "warning")]
        )

    def _show_figures(self, figures: list[Piece], *, ended: bool) -> None:
        line = self._line("figures")
        room = self.size.width - _NARROWEST_BAR - 2 * MARGIN
        while len(figures) > 1 and _width(figures) > room:
            figures.pop()
        needed = _width(figures) + 2 * MARGIN
        # While it goes on it only grows: the bar must not dance with the number of digits beside it.
        if needed > line.size.width or line.size.width > room or (ended and needed < line.size.width):
            line.styles.width = needed
        line.show((), figures)

    def _line(self, name: str) -> PieceLine:
        return self.query_one(f"#{name}", PieceLine)


def why_of(
    run: RunRow, steps: Iterable[StepRow], tasks: Iterable[TaskRow], waits: Explanation | None = None
) -> str:
    """Why *run* is as it is, in a sentence, from its tasks, or from that for which all of it *waits*."""
    if run.counts.failed:
        reasons = alike(task.reason for task in tasks if task.state is State.FAILED)
        most = reasons[: _REASONS + (len(reasons) == _REASONS + 1)]
        named = [f"{number:,}× {reason}" if len(most) > 1 else reason for reason, number, _ in most]
        other = run.counts.failed - sum(number for _, number, _ in most)
        if other > 0 and named:
            named.append(f"{other:,} other")
        tasks_word = "task" if run.counts.failed == 1 else "tasks"
        return f"{run.counts.failed:,} {tasks_word} failed" + (f": {', '.join(named)}" if named else "")
    if run.reason:
        return run.reason
    if waits is not None:
        return f"{waits.sentence} {waits.remedy}"
    for step in steps:
        if not step.state.final and step.plan:
            return step.plan
    return next((step.plan for step in steps), "")


def _title(run: RunRow) -> list[Piece]:
    shown = sign(run.state)
    word = "cancelling" if run.cancelling and not run.state.final else shown.word
    return [
        (f"{shown.glyph} {word}", shown.style),
        ("  ", None),
        (plain(run.name), "strong"),
        (f"  {run.id}  on {_where(run)}", "muted"),
        (f"  retry of {run.retry_of}" if run.retry_of else "", "muted"),
    ]


def _where(run: RunRow) -> str:
    return plain(run.resource, 20) + (f" as {plain(run.profile, 20)}" if run.profile else "")


def _steps(steps: Sequence[StepRow]) -> list[Piece]:
    """All steps in order, each with its sign; before them, which one it is at."""
    current = next((n for n, step in enumerate(steps) if not step.state.final), None)
    at = f"{len(steps)} steps  " if current is None else f"step {current + 1} of {len(steps)}  "
    pieces: list[Piece] = [(at, "muted")]
    for n, step in enumerate(steps):
        if n:
            then = "then " if current is not None and n == current + 1 else ""
            pieces.append((f"  ·  {then}", "muted"))
        shown = sign(step.state)
        pieces += [
            (shown.glyph, shown.style),
            (f" {plain(step.name, 40)}", "strong" if n == current else None),
        ]
        if n == current:
            pieces.append((f" {step.counts.done:,}/{step.counts.total:,}", "muted"))
    return pieces


def _times(run: RunRow, pace: Pace, now: float) -> list[Piece]:
    if pace.elapsed_s is None:
        return [("  not started", "muted")]
    if run.state.final:
        ended = now if run.ended is None else run.ended
        return [(f"  took {format_time(pace.elapsed_s)}", None), (f", {age_words(now - ended)}", "muted")]
    pieces: list[Piece] = [(f"  {format_time(pace.elapsed_s, going=True)}", None)]
    if pace.left_s is not None:
        pieces.append((f", ~{format_about(pace.left_s)} left", "muted"))
    return pieces


def _figures(run: RunRow, pace: Pace) -> list[Piece]:
    """How many tasks are how far; what matters least comes last."""
    counts = run.counts
    figures: list[Piece] = [(f"{counts.done:,}/{counts.total:,} done", None)]
    for number, state in (
        (counts.failed, State.FAILED),
        (counts.running, State.RUNNING),
        (counts.cancelled, State.CANCELLED),
        (counts.unknown, State.UNKNOWN),
    ):
        if number:
            figures.append((f"  {number:,} {state}", sign(state).style))
    if pace.per_s is not None:
        figures.append((f"  {rate_words(pace.per_s)}", "muted"))
    return figures


def _width(pieces: list[Piece]) -> int:
    return sum(width_of(text) for text, _ in pieces)
