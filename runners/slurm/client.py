"""SLURM's commands: sbatch, squeue, sacct, scancel and scontrol over a transport, and what they answer.

It knows jobs by their ids and names, and nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from runners.slurm.cluster_settings import SHOW_CONFIG, read_settings
from runners.slurm.listings import (
    AccountedJob,
    QueuedJob,
    new_mark,
    read_sacct,
    read_squeue,
    sacct_arguments,
    squeue_arguments,
)
from runners.slurm.replies import SbatchReply, read_sbatch
from runners.transport.base import NOT_RUN, Command, Part, Piece, Reply, Transport, make_folder

_SUBMIT_S = 150.0
"""sbatch itself tries for up to 120 s where the queue is full (its MAX_RETRIES)."""

_ASK_S = 30.0
"""squeue, scontrol and scancel; longer than they try by themselves where slurmctld is silent."""


class SlurmError(Exception):
    """SLURM gave no answer, or one that can't be used; the text is a sentence without its full stop."""


@dataclass(frozen=True, slots=True)
class NativeId:
    """How a batch's job is called at its site: `123`, or `123;cluster`."""

    job: int
    cluster: str = ""

    @classmethod
    def parse(cls, text: str) -> NativeId | None:
        """Read what `str` wrote; None for anything else."""
        job, _, cluster = text.partition(";")
        return cls(int(job), cluster) if job.isascii() and job.isdigit() else None

    def __str__(self) -> str:
        return f"{self.job};{self.cluster}" if self.cluster else str(self.job)


@dataclass(frozen=True, slots=True)
class Queue:
    """What squeue shows."""

    rows: tuple[QueuedJob, ...] = ()
    trouble: str = ""
    """Why it tells nothing about jobs that it does not show, as a sentence without its full stop."""


class Seen(NamedTuple):
    """What a look brought."""

    queue: Queue
    parts: Sequence[Part | None]
    replies: Sequence[Reply]
    """To the commands before it."""


@dataclass(frozen=True, slots=True)
class Site:
    """What matters here of a cluster's configuration."""

    accounting: bool
    hides_jobs: bool
    """Only their owners, and operators, see jobs."""


