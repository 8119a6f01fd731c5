"""Why batches wait and tasks have failed, and what to do: for people, each cause once, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runners.explanation import Explanation
from runners.remedies import PLAIN
from runners.states import State
from runners.store.reader import Reader
from runners.store.rows import BatchRow, RunRow, TaskRow
from tui import output
from tui.explaining import Shared, causes, explain_batch, explain_task, explain_waiting


class Whys:
    """Explanations of the batches and tasks of one run."""

    def __init__(self, store: Reader, run: RunRow) -> None:
        self._shared = Shared(run, store.launch_spec(run.id).get("workflow", {}))
        self.batches: Sequence[BatchRow] = store.batches(run.id)
        self._by_token = {batch.token: batch for batch in self.batches}
        self._known: dict[tuple[object, ...], Explanation | None] = {}

    def of_batch(self, batch: BatchRow) -> Explanation | None:
        """Why *batch* waits or has failed."""
        return explain_batch(batch, self._shared)

    def of_task(self, task: TaskRow) -> Explanation | None:
        """Why *task* waits or has failed."""
        # Thousands of tasks have the same to tell, but each its own memory.
        peak = task.max_rss_mb if "memory" in task.reason else None
        key = (task.state, task.reason, task.step, task.batch, peak)
        if key not in self._known:
            batch = self._by_token.get(task.batch or "")
            self._known[key] = explain_task(task, batch, self._shared)
        return self._known[key]

    def of_run(self, failed: Iterable[TaskRow]) -> Explanation | None:
        """Why the run does not go on, or why most of its *failed* tasks have failed."""
        told = explain_waiting(self.batches, self._shared)
        return told or next((explained for explained, _ in causes(map(self.of_task, failed))), None)

    def waiting(self) -> Sequence[tuple[Explanation, int]]:
        """Why batches wait, and how many for each cause."""
        return causes(self.of_batch(batch) for batch in self.batches if not batch.state.final)


def why_object(explained: Explanation | None) -> dict[str, Any]:
    """*explained* as a part of a JSON object."""
    if explained is None:
        return {"why": "", "remedy": ""}
    return {"why": explained.sentence, "remedy": explained.remedy}


def print_causes(title: str, told: Sequence[tuple[Explanation, int]], noun: str) -> None:
    """Print each cause under a *title*, how many (things called *noun*) have it, and what to do."""
    told = [(explained, number) for explained, number in told if explained.cause != PLAIN]
    if not told:
        return
    output.line()
    output.line(title)
    for explained, number in told:
        plural = "es" if noun.endswith("ch") else "s"
        output.line(f"  {number:,} {noun}{plural if number != 1 else ''}: {explained.sentence}")
        output.line(f"    {explained.remedy}")


def failures(whys: Whys, tasks: Iterable[TaskRow]) -> Sequence[tuple[Explanation, int]]:
    """Why those of *tasks* that have failed did, and how many for each cause."""
    return causes(whys.of_task(task) for task in tasks if task.state is State.FAILED)
