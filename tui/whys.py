"""Why the batches and tasks of one run are as they are, by what the store keeps of it. Imports no textual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from runners.explanation import Explanation
from runners.states import State
from runners.store.reader import Reader
from runners.store.rows import BatchRow, RunRow, TaskRow
from tui.explaining import Shared, advised, causes, explain_batch, explain_task, explain_waiting


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


def advised_of(store: Reader, run: RunRow) -> Mapping[str, str]:
    """What a retry of *run* should give each task, as it is typed; empty where nothing is advised.

    Raises:
        StoreError: the store can't be read.
    """
    if not run.counts.failed:
        return {}
    whys = Whys(store, run)
    return advised(map(whys.of_task, store.tasks(run.id, states=[State.FAILED])))
