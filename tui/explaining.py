"""Why a batch or a task is as it is, and what to do, from the rows of the store. Imports no textual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from runners.config.units import parse_duration, parse_memory
from runners.explanation import About, Explanation, Need
from runners.remedies import explain_failure
from runners.slurm.reasons import explain_reason
from runners.states import State
from runners.store.rows import BatchRow, RunRow, TaskRow

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


def causes(explanations: Iterable[Explanation | None], most: int = MOST) -> Sequence[tuple[Explanation, int]]:
    """One explanation for each cause and how many have it, the most frequent first; at most *most* of them.

    Of one cause the explanation that asks for the most is taken: it helps all.
    """
    found: dict[str, Explanation] = {}
    counts: dict[str, int] = {}
    for explained in explanations:
        if explained is None:
            continue
        counts[explained.cause] = counts.get(explained.cause, 0) + 1
        before = found.get(explained.cause)
        if before is None or explained.amount > before.amount:
            found[explained.cause] = explained
    order = sorted(found, key=lambda cause: -counts[cause])
    return [(found[cause], counts[cause]) for cause in order[:most]]


def advised(explanations: Iterable[Explanation | None]) -> Mapping[str, str]:
    """What a retry should give each task, as ``{"mem": "320M"}``: of what is advised the largest."""
    found: dict[str, str] = {}
    for name, value in {each.more for each in explanations if each is not None and each.more is not None}:
        parse = parse_memory if name == "mem" else parse_duration
        if name not in found or parse(value) > parse(found[name]):
            found[name] = value
    return dict(sorted(found.items()))
