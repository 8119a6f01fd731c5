"""Why a batch or a task is as it is, and what to do, from the rows of the store. Imports no textual."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from runners.config.units import parse_duration, parse_memory
from runners.explanation import About, Explanation, Need
from runners.remedies import explain_failure
from runners.slurm.reasons import explain_reason
from runners.states import State
from runners.store.rows import BatchRow, RunRow, TaskRow
from tui.alike import alike

_NOT_SLURM = frozenset({"", "alive", "gone"})

_HELD: Final[Mapping[str, str]] = {
    "REQUEUE_HOLD": "JobHeldUser",
    "SPECIAL_EXIT": "job requeued in special exit state",
    "RESV_DEL_HOLD": "ReservationDeleted",
}
"""States in which a job waits for somebody, whatever its reason, and the words for that."""

MOST = 5
"""Causes that are told of one run."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all batches and tasks of a run share, for explanations."""

    run: RunRow
    workflow: Mapping[str, Any]
    """What was launched."""

    def about(self, batch: BatchRow | None, step: int) -> About:
        """What is known of *batch*, of the step at this position."""
        slurm = self.run.profile is not None
        job = batch.native_id.partition(";")[0] if batch is not None and slurm else ""
        return About(
            job=job if job.isascii() and job.isdigit() else "",
            resource=self.run.resource,
            run=self.run.id,
            partition="" if batch is None else batch.partition,
            hosts="" if batch is None else batch.hosts,
            limit_s=None if batch is None else batch.limit_s,
            in_turn=1 if batch is None else max(1, -(-batch.counts.total // max(1, batch.slots))),
            slurm=slurm,
            own=self._own(step),
        )

    def _own(self, step: int) -> Mapping[str, object]:
        """What the step asks for itself."""
        try:
            meta = self.workflow["steps"][step]["meta"] or {}
            return {key: value for key, value in meta.items() if value is not None}
        except (LookupError, TypeError, AttributeError):
            # Kept by another version of Runyard, or nothing is asked for.
            return {}


def explain_batch(batch: BatchRow, shared: Shared) -> Explanation | None:
    """Why *batch* waits, or has failed; None where there is nothing to say."""
    about = shared.about(batch, batch.step)
    if batch.state.final:
        if batch.state is State.DONE:
            return None
        return explain_failure(batch.reason, replace(about, slots=batch.slots))
    if batch.state is State.RUNNING:
        return None
    if batch.reason:
        return explain_failure(batch.reason, about)
    told = None if batch.scheduler_state in _NOT_SLURM else explain_reason(batch.scheduler_reason, about)
    held = _HELD.get(batch.scheduler_state)
    if held and (told is None or told.need is Need.WAITS):
        return explain_reason(held, about)
    return told


def explain_task(
    task: TaskRow, batch: BatchRow | None, shared: Shared, says: Sequence[str] = ()
) -> Explanation | None:
    """Why *task* of *batch* waits, or has failed; *says* are the last lines that it printed."""
    if task.state is State.PENDING:
        return None if batch is None else explain_batch(batch, shared)
    if not task.state.final or task.state is State.DONE:
        return None
    about = replace(shared.about(batch, task.step), peak_mb=task.max_rss_mb)
    if batch is not None and batch.reason and task.reason.endswith(batch.reason):
        # What the batch asked for is for all its slots.
        about = replace(about, slots=batch.slots)
    return explain_failure(task.reason, about, says)


def explain_waiting(batches: Iterable[BatchRow], shared: Shared) -> Explanation | None:
    """Why a run does not go on: its own reason, or that for which its open *batches* wait.

    What a person has to do something about is told though others of them run or wait for their turn.
    """
    run = shared.run
    if run.reason and not run.state.final:
        return explain_failure(run.reason, shared.about(None, 0))
    still_open = [batch for batch in batches if not batch.state.final]
    # Hundreds wait for the same: the first of them stands for all.
    waiting = [batch for batch in still_open if batch.state is State.PENDING]
    alike = {_reasons(batch): batch for batch in reversed(waiting)}
    known = {reasons: explain_batch(batch, shared) for reasons, batch in alike.items()}
    told = [known[_reasons(batch)] for batch in waiting]
    pressing = [each for each in told if each is not None and each.need is not Need.WAITS]
    if not pressing and len(told) < len(still_open):
        return None
    for explained, number in causes(pressing or told, 1):
        if number == len(still_open):
            return explained
        words = explained.sentence[:1].lower() + explained.sentence[1:]
        return replace(explained, sentence=f"{number:,} of {len(still_open):,} batches: {words}")
    return None


def _reasons(batch: BatchRow) -> tuple[object, ...]:
    """What the explanation of a batch that waits depends on, but for its own names."""
    return batch.step, batch.reason, batch.scheduler_state, batch.scheduler_reason, batch.partition


ForRun = Callable[[Explanation], Explanation]
"""What :meth:`RunAdvice.of` does."""


class RunAdvice:
    """What to do about all that failed in a run: whoever retries one of its tasks retries all of them."""

    def __init__(self, explanations: Iterable[Explanation | None]) -> None:
        """*explanations* of all that failed; None of what there is nothing to say of."""
        self._most: dict[str, Explanation] = {}
        """By cause, the explanation that asks for the most: it helps all."""
        more: dict[str, set[str]] = {}
        for explained in explanations:
            if explained is None:
                continue
            most = self._most.get(explained.cause)
            if most is None or explained.amount > most.amount:
                self._most[explained.cause] = explained
            if explained.more is not None:
                more.setdefault(explained.more[0], set()).add(explained.more[1])
        self.more: Mapping[str, str] = {
            name: max(values, key=parse_memory if name == "mem" else parse_duration)
            for name, values in sorted(more.items())
        }
        """What a retry should give each task, as ``{"mem": "320M"}``: of what is advised the largest."""

    def of(self, explained: Explanation) -> Explanation:
        """*explained*, with a remedy that helps all which failed, and not just the one that it is of."""
        most = self._most.get(explained.cause, explained)
        if most.amount > explained.amount:
            explained = replace(most, sentence=explained.sentence)
        if explained.more is not None:
            name, value = explained.more
            larger = self.more.get(name, value)
            remedy = re.sub(rf"(?<= --{name} ){re.escape(value)}$", larger, explained.remedy)
            explained = replace(explained, remedy=remedy, more=(name, larger))
        return explained


def advice_for_run(tasks: Iterable[TaskRow], batches: Iterable[BatchRow], shared: Shared) -> RunAdvice:
    """What to do about those of all *tasks* of a run that have failed."""
    by_token = {batch.token: batch for batch in batches}
    # Thousands may have failed for the same: of these, the one that held the most memory calls for the most.
    alike: dict[tuple[object, ...], TaskRow] = {}
    for task in tasks:
        if task.state is State.FAILED:
            known = alike.setdefault((task.reason, task.step, task.batch), task)
            if (task.max_rss_mb or 0.0) > (known.max_rss_mb or 0.0):
                alike[task.reason, task.step, task.batch] = task
    return RunAdvice(explain_task(task, by_token.get(task.batch or ""), shared) for task in alike.values())


def causes(explanations: Iterable[Explanation | None], most: int = MOST) -> Sequence[tuple[Explanation, int]]:
    """One explanation for each cause and how many have it, the most frequent first; at most *most* of them.

    Its sentence is what most of them say, with the span of their amounts.
    """
    by_cause: dict[str, list[Explanation]] = {}
    for explained in explanations:
        if explained is not None:
            by_cause.setdefault(explained.cause, []).append(explained)
    found = []
    for each in sorted(by_cause.values(), key=len, reverse=True)[:most]:
        told = alike(explained.sentence for explained in each)[0]
        found.append((replace(each[told.first], sentence=told.text), len(each)))
    return found
