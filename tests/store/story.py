"""A run on a cluster as its store sees it: what its worker writes and its scheduler shows, look by look."""

import json
from dataclasses import replace
from typing import Any

from runners.batches import Cursor, Job, Life, Report
from runners.events import parse_events
from runners.requests import LaunchSpec
from runners.store.creating import NewBatch, NewRun, add_batches, add_run
from runners.store.facts import apply_events
from runners.store.rows import BatchRow, RunRow, TaskRow
from runners.store.verdicts import bury_batch, end_batch, settle
from runners.store.writer import Change, Writer
from runners.tasks import Numbered
from runners.workflow import Item

RUN = "run-1"

Line = dict[str, Any]


def hello(restart: int = 0) -> Line:
    return {"e": "hello", "restart": restart}


def start(i: int, slot: int = 0) -> Line:
    return {"e": "start", "i": i, "slot": slot, "pid": 100 + i}


def end(i: int, state: str = "done", why: str = "", **others: Any) -> Line:
    return {"e": "end", "i": i, "slot": 0, "state": state, "why": why, "wall": 1.0, "cpu": 0.5} | others


def cut_off(i: int, state: str = "cancelled", why: str = "terminated") -> Line:
    """The end of a task that its scheduler ended from outside."""
    return end(i, state, why, signal="SIGTERM", again=True)


def left(*ranges: tuple[int, int], why: str, **others: Any) -> Line:
    return {"e": "left", "i": ranges, "why": why} | others


def bye(why: str = "done", **others: Any) -> Line:
    return {"e": "bye", "why": why, "counts": {}} | others


class Story:
    """One run, of steps with so many tasks each, and time that passes one second a look."""

    def __init__(self, store: Writer, *steps: int) -> None:
        self.store = store
        self.now = 1000.0
        self._seq: dict[tuple[str, int], int] = {}
        self._batches = 0
        workflow = {"name": "w", "steps": [{"name": f"s{n}", "command": ["true"]} for n in range(len(steps))]}
        spec = LaunchSpec.model_validate(
            {"name": "test", "resource": "uzh", "workflow": workflow, "workdir": "/"}
        )
        tasks: list[tuple[int, Numbered]] = []
        for step, count in enumerate(steps):
            first = len(tasks)
            tasks += ((step, Numbered(first + n, n, Item(value=str(n)))) for n in range(count))
        with store.change() as change:
            add_run(change, NewRun(RUN, spec, "/jobs/run-1", tasks, []), now=self.now)

    def batch(self, *tasks: int, step: int = 0) -> str:
        """Put tasks that wait for one into a batch, and start it; its token."""
        token = f"t{self._batches}"
        new = NewBatch(token, self._batches, step, 2, f"/jobs/run-1/{token}", tasks)
        self._batches += 1
        with self.store.change() as change:
            add_batches(change, RUN, "", [new], now=self.now)
            change.update("batches", {"token": token}, {"native_id": "17", "host": ""})
        return token

    def look(
        self,
        token: str,
        *lines: Line,
        job: Job | None = None,
        life: Life = Life.ALIVE,
        requeued: bool = False,
        why: str = "",
        restart: int | None = None,
        cut_at: int | None = None,
    ) -> bool:
        """One look at a batch, as the engine takes it in; whether that ended the batch.

        *restart*: from here on, the reader is in the events of that start. *cut_at*: so many of the lines,
        and a half one, are read in the first of two looks.
        """
        if cut_at is not None:
            self.look(token, *lines[:cut_at])
            lines = lines[cut_at:]
        self.now += 1.0
        row = self.row(token)
        data = b"".join(self._line(row, line) for line in lines)
        events, taken = parse_events(data + b'{"s": 1, "t', full=False)
        assert taken == len(data)
        cursor = Cursor(row.restart, row.offset + taken, row.part)
        if any(line["e"] == "next" for line in lines):
            cursor = Cursor(row.restart, 0, row.part + 1)
        if restart is not None:
            cursor = Cursor(restart)
        report = Report(token, events, cursor, life, job=job, requeued=requeued, why=why)
        with self.store.change() as change:
            ended = self._take_in(change, change.batch(token), report)
            settle(change, RUN, now=self.now)
        return ended

    def _take_in(self, change: Change, row: BatchRow, report: Report) -> bool:
        if apply_events(change, row, report, now=self.now):
            end_batch(change, row, now=self.now)
            return True
        if report.life is Life.GONE:
            bury_batch(change, row, now=self.now, why=report.why)
            return True
        return False

    def _line(self, row: BatchRow, line: Line) -> bytes:
        key = (row.token, row.restart)
        self._seq[key] = self._seq.get(key, 0) + 1
        return json.dumps({"s": self._seq[key], "t": self.now} | line).encode() + b"\n"

    # What the rows say

    @property
    def run(self) -> RunRow:
        return self.store.run(RUN)

    def row(self, token: str) -> BatchRow:
        return next(batch for batch in self.store.batches(RUN) if batch.token == token)

    def tasks(self) -> list[TaskRow]:
        return self.store.tasks(RUN)

    def states(self) -> str:
        """The first letter of the state of each task."""
        return "".join(task.state.value[0] for task in self.tasks())

    def reasons(self) -> list[str]:
        return [task.reason for task in self.tasks()]

    def counts(self) -> tuple[dict[str, int], ...]:
        """Of the run and its steps: only what is not 0. They are the same tasks, counted."""
        steps = self.store.steps(RUN)
        told = [self.run.counts, *(step.counts for step in steps)]
        by_state: dict[str, int] = {}
        for task in self.tasks():
            by_state[task.state.value] = by_state.get(task.state.value, 0) + 1
        found = [{name: n for name, n in counts.as_dict().items() if n} for counts in told]
        assert found[0] == by_state
        return tuple(found)


RUNNING = Job("17", "RUNNING", partition="main", hosts="c[1-2]", nodes=2, elapsed_s=10.0, limit_s=3600.0)
WAITING = Job("17", "PENDING", reason="BeginTime", partition="main,gpu", limit_s=3600.0)


def ended_as(word: str, reason: str = "") -> Job:
    """The job as its scheduler shows it after its end."""
    return replace(RUNNING, state=word, reason=reason)