class SlurmClient:
    """SLURM as one user. All verbs are bounded in time, and raise what their transport raises."""

    def __init__(self, transport: Transport, user: str) -> None:
        self._transport = transport
        self._user = user
        self._site: Site | None = None

    async def submit(self, folders: Sequence[str], scripts: Sequence[bytes]) -> Sequence[SbatchReply | None]:
        """Make *folders*, then hand over *scripts*, up to the first that is not accepted: in one round trip.

        Returns the answer for each script; None for one that was not handed over.

        Raises:
            SlurmError: a folder can't be made; nothing was handed over.
            UnreachableError: likewise, for nothing was sent.
            TransportError: nobody knows which were.
        """
        commands = [make_folder(*folders)]
        commands += [Command(("sbatch", "--parsable"), script) for script in scripts]
        exchange = await self._transport.exchange(commands, timeout_s=_SUBMIT_S, stop=True)
        made, *replies = exchange.replies
        if made.code:
            raise SlurmError(f"its folders can't be made: {made.last_words}")
        return [
            None
            if reply.code == NOT_RUN
            else read_sbatch(
                reply.code, *(text.decode("utf-8", "replace") for text in (reply.out, reply.err))
            )
            for reply in replies
        ]

    async def look(
        self, names: Mapping[str, Sequence[str]], pieces: Sequence[Piece], *before: Command
    ) -> Seen:
        """Look at the queue and read *pieces* in one round trip.

        Args:
            names: of jobs, by the cluster that they are on; `""` is the cluster itself. Empty: no look.
            pieces: what to read, after the look.
            before: commands to be run before it.
        """
        marks = {cluster: new_mark() for cluster in names}
        commands = [self._squeue(names[cluster], cluster, mark) for cluster, mark in marks.items()]
        exchange = await self._transport.exchange([*before, *commands], pieces, timeout_s=_ASK_S)
        replies = exchange.replies[len(before) :]
        rows: list[QueuedJob] = []
        trouble = ""
        for reply, mark in zip(replies, marks.values(), strict=True):
            listing = read_squeue(_text(reply.out), mark)
            rows += listing.rows
            if reply.code:
                trouble = f"squeue gives no answer: {reply.last_words}"
            elif listing.unreadable:
                trouble = f"{len(listing.unreadable)} rows of squeue's answer can't be read"
        return Seen(Queue(tuple(rows), trouble), exchange.parts, exchange.replies[: len(before)])

    async def account(
        self, jobs: Sequence[NativeId], *, timeout_s: float
    ) -> Mapping[NativeId, Sequence[AccountedJob]]:
        """What sacct has of *jobs* and their steps.

        Raises:
            SlurmError: it does not answer within *timeout_s* seconds, or not usefully.
        """
        found: dict[NativeId, Sequence[AccountedJob]] = {}
        for cluster in dict.fromkeys(job.cluster for job in jobs):
            here = [job for job in jobs if job.cluster == cluster]
            rows = await self._sacct([f"--jobs={','.join(str(job.job) for job in here)}"], cluster, timeout_s)
            found |= {job: [row for row in rows if row.id.job == job.job] for job in here}
        return found

    async def account_by_name(
        self, names: Sequence[str], days: int, *, timeout_s: float
    ) -> Sequence[AccountedJob]:
        """The jobs with one of *names* that sacct has, of the last *days* days by its own clock.

        Raises:
            SlurmError: it does not answer within *timeout_s* seconds, or not usefully.
        """
        which = [f"--name={','.join(names)}", f"--user={self._user}", f"--starttime=now-{days}days"]
        return await self._sacct(["--allocations", *which], "", timeout_s)

    async def cancel(
        self, commands: Sequence[Command], pieces: Sequence[Piece] = ()
    ) -> Sequence[Part | None]:
        """Carry out scancel *commands*. One for a job that is not there (any more) is no fault.

        Raises:
            SlurmError: slurmctld gives no answer.
        """
        exchange = await self._transport.exchange(commands, pieces, timeout_s=_ASK_S)
        for reply in exchange.replies:
            if reply.code and not _is_over(reply):
                raise SlurmError(f"scancel did nothing: {reply.last_words}")
        return exchange.parts

    def cancel_waiting(self, name: str, cluster: str = "") -> Command:
        """The command that cancels jobs called *name* that wait."""
        return Command(("scancel", "--state=PENDING", f"--name={name}", *self._mine(cluster)))

    def cancel_job(self, job: NativeId) -> Command:
        """The command that cancels a job."""
        return Command(("scancel", *self._mine(job.cluster), str(job.job)))

    def wake_worker(self, job: NativeId) -> Command:
        """The command that has the worker of a running job look at what is asked of it."""
        return Command(("scancel", "--batch", "--signal=USR1", *self._mine(job.cluster), str(job.job)))

    async def site(self) -> Site:
        """What matters of the cluster's configuration; asked once.

        Raises:
            SlurmError: slurmctld does not tell.
        """
        if self._site is None:
            reply = await self._ask(SHOW_CONFIG, _ASK_S)
            settings = None if reply.code else read_settings(_text(reply.out))
            if settings is None:
                raise SlurmError(f"scontrol does not show the configuration: {reply.last_words}")
            self._site = Site(settings.accounting, hides_jobs="jobs" in settings.private)
        return self._site

    def _squeue(self, names: Sequence[str], cluster: str, mark: str) -> Command:
        on = [f"--clusters={cluster}"] if cluster else []
        which = [f"--user={self._user}", f"--name={','.join(names)}", *on]
        return Command(("squeue", *squeue_arguments(mark), *which))

    async def _sacct(self, which: Sequence[str], cluster: str, timeout_s: float) -> Sequence[AccountedJob]:
        mark = new_mark()
        on = [f"--clusters={cluster}"] if cluster else []
        reply = await self._ask(["sacct", *sacct_arguments(mark), *which, *on], timeout_s)
        if reply.code:
            raise SlurmError(f"sacct gives no answer: {reply.last_words}")
        return read_sacct(_text(reply.out), mark).rows

    async def _ask(self, argv: Sequence[str], timeout_s: float) -> Reply:
        exchange = await self._transport.exchange([Command(tuple(argv))], timeout_s=timeout_s)
        return exchange.replies[0]

    def _mine(self, cluster: str) -> list[str]:
        return [f"--user={self._user}", *([f"--clusters={cluster}"] if cluster else [])]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _is_over(reply: Reply) -> bool:
    said = reply.err.lower()
    return b"invalid job id" in said or b"already completing" in said or b"already completed" in said
