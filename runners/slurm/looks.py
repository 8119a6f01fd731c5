"""Looking at batches: one squeue and all their events in one round trip, and what follows from it."""

from __future__ import annotations

import contextlib
import math
import posixpath
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runners.batches import BatchRef, Cursor, Job, Life, Report, RunnerError, Watched
from runners.event_files import Read, new_events, read_events
from runners.events import is_last_word
from runners.slurm.client import NativeId, Queue, SlurmClient, SlurmError
from runners.slurm.directives import OUTPUT
from runners.slurm.evidence import PRINTED, Ending, ending, ran_s
from runners.slurm.launches import CLAIM_BYTES
from runners.slurm.life import Claim, Judgement, Patience, Sight, Story, judge, look_at_claim
from runners.slurm.listings import AccountedJob, QueuedJob
from runners.slurm.states import JOB_STATES, Phase
from runners.transport.base import Piece, TransportError

LOOK_BYTES = 256 << 10
"""Bytes of one batch's events that one look reads at most."""

_NO_LIMIT_S = 365 * 86_400
"""SLURM shows a running job without a limit as one of a year."""

_LONGEST_PAUSE_S = 300.0
"""Between two questions to a slurmctld that does not answer."""

_End = tuple[Ending, float | None]
"""How a job ended, and for how many seconds it had run; None where nothing tells."""


@dataclass(frozen=True, slots=True)
class _Look:
    """One batch in a look."""

    batch: BatchRef
    read: Read
    story: Story
    judgement: Judgement
    readable: bool
    """Its events, if there are any, can be read."""

    @property
    def job(self) -> NativeId | None:
        """Its job: the one that claimed it, else the one that sbatch told of."""
        native = NativeId.parse(self.batch.native_id)
        owner = self.story.claim.job if self.story.claim else None
        return native if owner is None else NativeId(owner, native.cluster if native else "")

    @property
    def begun(self) -> bool:
        """Its worker has ever said something."""
        return self.story.begun or self.judgement.cursor != Cursor()


