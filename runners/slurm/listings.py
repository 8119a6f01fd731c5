"""What squeue and sacct answer, in formats of our own that no name of a job can shift. Pure.

Both commands print names as they are, with line breaks and separators. So what stands between free texts is a
*mark*: a word drawn for one question alone, which no text can contain on purpose.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from runners.slurm.notation import JobId, parse_clock, parse_count, parse_job_id, parse_size
from runners.slurm.states import state_word

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job as squeue shows it."""

    id: JobId
    state: str | None
    """None for a word that is not known; the word itself is `said`."""
    said: str
    elapsed_s: float | None
    limit_s: float | None
    """Infinity where there is no limit."""
    nodes: int | None
    cpus: int | None
    memory_mb: float | None
    partition: str
    user: str
    uid: int | None
    hosts: str
    reason: str
    """SLURM's own text, such as `Priority`."""
    name: str


@dataclass(frozen=True, slots=True)
class AccountedJob:
    """A job, or a step of one, as sacct shows it."""

    id: JobId
    state: str | None
    """None for a word that is not known; the word itself is `said`."""
    said: str
    exit_code: int | None
    signal: int | None
    """What ended it; None where nothing did."""
    elapsed_s: float | None
    limit_s: float | None
    """Infinity where there is no limit."""
    asked_mb: float | None
    reached_mb: float | None
    """The most that one of its processes used; known of steps only."""
    hosts: str
    reason: str
    name: str


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """An answer, read."""

    rows: tuple[T, ...]
    unreadable: tuple[str, ...]
    """What began like a row and was none. As long as there are any, absence tells nothing."""
    noise: tuple[str, ...]
    """Lines that are no part of the answer: banners, headings of clusters."""


def new_mark() -> str:
    """A mark for one question."""
    return secrets.token_hex(4)


_SQUEUE = "%i|%T|%M|%l|%D|%C|%m|%P|%u|%U|%N|%r"
_SACCT = "JobIDRaw,State,ExitCode,Elapsed,Timelimit,ReqMem,MaxRSS,NodeList,Reason,JobName"


def squeue_arguments(mark: str) -> list[str]:
    """Options of squeue for an answer that `read_squeue` reads; who and which jobs comes on top."""
    return ["--noheader", "--array", "--states=all", f"--format=@{mark}|{_SQUEUE}@{mark}:%j@{mark}."]


def sacct_arguments(mark: str) -> list[str]:
    """Options of sacct for an answer that `read_sacct` reads; which jobs and since when comes on top."""
    return ["--noheader", "--parsable", f"--delimiter=@{mark}", f"--format={_SACCT}"]


def read_squeue(text: str, mark: str) -> Listing[QueuedJob]:
    """Read the answer to the question with this *mark*."""
    before, *pieces = text.split(f"@{mark}|")
    rows, unreadable, noise = [], [], before.splitlines()
    for piece in pieces:
        row, ended, behind = piece.partition(f"@{mark}.")
        noise += behind.splitlines()
        try:
            if not ended:
                raise ValueError("it is cut off")
            rows.append(_queued_job(row, mark))
        except ValueError:
            unreadable.append(row)
    return Listing(tuple(rows), tuple(unreadable), _said(noise))


def read_sacct(text: str, mark: str) -> Listing[AccountedJob]:
    """Read the answer to the question with this *mark*."""
    rows: list[AccountedJob] = []
    unreadable: list[str] = []
    noise: list[str] = []
    delimiter = f"@{mark}"
    fields = _SACCT.count(",") + 1
    pending: list[str] = []
    for line in text.split("\n"):
        if delimiter not in line and not pending:
            noise.append(line)
            continue
        if pending and line.count(delimiter) == fields:
            # A whole row: what came before it was never ended.
            unreadable.append("\n".join(pending))
            pending = []
        pending.append(line)
        row = "\n".join(pending)
        if row.count(delimiter) >= fields:
            pending = []
            try:
                rows.append(_accounted_job(row.split(delimiter)))
            except ValueError:
                unreadable.append(row)
    if pending:
        unreadable.append("\n".join(pending))
    return Listing(tuple(rows), tuple(unreadable), _said(noise))


def _queued_job(row: str, mark: str) -> QueuedJob:
    """Raises ValueError where it is none."""
    facts, found, name = row.partition(f"@{mark}:")
    cells = facts.split("|", _SQUEUE.count("|"))
    if not found or f"@{mark}" in name:
        raise ValueError("its name is not where it belongs")
    job, said, elapsed, limit, nodes, cpus, memory, partition, user, uid, hosts, reason = cells
    return QueuedJob(
        id=parse_job_id(job),
        state=state_word(said),
        said=said,
        elapsed_s=parse_clock(elapsed),
        limit_s=parse_clock(limit),
        nodes=parse_count(nodes),
        cpus=parse_count(cpus),
        memory_mb=parse_size(memory),
        partition=partition,
        user=user,
        uid=parse_count(uid),
        hosts=hosts,
        reason=reason,
        name=name,
    )


def _accounted_job(cells: Sequence[str]) -> AccountedJob:
    """Raises ValueError where it is none."""
    job, said, ended, elapsed, limit, asked, reached, hosts, reason, name, behind = cells
    if behind:
        raise ValueError("something stands behind its end")
    code, _, signal = ended.partition(":")
    return AccountedJob(
        id=parse_job_id(job),
        state=state_word(said),
        said=said,
        exit_code=parse_count(code),
        signal=parse_count(signal) or None,
        elapsed_s=parse_clock(elapsed),
        limit_s=parse_clock(limit),
        asked_mb=parse_size(asked),
        reached_mb=parse_size(reached),
        hosts=hosts,
        reason=reason,
        name=name,
    )


def _said(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line.rstrip() for line in lines if line.strip())
