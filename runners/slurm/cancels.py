"""Cancelling batches and tasks: the worker is asked to, in its folder; a job that waits is taken back."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Sequence

from runners.batches import BatchRef, Cursor, RunnerError
from runners.event_files import events_path
from runners.slurm.client import NativeId, SlurmClient, SlurmError
from runners.slurm.launches import CLAIM_BYTES
from runners.slurm.life import Claim
from runners.transport.base import Piece, TransportError, make_folder


async def cancel(client: SlurmClient, batch: BatchRef, tasks: Sequence[int] | None) -> bool:
    """See :meth:`runners.base.BaseRunner.cancel`.

    What is asked in the folder holds for a job too that starts only later. A job that does not stop is left
    to the looks at it.
    """
    native = NativeId.parse(batch.native_id)
    cluster = native.cluster if native else ""
    asked = ["stop"] if tasks is None else [f"cancel.{index}" for index in tasks]
    before = [make_folder(*(posixpath.join(batch.folder, "control", name) for name in asked))]
    if tasks is None:
        before.append(client.cancel_waiting(batch.token, cluster))
    claim_file = Piece(posixpath.join(batch.folder, "claim"), 0, CLAIM_BYTES)
    events_file = Piece(events_path(batch.folder, Cursor()), 0, 1)
    try:
        seen = await client.look({} if native else {"": [batch.token]}, [claim_file, events_file], *before)
    except TransportError as error:
        raise RunnerError(f"The batch {batch.token} can't be cancelled: {error}.") from error
    claim, events = seen.parts
    owner = None if claim is None else Claim.read(claim.data)
    job = native
    if owner is not None and owner.job is not None:
        job = NativeId(owner.job, cluster)
    elif native is None and seen.queue.rows:
        job = NativeId(min(row.id.job for row in seen.queue.rows), cluster)
    if job is None:
        if seen.queue.trouble:
            raise RunnerError(f"The batch {batch.token} can't be cancelled: {seen.queue.trouble}.")
        return False
    made = seen.replies[0]
    if made.code and tasks is not None:
        raise RunnerError(f"Tasks of the batch {batch.token} can't be cancelled: {made.last_words}.")
    if made.code:
        await _cancel_job(client, batch, job)
    elif tasks is None and owner and not owner.restart and events and events.data:
        # Once it writes events it knows the signal; before, the signal would end it. It looks by itself, too.
        with contextlib.suppress(SlurmError, TransportError):
            await client.cancel([client.wake_worker(job)])
    return True


async def _cancel_job(client: SlurmClient, batch: BatchRef, job: NativeId) -> None:
    """Its folder takes nothing more: the job itself must go."""
    try:
        await client.cancel([client.cancel_job(job)])
    except (SlurmError, TransportError) as error:
        raise RunnerError(f"The batch {batch.token} can't be cancelled: {error}.") from error