class Looks:
    """Looks at batches, and remembers between looks what is needed to tell their ends."""

    def __init__(self, client: SlurmClient, patience: Patience, *, as_user: bool) -> None:
        """*as_user*: squeue is run by the owner of the jobs."""
        self.silence = ""
        """Why SLURM does not show its queue at the moment, as a sentence; empty while it does."""
        self._client = client
        self._patience = patience
        self._as_user = as_user
        self._stories: dict[str, Story] = {}
        self._stopping: dict[str, float] = {}
        """When batches were told to stop, by token."""
        self._ask_at = self._account_at = 0.0
        self._pause_s = patience.ask_s

    def stop(self, token: str) -> None:
        """The batch was told to stop: if it does not, its job is cancelled."""
        self._stopping.setdefault(token, time.monotonic())

    async def poll(self, batches: Sequence[Watched]) -> Sequence[Report]:
        """See :meth:`runners.base.BaseRunner.poll`."""
        try:
            looks = await self._look(batches)
            gone = [look for look in looks if look.judgement.life is Life.GONE]
            endings = await self._explain(gone) if gone else {}
        except TransportError as error:
            raise RunnerError(f"The batches can't be looked at: {error}.") from error
        await self._insist(looks)
        return [self._report(look, endings.get(look.batch.token)) for look in looks]

    async def _look(self, batches: Sequence[Watched]) -> Sequence[_Look]:
        now = time.monotonic()
        refs = [watched.batch for watched in batches]
        suspects = [
            batch for batch in refs if look_at_claim(self._stories.get(batch.token), now, self._patience)
        ]
        # The claims first: what is behind another start's claim is then all there.
        pieces = [Piece(posixpath.join(batch.folder, "claim"), 0, CLAIM_BYTES) for batch in suspects]
        pieces += [new_events(watched, LOOK_BYTES) for watched in batches]
        asks = now >= self._ask_at
        queue, parts, _ = await self._client.look(_names(refs) if asks else {}, pieces)
        if asks:
            self._set_pace(queue)
        rows: dict[str, list[QueuedJob]] = {}
        for row in queue.rows:
            rows.setdefault(row.name, []).append(row)
        claims = {batch.token: part for batch, part in zip(suspects, parts, strict=False)}
        asked = asks and not queue.trouble
        unseen = asked and any(batch.token not in rows and not self._seen(batch) for batch in refs)
        hidden = unseen and await self._hides_jobs()
        looks = []
        for watched, part in zip(batches, parts[len(suspects) :], strict=True):
            token = watched.batch.token
            claim = claims.get(token)
            read = read_events(part, watched.cursor, LOOK_BYTES)
            readable = part is None or not part.trouble
            sight = Sight(
                at=now,
                rows=rows.get(token, ()),
                asked=asked and (self._seen(watched.batch) or not hidden),
                cursor=read.cursor,
                heard=bool(read.events),
                left=any(event.kind == "bye" and not is_last_word(event) for event in read.events),
                unread=read.more or not readable,
                claimed=token in claims and (claim is None or not claim.trouble),
                claim=None if claim is None else Claim.read(claim.data),
            )
            looks.append(self._judged(watched, sight, read, readable))
        return looks

    def _judged(self, watched: Watched, sight: Sight, read: Read, readable: bool) -> _Look:
        batch = watched.batch
        before = self._stories.get(batch.token, Story(heard=sight.at, begun=watched.cursor != Cursor()))
        native = NativeId.parse(batch.native_id)
        story, judgement = judge(before, sight, native.job if native else None, self._patience)
        self._stories[batch.token] = story
        return _Look(batch, read, story, judgement, readable)

    def _seen(self, batch: BatchRef) -> bool:
        """Whether its job was ever in the queue."""
        story = self._stories.get(batch.token)
        return story is not None and story.job is not None

    def _set_pace(self, queue: Queue) -> None:
        """When to ask slurmctld next: where it gives no answer, less and less often."""
        self.silence = f"SLURM does not show its queue: {queue.trouble}" if queue.trouble else ""
        self._pause_s = min(_LONGEST_PAUSE_S, self._pause_s * 2) if queue.trouble else self._patience.ask_s
        self._ask_at = time.monotonic() + self._pause_s

    async def _hides_jobs(self) -> bool:
        """Whether a job may be in the queue and not be shown to us."""
        if self._as_user:
            return False
        try:
            return (await self._client.site()).hides_jobs
        except SlurmError:
            return True

    async def _explain(self, looks: Sequence[_Look]) -> Mapping[str, _End]:
        """How the jobs of batches ended, and for how long they had run, by token."""
        pieces = [Piece(posixpath.join(look.batch.folder, OUTPUT), -PRINTED, PRINTED) for look in looks]
        parts = (await self._client.look({}, pieces)).parts
        accounted = await self._account([look.job for look in looks if look.job is not None])
        ends = {}
        for look, part in zip(looks, parts, strict=True):
            queued = look.judgement.shown or look.story.job
            rows = accounted.get(look.job, ()) if look.job else ()
            printed = b"" if part is None else part.data
            how = ending(queued, rows, printed, begun=look.begun)
            ends[look.batch.token] = (how, ran_s(queued, rows))
        return ends

    async def _account(self, jobs: Sequence[NativeId]) -> Mapping[NativeId, Sequence[AccountedJob]]:
        """What the accounting knows; nothing where there is none, or where it does not answer soon."""
        if not jobs or time.monotonic() < self._account_at:
            return {}
        try:
            if not (await self._client.site()).accounting:
                return {}
            return await self._client.account(jobs, timeout_s=self._patience.accounting_s)
        except SlurmError:
            self._account_at = time.monotonic() + _LONGEST_PAUSE_S
            return {}

    async def _insist(self, looks: Sequence[_Look]) -> None:
        """Cancel the jobs of batches that were told to stop and do not."""
        now = time.monotonic()
        commands = []
        for look in looks:
            token, shown = look.batch.token, look.judgement.shown
            since = self._stopping.get(token)
            if since is None or shown is None or look.job is None:
                continue
            phase = JOB_STATES[shown.state or "RUNNING"]
            if phase is Phase.PENDING:
                commands.append(self._client.cancel_waiting(token, look.job.cluster))
            elif phase is Phase.RUNNING and now - since >= self._patience.stop_s:
                commands.append(self._client.cancel_job(replace(look.job, job=shown.id.job)))
                self._stopping[token] = now
        if commands:
            # Without success the next look shows that it is still there.
            with contextlib.suppress(SlurmError, TransportError):
                await self._client.cancel(commands)

    def _report(self, look: _Look, end: _End | None) -> Report:
        judgement, token = look.judgement, look.batch.token
        if judgement.life is Life.GONE or any(map(is_last_word, look.read.events)):
            self._stories.pop(token, None)
            self._stopping.pop(token, None)
        return Report(
            token,
            look.read.events,
            judgement.cursor,
            judgement.life if look.readable else Life.UNTOLD,
            more=look.read.more or judgement.more,
            job=_job(look, end),
            requeued=judgement.requeued,
            why=end[0].why if end else "",
        )


def _names(batches: Sequence[BatchRef]) -> Mapping[str, Sequence[str]]:
    """The names of jobs, by the cluster that they are on."""
    names: dict[str, list[str]] = {}
    for batch in batches:
        native = NativeId.parse(batch.native_id)
        names.setdefault(native.cluster if native else "", []).append(batch.token)
    return names


def _clock_goes(row: QueuedJob) -> bool:
    """Whether a job's time has begun, and goes on: squeue shows what it came to for minutes after its end."""
    ending = row.state in ("COMPLETING", "STAGE_OUT")
    return bool(row.hosts) and JOB_STATES.get(row.state or "") is Phase.RUNNING and not ending


def _job(look: _Look, end: _End | None) -> Job | None:
    """The job as it is to be shown: as squeue shows it, and at its end as it ended."""
    row = look.judgement.shown
    if end is None and row is None:
        return None
    row = row or look.story.job
    state, ran = (end[0].state, end[1]) if end else ("", None)
    if row is None:
        return Job(look.batch.native_id, state, ran_s=ran) if state else None
    limit = row.limit_s
    return Job(
        id=str(replace(look.job, job=row.id.job)) if look.job else str(row.id.job),
        state=state or row.state or "",
        reason="" if row.reason == "None" else row.reason,
        partition=row.partition,
        hosts=row.hosts,
        nodes=row.nodes,
        elapsed_s=row.elapsed_s if end is None and _clock_goes(row) else None,
        limit_s=math.inf if limit is not None and limit >= _NO_LIMIT_S else limit,
        ran_s=ran,
    )
