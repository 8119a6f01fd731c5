"""Handing batches over to their resource, and keeping what became of each."""

from collections.abc import Mapping, Sequence

from runners.base import BaseRunner
from runners.batches import BatchRef, Launched, Outcome
from runners.engine.storing import Store
from runners.states import State
from runners.store.rows import BatchRow
from runners.store.verdicts import refuse_batch, settle
from runners.store.writer import Change


async def launch(store: Store, runner: BaseRunner, batches: Sequence[BatchRow]) -> Mapping[str, str]:
    """Have *batches* of one run started; returns why some were not, by their tokens.

    Those have to be launched again: the resource has no room for them, or nobody can tell whether they were
    started, which launching them again finds out. One that was refused has ended.

    Raises:
        RunnerError: the resource can't be reached; nothing is known to have been started.
    """
    answers = await runner.launch([BatchRef(batch.token, batch.folder) for batch in batches])

    def keep(change: Change, now: float) -> None:
        for batch, answer in zip(batches, answers, strict=True):
            _keep(change, batch, answer, now)
        settle(change, batches[0].run, now=now)

    await store.change(keep)
    return {answer.token: answer.reason for answer in answers if answer.outcome in _AGAIN}


_AGAIN = {Outcome.HELD: State.PENDING, Outcome.UNKNOWN: State.UNKNOWN}
"""What is to be launched again, and the state that its batch is in until then."""


def _keep(change: Change, batch: BatchRow, answer: Launched, now: float) -> None:
    match answer.outcome:
        case Outcome.STARTED:
            detail = {"native_id": answer.native_id, "host": answer.host}
            seen = {"state": State.PENDING.value, "reason": "", **detail}
            if answer.host:
                # Nobody else would say so of a worker that no scheduler has started.
                seen["scheduler_state"] = "alive"
            change.update("batches", {"token": batch.token}, seen)
            change.add_event(batch.run, "started", detail, time=now, batch=batch.token)
        case Outcome.REFUSED:
            refuse_batch(change, batch, answer.reason, now=now)
        case Outcome.HELD | Outcome.UNKNOWN as outcome:
            seen = {"state": _AGAIN[outcome].value, "reason": answer.reason}
            if seen != {"state": batch.state.value, "reason": batch.reason}:
                change.update("batches", {"token": batch.token}, seen)
