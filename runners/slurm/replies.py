"""What sbatch answers, and what follows from it for the batch. Pure.

Only two answers say for certain what happened: the plain id of a job, and a refusal that is known to be one.
After any other there may be a job, and sending the script again could make a second one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """What an answer of sbatch means."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """There is no job, and asking again for the same would be refused again."""
    FULL = "full"
    """There is no job, since the site limits how many one may have: try again when one has ended."""
    UNCLEAR = "unclear"
    """There may be a job: look for it by its name."""


@dataclass(frozen=True, slots=True)
class SbatchReply:
    """An answer, read."""

    answer: Answer
    job: str = ""
    """The id, where there is one."""
    cluster: str = ""
    """Where the job is, if sbatch says so."""
    said: str = ""
    """What sbatch said on standard error, or in place of an id, as it is."""

    @property
    def words(self) -> str:
        """What it said, on one line and without what stands in front of every message."""
        return one_line(self.said) or "sbatch said nothing"


_PREFIX = re.compile(
    r"^(sbatch: )?((error|fatal): )?(Batch job submission failed: |allocation failure: )?", re.IGNORECASE
)

_LONGEST = 500
"""Letters of what sbatch said in a sentence."""

_JOB = re.compile(r"([1-9][0-9]{0,9})(?:;([A-Za-z0-9_.-]+))?")

_UNCLEAR = (
    "socket timed out",
    "unable to contact slurm controller",
    "connection refused",
    "connection reset",
    "connection timed out",
    "message receive failure",
    "send failure",
    "zero bytes were transmitted",
    "unexpected message received",
    "standby mode",
    "communication",
    "authentication",
    "munge",
)
"""The line was lost, perhaps after the job was made: goes before all others."""

_FULL = re.compile(
    r"(Assoc|QOS)\w*Submit\w*Limit|job queue full|unable to create job record|"
    r"temporarily unable to accept job|job creation temporarily disabled|resource temporarily unavailable",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"\b(Assoc|QOS)(?!\w*Submit)(Grp|Max|Min|Usage|Job|Not|Resource|Time)\w*", re.IGNORECASE)
"""A limit on what one job may ask for, or use up; waiting for others to end does not help."""

_ANY_LIMIT = "(job submit limit"
"""In the words that SLURM has for every limit, when it does not say which."""

_REFUSED = (
    # By sbatch itself, before it asks.
    "invalid directive",
    "unrecognized option",
    "unrecognized command line parameter",
    "invalid option",
    "requires an argument",
    "is ambiguous",
    "unmatched `",
    "unexpected `",
    "does not look like a batch script",
    "dos line breaks",
    "batch script is empty",
    "invalid numeric value",
    "invalid --",
    "invalid memory constraint",
    "invalid node count",
    "invalid number of",
    "are mutually exclusive",
    "cli_filter",
    "lua:",
    # By slurmctld.
    "invalid partition name",
    "invalid account",
    "invalid qos",
    "invalid wckey",
    "invalid feature specification",
    "invalid generic resource",
    "invalid gres specification",
    "invalid trackable resource",
    "invalid node name",
    "invalid reservation",
    "reservation is invalid",
    "access denied to requested reservation",
    "access/permission denied",
    "user's group not permitted",
    "violates accounting/qos policy",
    "requested node configuration is not available",
    "requested partition configuration not available",
    "required partition not available",
    "required node not available",
    "node count specification invalid",
    "more processors requested than permitted",
    "cpu count per node can not be satisfied",
    "cpu count specification invalid",
    "memory specification can not be satisfied",
    "requested time limit is invalid",
    "requested gres option unsupported",
    "time limit specification required",
    "job size specification needs to be provided",
    "job dependency problem",
    "invalid job array specification",
    "invalid license specification",
    "pathname of a file, directory or other parameter too long",
    "user not found on host",
    # By whatever was to start sbatch.
    "command not found",
    "a password is required",
    "a terminal is required",
    "you must have a tty",
    "is not allowed to execute",
    "is not in the sudoers file",
    "unknown user",
)
"""What stands in refusals, in small letters."""

_NEVER_STARTED = (126, 127)
"""Exit codes of a shell, or of timeout, that finds no program or can't start it."""


def one_line(said: str) -> str:
    """What sbatch said, on one line and without what stands in front of every message."""
    lines = [_PREFIX.sub("", line).strip() for line in said.splitlines()]
    return "; ".join(dict.fromkeys(filter(None, lines)))[:_LONGEST]


def read_sbatch(code: int, out: str, err: str) -> SbatchReply:
    """What `sbatch --parsable` answered with: exit code, standard output and standard error."""
    said = err.strip()
    if code == 0:
        match = _JOB.fullmatch(out.strip())
        if match:
            return SbatchReply(Answer.ACCEPTED, match[1], match[2] or "", said)
        return SbatchReply(Answer.UNCLEAR, said="\n".join(filter(None, (said, out.strip()))))
    # Something on standard output might be an id.
    if out.strip():
        return SbatchReply(Answer.UNCLEAR, said="\n".join(filter(None, (said, out.strip()))))
    return SbatchReply(_why_not(code, said), said=said)


def _why_not(code: int, said: str) -> Answer:
    small = said.lower()
    if code in _NEVER_STARTED:
        return Answer.REFUSED
    if any(words in small for words in _UNCLEAR):
        return Answer.UNCLEAR
    if _FULL.search(said) or (_ANY_LIMIT in small and not _LIMIT.search(said)):
        return Answer.FULL
    if any(words in small for words in _REFUSED):
        return Answer.REFUSED
    return Answer.UNCLEAR
