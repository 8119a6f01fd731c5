"""All that is known of one task, in as many lines as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runners.config.units import format_peak_mb, format_time
from runners.explanation import Explanation
from runners.remedies import PLAIN
from runners.states import State
from runners.store.rows import BatchRow, SlotRow, TaskRow
from tui.batch_words import why_words
from tui.signals import in_words
from tui.signs import sign
from tui.text import plain
from tui.widgets.line_view import Piece
from tui.widgets.paragraph_view import ParagraphView
from tui.widgets.paragraphs import Facts, Paragraph, Passage, facts
from tui.widgets.remedy import remedy_of


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to tell of one task."""

    task: TaskRow
    item: str
    command: str
    """What it ran, or before that is known, the command of its step."""
    says: Sequence[str] = ()
    """The last lines of its log, plain, where it failed."""
    batch: BatchRow | None = None
    slot: SlotRow | None = None
    """Where it runs at the moment."""
    why: Explanation | None = None
    """Why it waits or has failed, and what to do."""


class TaskDetail(ParagraphView):
    """Shows one task: item, verdict and why, what it used, where it ran, what it said, its command."""

    WHOLE = "e"

    DEFAULT_CSS = """
    TaskDetail { height: 4; color: $foreground; }
    """

    def show(self, told: Told | None, now: float) -> None:
        """Show this task as it is at the moment *now*; None shows nothing."""
        self.tell(() if told is None else _paragraphs(told, now))


def _paragraphs(told: Told, now: float) -> list[Paragraph]:
    task = told.task
    shown = sign(task.state)
    verdict: list[Piece] = [(f"{shown.glyph} task {task.index} {shown.word}", shown.style)]
    reason = plain(in_words(task.reason)) if task.reason != task.state else ""
    why: list[Sequence[Piece]] = [[(reason, shown.style)]] if reason else []
    said: list[Paragraph] = [Passage([("says  ", "muted")], told.says, which="last")] if told.says else []
    return [
        Passage([*verdict, ("  item ", "muted")], [plain(told.item)], keep="end"),
        Facts([*why, *_facts(told, now).facts]),
        *_remedy(told),
        *said,
        Passage([("command ", "muted")], [plain(line) for line in told.command.splitlines()]),
        _where(told),
    ]


def _remedy(told: Told) -> list[Passage]:
    """What to do. Where the last lines of the log are the best that can be told, these are shown instead."""
    if told.why is None or told.why.cause == PLAIN:
        return []
    return remedy_of(told.why, None if told.task.state is State.PENDING else in_words(told.task.reason))


def _waits(batch: BatchRow | None) -> str:
    """Why a task has not started, as a sentence."""
    if batch is None or batch.state is not State.PENDING:
        return "It has not started: it waits for a free slot."
    why = plain(why_words(batch)).rstrip(".")
    return f"It has not started, nor has its batch {batch.number}" + (f": {why}." if why else ".")


def _facts(told: Told, now: float) -> Facts:
    task, slot = told.task, told.slot
    if task.state is State.PENDING:
        return Facts([[(_waits(told.batch), None)]])
    wall = "" if task.wall_s is None else format_time(task.wall_s)
    if not wall and task.started is not None and task.state is State.RUNNING:
        wall = format_time(now - task.started, going=True)
    cpu = "" if task.cpu_s is None else format_time(task.cpu_s)
    if cpu and task.wall_s:
        cpu += f" ({100 * (task.cpu_s or 0) / task.wall_s:.0f} %)"
    elif slot is not None and slot.cpu_percent is not None:
        cpu = f"{slot.cpu_percent:.0f} %"
    memory = task.max_rss_mb if slot is None else slot.rss_mb
    return facts(
        ("exit", "" if task.exit_code is None or "exit code" in task.reason else str(task.exit_code)),
        ("signal", "" if task.signal is None or task.signal in task.reason else task.signal),
        ("wall", wall),
        ("CPU", cpu),
        ("memory", "" if memory is None else format_peak_mb(memory)),
        ("left behind", f"{task.left:,} processes" if task.left else ""),
        ("log", {None: "", 0: "empty"}.get(task.log_bytes, f"{task.log_bytes or 0:,} bytes")),
    )


def _where(told: Told) -> Facts:
    task, batch = told.task, told.batch
    if batch is None:
        return Facts([])
    return facts(
        ("slot", "" if task.slot is None else str(task.slot)),
        ("batch", str(batch.number)),
        ("on", plain(batch.host, 40)),
    )
