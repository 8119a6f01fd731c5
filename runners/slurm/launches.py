"""Handing batches to sbatch, each once: one that it may have taken is looked for before it is sent again."""

from __future__ import annotations

import asyncio
import contextlib
import math
import posixpath
import time
from collections.abc import Iterable, Mapping, Sequence

from runners.batches import BatchRef, Launched, Outcome, RunnerError
from runners.slurm.client import NativeId, SlurmClient, SlurmError
from runners.slurm.life import Claim, Patience
from runners.slurm.listings import QueuedJob
from runners.slurm.replies import Answer, SbatchReply
from runners.slurm.scripts import Scripts
from runners.slurm.states import JOB_STATES, Phase
from runners.transport.base import Piece, TransportError, UnreachableError

_AT_ONCE = 50
_BYTES_AT_ONCE = 8 << 20
"""Scripts that are handed over in one round trip."""

_NOT_A_JOB = "BadConstraints"
"""The reason of a job that slurmctld keeps in its lists although it has refused it."""

CLAIM_BYTES = 4096


class Launches:
    """Starts batches on a cluster."""

    def __init__(self, client: SlurmClient, scripts: Scripts, patience: Patience) -> None:
        self._client = client
        self._scripts = scripts
        self._patience = patience
        self._missed: dict[str, float] = {}
        """When batches were first looked for in vain, by token."""

    async def launch(self, batches: Sequence[BatchRef]) -> Sequence[Launched]:
        """See :meth:`runners.base.BaseRunner.launch`."""
        marked = await asyncio.to_thread(
            lambda: {batch.token: self._scripts.marked_at(batch.folder) for batch in batches}
        )
        sent = [batch for batch in batches if marked[batch.token] is not None]
        answers = {answer.token: answer for answer in await self._find(sent, marked)} if sent else {}
        waiting = [batch for batch in batches if batch.token not in answers]
        while waiting:
            now = await self._submit(waiting)
            answers |= {answer.token: answer for answer in now}
            waiting = [batch for batch in waiting if batch.token not in answers]
        return [answers[batch.token] for batch in batches]

    async def _find(
        self, batches: Sequence[BatchRef], marked: Mapping[str, float | None]
    ) -> Sequence[Launched]:
        """Look for batches that may have been started; those that are not there for certain are left out."""
        names = {"": [batch.token for batch in batches]}
        pieces = [Piece(posixpath.join(batch.folder, "claim"), 0, CLAIM_BYTES) for batch in batches]
        try:
            queue, parts, _ = await self._client.look(names, pieces)
        except TransportError as error:
            raise RunnerError(f"Batches that may have been started can't be looked for: {error}.") from error
        answers: list[Launched] = []
        missing: list[BatchRef] = []
        surplus: list[NativeId] = []
        for batch, part in zip(batches, parts, strict=True):
            claim = None if part is None else Claim.read(part.data)
            rows = [row for row in queue.rows if row.name == batch.token and _is_job(row)]
            jobs = sorted({row.id.job for row in rows})
            owner = claim.job if claim is not None else None
            if owner is None and not jobs:
                missing.append(batch)
                continue
            job = jobs[0] if owner is None else owner
            surplus += [
                NativeId(row.id.job)
                for row in rows
                if row.id.job != job and JOB_STATES[row.state or "RUNNING"] is not Phase.ENDED
            ]
            self._missed.pop(batch.token, None)
            answers.append(Launched(batch.token, Outcome.STARTED, str(NativeId(job))))
        if surplus:
            await self._cancel(surplus)
        if missing and queue.trouble:
            reason = f"Nobody knows whether sbatch took it, and {queue.trouble}."
            return answers + [_unknown(batch, reason) for batch in missing]
        return answers + await self._missing(missing, marked)

    async def _missing(
        self, batches: Sequence[BatchRef], marked: Mapping[str, float | None]
    ) -> list[Launched]:
        """What is to be said of batches that are not in the queue and were never claimed."""
        accounted = await self._accounted(batches, marked) if batches else {}
        now = time.monotonic()
        answers = []
        for batch in batches:
            if batch.token in accounted:
                answers.append(Launched(batch.token, Outcome.STARTED, str(NativeId(accounted[batch.token]))))
            elif now - self._missed.setdefault(batch.token, now) < self._patience.missed_s:
                reason = "Nobody knows whether sbatch took it: it is looked for before it is sent again."
                answers.append(_unknown(batch, reason))
        for answer in answers:
            if answer.outcome is Outcome.STARTED:
                self._missed.pop(answer.token, None)
        return answers

    async def _accounted(
        self, batches: Sequence[BatchRef], marked: Mapping[str, float | None]
    ) -> Mapping[str, int]:
        """The jobs of batches that are in the accounting, where there is one that answers."""
        first = min(marked[batch.token] or 0.0 for batch in batches)
        days = max(1, math.ceil((time.time() - first) / 86_400) + 1)
        try:
            if not (await self._client.site()).accounting:
                return {}
            names = [batch.token for batch in batches]
            rows = await self._client.account_by_name(names, days, timeout_s=self._patience.accounting_s)
        except (SlurmError, TransportError):
            # It would only have made sure: a second job of a batch that ran would run nothing.
            return {}
        return {row.name: row.id.job for row in rows if row.reason != _NOT_A_JOB}

    async def _submit(self, batches: Sequence[BatchRef]) -> Sequence[Launched]:
        """Hand over the first of *batches*; those that have no answer were not handed over."""
        scripts = await asyncio.to_thread(self._first, batches)
        if missing := [token for token, script in scripts.items() if script is None]:
            reason = "Its script is no longer there; launch it again."
            return [Launched(token, Outcome.REFUSED, reason=reason) for token in missing]
        chosen = [batch for batch in batches if batch.token in scripts]
        folders = [batch.folder for batch in chosen]
        controls = [posixpath.join(folder, "control") for folder in folders]
        await self._mark(folders)
        try:
            replies = await self._client.submit(controls, [script or b"" for script in scripts.values()])
        except SlurmError as error:
            await self._unmark(folders)
            reason = f"The batch can't be launched: {error}."
            return [Launched(batch.token, Outcome.REFUSED, reason=reason) for batch in chosen]
        except UnreachableError as error:
            await self._unmark(folders)
            raise RunnerError(f"Batches can't be launched: {error}.") from error
        except TransportError as error:
            return [_unknown(batch, f"Nobody knows whether sbatch took it: {error}.") for batch in chosen]
        answered = {batch.token: reply for batch, reply in zip(chosen, replies, strict=True)}
        kept = (Answer.ACCEPTED, Answer.UNCLEAR)
        await self._unmark(
            batch.folder
            for batch in chosen
            if (reply := answered[batch.token]) is None or reply.answer not in kept
        )
        return _answers(batches, answered)

    def _first(self, batches: Sequence[BatchRef]) -> dict[str, bytes | None]:
        """The scripts of as many batches as are handed over at once, by token; None where there is none."""
        scripts: dict[str, bytes | None] = {}
        size = 0
        for batch in batches[:_AT_ONCE]:
            script = self._scripts.read(batch.folder)
            size += len(script or b"")
            if scripts and size > _BYTES_AT_ONCE:
                break
            scripts[batch.token] = script
        return scripts

    async def _mark(self, folders: Sequence[str]) -> None:
        try:
            await asyncio.to_thread(self._scripts.mark, folders)
        except OSError as error:
            raise RunnerError(f"It can't be noted that batches are launched: {error}.") from error

    async def _unmark(self, folders: Iterable[str]) -> None:
        try:
            await asyncio.to_thread(self._scripts.unmark, list(folders))
        except OSError as error:
            raise RunnerError(f"It can't be noted that batches were not launched: {error}.") from error

    async def _cancel(self, jobs: Sequence[NativeId]) -> None:
        # A second job of a batch runs nothing anyway.
        with contextlib.suppress(SlurmError, TransportError):
            await self._client.cancel([self._client.cancel_job(job) for job in jobs])


