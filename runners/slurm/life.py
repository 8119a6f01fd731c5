"""Whether a batch lives, by what can be seen of its job and of its worker. Pure.

What is not in the queue has not ended for that; a question that was not answered tells nothing; a word that
is not known leaves everything as it was. The worker's last word is the holder's to see: here is decided what
becomes of a batch whose worker has said none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runners.batches import Cursor, Life
from runners.slurm.listings import QueuedJob
from runners.slurm.states import COMES_BACK, JOB_STATES, Phase


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited before something counts, in seconds or looks."""

    absent_s: float = 60.0
    """A job that is not in the queue (any more), without its worker's last word; this and that many looks."""
    absent_looks: int = 3
    ended_s: float = 10.0
    """A job that has ended by SLURM's word, without its worker's; this and that many looks."""
    ended_looks: int = 2
    silent_s: float = 30.0
    """A worker without a word: perhaps its job was started again meanwhile."""
    missed_s: float = 20.0
    """Between two looks for a job whose submission was never answered, before it is submitted again."""
    stop_s: float = 30.0
    """A worker that was asked to stop, before its job is cancelled."""
    ask_s: float = 1.0
    """Between two questions to slurmctld, at least."""
    accounting_s: float = 10.0
    """sacct, which only explains."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the worker that took the batch wrote down."""

    job: int | None
    """The id of its job."""
    restart: int

    @classmethod
    def read(cls, data: bytes) -> Claim | None:
        """The claim in a file; None where it is none (as yet)."""
        try:
            found = json.loads(data)
            job, restart = str(found["id"]), int(found["restart"])
        except (ValueError, KeyError, TypeError):
            return None
        return cls(int(job) if job.isascii() and job.isdigit() else None, restart)


@dataclass(frozen=True, slots=True)
class Since:
    """Something that was seen in every look from a time on."""

    at: float
    looks: int = 1

    def for_long(self, now: float, seconds: float, looks: int) -> bool:
        """Whether it has been seen long and often enough."""
        return now - self.at >= seconds and self.looks >= looks


