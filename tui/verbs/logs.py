"""`runyard logs RUN [TASK]`: what tasks have printed."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from runners.config.home import Home
from runners.states import State
from runners.store.reader import Reader
from runners.store.rows import RunRow, TaskRow
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.asking import read_log
from tui.verbs.log_stream import LogStream
from tui.verbs.opening import add_run, example, found_run

_PIECE = 1 << 20
"""Bytes that are asked for at a time."""

_TAIL = 4096
"""Bytes from the end of each log where several are printed."""

_MOST = 20
"""Logs that are printed at once."""

_PAUSE_S = 0.5


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "Print the log of a task. Without TASK: of the only task of the run, or the ends of the logs of "
        "those that failed. In a terminal all but colours is made harmless; elsewhere it comes as it is.",
        "runyard logs last",
        "runyard logs 3k9m 17 -f",
        "runyard logs 3k9m 17 > task.log",
    )
    add_run(parser)
    parser.add_argument("task", metavar="TASK", type=int, nargs="?", help="the number of a task")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the task has ended")


def execute(args: argparse.Namespace, home: Home) -> int:
    """Print it."""
    with found_run(home, args.run) as (store, run):
        tasks = _chosen(store, run, args.task)
        if len(tasks) == 1:
            _print_one(home, store, tasks[0], follow=args.follow)
        elif args.follow:
            first = tasks[0].index
            raise Failure(f"Only one log can be followed: name a task (`runyard logs {run.id} {first} -f`).")
        else:
            _print_ends(home, tasks)
    return ExitCode.OK


def _chosen(store: Reader, run: RunRow, index: int | None) -> Sequence[TaskRow]:
    if index is not None:
        return [store.task(run.id, index)]
    if run.counts.total == 1:
        return store.tasks(run.id)
    failed = store.tasks(run.id, states=[State.FAILED])
    if not failed:
        raise Failure(
            f"Run {run.id} has {run.counts.total:,} tasks and none failed: "
            f"name one (`runyard logs {run.id} 0`)."
        )
    return failed


def _print_one(home: Home, store: Reader, task: TaskRow, *, follow: bool) -> None:
    printer = _Printer()
    offset = 0
    while True:
        # Looked at before the log is: what an ended task has printed is then all there.
        row = store.task(task.run, task.index)
        chunk = read_log(home, task.run, task.index, offset, _PIECE)
        printer.print(chunk.data)
        offset = chunk.offset + len(chunk.data)
        if chunk.data and offset < chunk.size:
            continue
        if not follow or row.state.final:
            break
        time.sleep(_PAUSE_S)
    printer.end()
    if offset == 0:
        output.note(_no_log(row))


def _print_ends(home: Home, tasks: Sequence[TaskRow]) -> None:
    for task in tasks[:_MOST]:
        reason = f": {task.reason}" if task.reason else ""
        output.line(f"==> task {task.index}  {task.item}{reason} <==")
        chunk = read_log(home, task.run, task.index, -_TAIL, _TAIL)
        data = chunk.data
        if chunk.offset > 0:
            # What was cut through begins in the middle of a line, perhaps of a letter.
            cut = data.find(b"\n") + 1
            data = data[cut:]
            output.line(f"[the first {chunk.offset + cut:,} bytes are left out]")
        printer = _Printer()
        printer.print(data)
        printer.end()
        if not chunk.size:
            output.line(f"[{_no_log(task)}]")
        elif not data.endswith(b"\n"):
            output.line()
        output.line()
    if len(tasks) > _MOST:
        output.line(f"and {len(tasks) - _MOST:,} more: runyard tasks {tasks[0].run} --state failed")


def _no_log(task: TaskRow) -> str:
    if task.state is State.PENDING:
        return f"task {task.index} has not started yet, so it has no log"
    if task.started is None:
        return f"task {task.index} never started, so it has no log ({task.reason or task.state})"
    return f"task {task.index} has printed nothing" + ("" if task.state.final else " yet")


class _Printer:
    """Hands a log to standard output: harmless to a terminal, byte for byte to anything else."""

    def __init__(self) -> None:
        self._stream = LogStream() if output.to_terminal() else None

    def print(self, data: bytes) -> None:
        if self._stream is None:
            output.raw(data)
        else:
            output.text(self._stream.feed(data))

    def end(self) -> None:
        if self._stream is not None:
            output.text(self._stream.end())