def _answers(batches: Sequence[BatchRef], answered: Mapping[str, SbatchReply | None]) -> Sequence[Launched]:
    """What sbatch's answers mean for *batches*; the rest is held where there is no use in going on."""
    answers: list[Launched] = []
    held = ""
    for batch in batches:
        reply = answered.get(batch.token)
        match reply.answer if reply else None:
            case Answer.ACCEPTED if reply:
                native = NativeId(int(reply.job), reply.cluster)
                answers.append(Launched(batch.token, Outcome.STARTED, str(native)))
            case Answer.REFUSED if reply:
                reason = f"SLURM refuses the batch: {reply.words}."
                answers.append(Launched(batch.token, Outcome.REFUSED, reason=reason))
            case Answer.UNCLEAR if reply:
                answers.append(_unknown(batch, f"Nobody knows whether sbatch took it: {reply.words}."))
                held = f"SLURM takes nothing at the moment: {reply.words}."
            case Answer.FULL if reply:
                held = f"The site takes no more jobs of yours at the moment: {reply.words}."
        if held and (reply is None or reply.answer is Answer.FULL):
            answers.append(Launched(batch.token, Outcome.HELD, reason=held))
    return answers


def _is_job(row: QueuedJob) -> bool:
    return row.state != "FAILED" or row.reason != _NOT_A_JOB


def _unknown(batch: BatchRef, reason: str) -> Launched:
    return Launched(batch.token, Outcome.UNKNOWN, reason=reason)
