"""All that is known of one task, in a few lines."""

from __future__ import annotations

from runners.config.units import format_duration, format_mb
from runners.states import State
from runners.store.rows import BatchRow, StepRow, TaskRow
from tui.signs import sign
from tui.text import plain
from tui.widgets.line_view import Line, LineView, Piece
from tui.widgets.piece_line import line_of


class TaskDetail(LineView):
    """Shows one task: item, verdict and why, what it used, where it ran, its command."""

    DEFAULT_CSS = """
    TaskDetail { height: 4; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[list[Piece]] = []

    def show(self, task: TaskRow | None, batch: BatchRow | None, step: StepRow | None, now: float) -> None:
        """Show *task*, of *batch* and *step*, as it is at the moment *now*; None shows nothing."""
        self._texts = [] if task is None else _lines(task, batch, step, now)
        self.repaint()

    def line(self, y: int) -> Line:
        """One of the lines."""
        return line_of(self._texts[y] if y < len(self._texts) else (), (), self.size.width)


def _lines(task: TaskRow, batch: BatchRow | None, step: StepRow | None, now: float) -> list[list[Piece]]:
    shown = sign(task.state)
    verdict = f"{shown.glyph} task {task.index} {shown.word}"
    first: list[Piece] = [(verdict, shown.style)]
    if task.reason and task.reason != task.state:
        first.append((f": {plain(task.reason)}", shown.style))
    where: list[Piece] = []
    if batch is not None:
        where = _pairs(
            [
                ("slot", "" if task.slot is None else str(task.slot)),
                ("batch", str(batch.number)),
                ("on", plain(batch.host, 40)),
                ("token", batch.token),
            ]
        )
    return [
        [*first, ("  ", None), (plain(task.item), None)],
        _pairs(_used(task, now)),
        where,
        [("command ", "muted"), (plain(step.command), None)] if step is not None else [],
    ]


def _used(task: TaskRow, now: float) -> list[tuple[str, str]]:
    if task.state is State.PENDING:
        return [("", "It has not started: it waits for a free slot.")]
    wall = task.wall_s
    if wall is None and task.started is not None and task.state is State.RUNNING:
        wall = now - task.started
    cpu = "" if task.cpu_s is None else f"{task.cpu_s:.1f} s"
    if cpu and task.wall_s:
        cpu += f" ({100 * (task.cpu_s or 0) / task.wall_s:.0f} %)"
    return [
        ("exit", "" if task.exit_code is None else str(task.exit_code)),
        ("signal", task.signal or ""),
        ("wall", "" if wall is None else (f"{wall:.1f} s" if wall < 60 else format_duration(wall))),
        ("CPU", cpu),
        ("memory", "" if task.max_rss_mb is None else format_mb(task.max_rss_mb)),
        ("left behind", f"{task.left} processes" if task.left else ""),
        ("log", {None: "", 0: "empty"}.get(task.log_bytes, f"{(task.log_bytes or 0):,} bytes")),
    ]


def _pairs(pairs: list[tuple[str, str]]) -> list[Piece]:
    pieces: list[Piece] = []
    for name, value in pairs:
        if value:
            if pieces:
                pieces.append(("   ", None))
            if name:
                pieces.append((f"{name} ", "muted"))
            pieces.append((value, None))
    return pieces
