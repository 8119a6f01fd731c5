"""The scheduler's own word: what `sbatch --test-only` answers. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from runners.slurm.replies import Answer, SbatchReply, read_sbatch
from runners.transport.base import TOO_LATE, Reply

TRY = ("sbatch", "--test-only")
"""Nothing is submitted. The script comes on standard input."""

_START = re.compile(
    r"Job \d+ to start at (?P<day>\d{4}-\d\d-\d\d)T(?P<clock>\d\d:\d\d):\d\d using (?P<cpus>\d+) processors"
    r"(?: on (?:nodes )?(?P<nodes>\S+))?(?: in partition (?P<partition>\S+))?"
)
_REFUSAL = re.compile(r"^(?:sbatch: error: |sbatch: fatal: |allocation failure: |sbatch: )+", re.IGNORECASE)

_MEANS = (
    (
        "requested node configuration is not available",
        "no nodes that work have all that it asks for together",
    ),
    ("user's group not permitted", "the partition is for groups that the user is not in"),
    ("access/permission denied", "the partition takes no jobs from this user or from this machine"),
    ("required partition not available", "the partition takes no jobs at the moment"),
    ("invalid account", "the account is not the user's in this partition"),
    ("invalid qos", "the QOS is not the user's"),
    ("invalid partition", "there is no such partition"),
    ("invalid feature", "no nodes have such a feature"),
    ("invalid generic resource", "there are no such devices"),
    ("invalid node name", "there is no such node"),
    ("invalid reservation", "there is no such reservation, or it is not the user's"),
    ("access denied to requested reservation", "the reservation is not the user's"),
    ("requested time limit is invalid", "the partition or the QOS allows less time"),
    ("time limit specification required", "jobs must say how long they take: set time"),
    ("invalid license", "there are no such licences"),
    ("memory specification can not be satisfied", "no node has so much memory"),
    ("violates accounting/qos policy", "a limit of the account or the QOS is passed"),
    ("violates accounting policy", "a limit of the account or the QOS is passed"),
    ("invalid directive", "a line that begins with #SBATCH holds no option: correct extra_lines"),
    ("unrecognized option", "sbatch knows no such option: correct extra_lines"),
)


_NEVER = timedelta(days=1000)


class Word(StrEnum):
    """What the scheduler says."""

    TAKEN = "taken"
    REFUSED = "refused"
    FULL = "full"
    """It takes no more jobs of this user at the moment."""
    NONE = "none"
    """It says nothing that can be used."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An answer, read."""

    word: Word
    said: str
    """On one line."""
    start: str = ""
    """When it would start and with what, as a part of a sentence; empty where that is not told."""
    never: bool = False
    """The time that it names is so far away that it means: never."""

    @property
    def meaning(self) -> str:
        """What a refusal means, as a part of a sentence; empty where that is not known."""
        small = self.said.lower()
        return next((means for words, means in _MEANS if words in small), "")


def read_trial(reply: Reply, today: str) -> Trial:
    """Read the answer; *today* is the day by the cluster's clock, by which the start is told."""
    out, err = (text.decode("utf-8", "replace") for text in (reply.out, reply.err))
    said = _one_line(f"{err}\n{out}")
    if reply.code == 0:
        match = _START.search(f"{err}\n{out}")
        if match is None:
            return Trial(Word.TAKEN, said)
        return Trial(Word.TAKEN, said, _start(match, today), _is_far(match["day"], today))
    if reply.code == TOO_LATE:
        return Trial(Word.NONE, said)
    answer: SbatchReply = read_sbatch(reply.code, "", f"{err}\n{out}")
    words = {Answer.REFUSED: Word.REFUSED, Answer.FULL: Word.FULL}
    word = words.get(answer.answer, Word.NONE)
    if word is Word.NONE and "allocation failure:" in err and answer.answer is Answer.UNCLEAR:
        # Nothing was submitted: a refusal whose words are not known is one too, unless the line was lost.
        lost = any(word in said.lower() for word in ("timed out", "contact", "connect", "communication"))
        word = Word.NONE if lost else Word.REFUSED
    return Trial(word, said)


def _is_far(day: str, today: str) -> bool:
    try:
        return date.fromisoformat(day) - date.fromisoformat(today) > _NEVER
    except ValueError:
        return False


def _start(match: re.Match[str], today: str) -> str:
    when = match["clock"] if match["day"] == today else f"{match['clock']} on {match['day']}"
    count = int(match["cpus"])
    where = f" on {match['nodes']}" if match["nodes"] else ""
    return f"at {when} with {count} {'CPU' if count == 1 else 'CPUs'}{where}"


def _one_line(text: str) -> str:
    lines = [_REFUSAL.sub("", line).strip() for line in text.splitlines()]
    return "; ".join(dict.fromkeys(filter(None, lines)))[:500]