@dataclass(frozen=True, slots=True)
class Story:
    """What is remembered of a batch between two looks. It may be lost: everything is then seen anew."""

    heard: float
    """When its worker was last heard of, or the first look."""
    begun: bool
    """Its worker has said something since the job was last seen waiting."""
    job: QueuedJob | None = None
    """As it was last in the queue."""
    claim: Claim | None = None
    restarted: bool = False
    """Its job was put back and started between two looks; the claim of its new worker was not seen yet."""
    left: bool = False
    """Its worker has left, and it was not its last word: SLURM may start it again."""
    absent: Since | None = None
    ended: Since | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look brought. Times are of a clock that only goes forward."""

    at: float
    rows: Sequence[QueuedJob]
    """The jobs in the queue with the batch's name."""
    asked: bool
    """What is not among the rows is not in the queue."""
    cursor: Cursor
    """Where its events have been read to."""
    heard: bool
    """Its worker has said something new."""
    left: bool
    """And that it leaves, which is not its last word."""
    unread: bool
    """There is more to read."""
    claimed: bool
    """Its claim was looked at."""
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from a look."""

    life: Life
    cursor: Cursor
    """Where to read on."""
    more: bool = False
    """There is something to read there at once."""
    requeued: bool = False
    """It was running, and waits to be started again."""
    shown: QueuedJob | None = None
    """Its job, where it is in the queue."""


def look_at_claim(story: Story | None, now: float, patience: Patience) -> bool:
    """Whether the claim is worth reading: it tells of another start, or of another job of the same name."""
    if story is None or story.left or story.absent is not None or story.ended is not None:
        return True
    if story.claim is None and story.begun:
        return True
    match _phase(story.job):
        case Phase.RUNNING:
            return not story.begun or story.restarted or now - story.heard >= patience.silent_s
        case Phase.PENDING:
            return story.claim is not None
    return True


def judge(story: Story, sight: Sight, native: int | None, patience: Patience) -> tuple[Story, Judgement]:
    """What the next look needs to remember, and what this one tells.

    Args:
        story: what is remembered.
        sight: what was seen.
        native: the id that sbatch gave to its job.
        patience: how long to wait for what.
    """
    claim = sight.claim or story.claim
    story = replace(
        story,
        claim=claim,
        heard=sight.at if sight.heard else story.heard,
        begun=story.begun or sight.heard,
        left=sight.left or (story.left and not sight.heard),
    )
    if claim is not None and claim.restart > sight.cursor.restart and not sight.unread:
        # The claim was read before the events: the earlier worker's file holds nothing more.
        story = replace(story, absent=None, ended=None, left=False, begun=False, restarted=False)
        return story, Judgement(Life.ALIVE, Cursor(sight.cursor.restart + 1), more=True)
    row = _own(sight.rows, claim, native)
    if row is None:
        return _out_of_sight(story, sight, patience)
    if row.state is None:
        row = replace(row, state=None if story.job is None else story.job.state)
    restarted = story.restarted or _started_again(story.job, row)
    story = replace(story, job=row, absent=None, restarted=restarted)
    alive = Judgement(Life.ALIVE, sight.cursor, shown=row if row.state is not None else None)
    match _phase(row):
        case Phase.PENDING:
            requeued = story.begun and not sight.unread
            story = replace(story, ended=None, begun=story.begun and not requeued)
            return story, replace(alive, requeued=requeued)
        case Phase.ENDED if row.state not in COMES_BACK:
            ended = _again(story.ended, sight)
            # A worker that has left, or was given no node, has nothing more to say.
            over = story.left or not row.hosts
            over = over or ended.for_long(sight.at, patience.ended_s, patience.ended_looks)
            gone = over and _settled(sight)
            return replace(story, ended=ended), replace(alive, life=Life.GONE) if gone else alive
    return replace(story, ended=None), alive


def _out_of_sight(story: Story, sight: Sight, patience: Patience) -> tuple[Story, Judgement]:
    """Nothing in the queue has its name."""
    alive = Judgement(Life.ALIVE, sight.cursor)
    if not sight.asked:
        return story, alive
    absent = _again(None if sight.heard else story.absent, sight)
    gone = absent.for_long(sight.at, patience.absent_s, patience.absent_looks) and _settled(sight)
    return replace(story, absent=absent), replace(alive, life=Life.GONE) if gone else alive


def _own(rows: Sequence[QueuedJob], claim: Claim | None, native: int | None) -> QueuedJob | None:
    """The job that is the batch: the one that claimed it, else one that lives, else the one we know."""

    def order(row: QueuedJob) -> tuple[bool, bool, bool, int]:
        owner = claim is not None and row.id.job == claim.job
        return (not owner, _phase(row) is Phase.ENDED, row.id.job != native, row.id.job)

    return min(rows, key=order, default=None)


def _phase(job: QueuedJob | None) -> Phase | None:
    """Where the job is; a word that is not known is no end."""
    return None if job is None else JOB_STATES[job.state or "RUNNING"]


def _started_again(before: QueuedJob | None, now: QueuedJob) -> bool:
    """Whether it was put back and started between two looks: its time begins anew."""
    if before is None or before.id != now.id or before.elapsed_s is None or now.elapsed_s is None:
        return False
    # While it is put back, it is shown as COMPLETING, with no time.
    return before.state == now.state == "RUNNING" and now.elapsed_s < before.elapsed_s


def _settled(sight: Sight) -> bool:
    """Everything that its worker wrote has been read, and no other start of it has claimed it."""
    return sight.claimed and not sight.heard and not sight.unread


def _again(since: Since | None, sight: Sight) -> Since:
    return Since(sight.at) if since is None else replace(since, looks=since.looks + 1)
