"""Why the batches and tasks of one run are as they are, by what the store keeps of it. Imports no textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runners.explanation import Explanation
from runners.states import State
from runners.store.reader import Reader
from runners.store.rows import BatchRow, RunRow, TaskRow
from tui.explaining import Shared, advice_for_run, causes, explain_batch, explain_task, explain_waiting


class Whys:
    """Explanations of the batches and tasks of one run."""

    def __init__(self, store: Reader, run: RunRow) -> None:
        """Read what there is to know of *run*.

        Raises:
            StoreError: the store can't be read.
        """
        self._shared = Shared(run, store.launch_spec(run.id).get("workflow", {}))
        self.batches: Sequence[BatchRow] = store.batches(run.id)
        self.failed: Sequence[TaskRow] = (
            store.tasks(run.id, states=[State.FAILED]) if run.counts.failed else ()
        )
        self._by_token = {batch.token: batch for batch in self.batches}
        self._advice = advice_for_run(self.failed, self.batches, self._shared)
        self._known: dict[tuple[object, ...], Explanation | None] = {}

    @property
    def advised(self) -> Mapping[str, str]:
        """What a retry of the run should give each task, as it is typed; empty where nothing is advised."""
        return self._advice.more

    def of_batch(self, batch: BatchRow) -> Explanation | None:
        """Why *batch* waits or has failed."""
        told = explain_batch(batch, self._shared)
        return None if told is None else self._advice.of(told)

    def of_task(self, task: TaskRow) -> Explanation | None:
        """Why *task* waits or has failed."""
        # Thousands of tasks have the same to tell, but each its own memory.
        peak = task.max_rss_mb if "memory" in task.reason else None
        key = (task.state, task.reason, task.step, task.batch, peak)
        if key not in self._known:
            told = explain_task(task, self._by_token.get(task.batch or ""), self._shared)
            self._known[key] = None if told is None else self._advice.of(told)
        return self._known[key]

    def of_run(self) -> Explanation | None:
        """Why the run does not go on, or why most of what failed of it did."""
        return self.held() or next((explained for explained, _ in self.failures()), None)

    def held(self) -> Explanation | None:
        """Why the run does not go on."""
        return explain_waiting(self.batches, self._shared)

    def failures(self) -> Sequence[tuple[Explanation, int]]:
        """Why tasks failed, and how many for each cause."""
        return causes(map(self.of_task, self.failed))

    def waiting(self) -> Sequence[tuple[Explanation, int]]:
        """Why batches wait, and how many for each cause."""
        return causes(self.of_batch(batch) for batch in self.batches if not batch.state.final)


def advised_of(store: Reader, run: RunRow) -> Mapping[str, str]:
    """What a retry of *run* should give each task, as it is typed; empty where nothing is advised.

    Raises:
        StoreError: the store can't be read.
    """
    return Whys(store, run).advised if run.counts.failed else {}
