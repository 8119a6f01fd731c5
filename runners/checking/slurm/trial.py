"""The scheduler's own word: what `sbatch --test-only` answers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from runners.explanation import SLURM_SET, Explanation
from runners.slurm.refusals import explain_refusal
from runners.slurm.replies import Answer, one_line, read_sbatch
from runners.transport.base import TOO_LATE, Reply

TRY = ("sbatch", "--test-only")
"""Nothing is submitted. The script comes on standard input."""

_START = re.compile(
    r"Job \d+ to start at (?P<day>\d{4}-\d\d-\d\d)T(?P<clock>\d\d:\d\d):\d\d"
    r"(?: on cluster (?P<cluster>\S+))? using (?P<cpus>\d+) processors"
    r"(?: on (?:nodes )?(?P<nodes>\S+))?"
)

NEVER = timedelta(days=1000)
"""What starts only then is not foreseen to start."""


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
    def too_large(self) -> bool:
        """Whether it is refused for what nodes have."""
        said = self.said.lower()
        words = ("node configuration", "memory", "cpu count")
        return self.word is Word.REFUSED and any(word in said for word in words)

    def explained(self, settings: str = SLURM_SET) -> Explanation | None:
        """What a refusal means, and what to do; None where that is not known.

        *settings* is the path of the part of the resource that asks for it.
        """
        return explain_refusal(self.said, settings=settings)


@dataclass(frozen=True, slots=True)
class Trials:
    """What the scheduler says of the jobs of a set."""

    own: Trial
    """Of that of the sample."""
    largest: Mapping[str, Trial] = field(default_factory=dict)
    """Of the largest in one respect each; see `Asked.largest`."""


def read_trial(reply: Reply, today: str) -> Trial:
    """Read the answer; *today* is the day by the cluster's clock, by which the start is told."""
    out, err = (text.decode("utf-8", "replace") for text in (reply.out, reply.err))
    said = one_line(f"{err}\n{out}")
    if reply.code == 0:
        match = _START.search(f"{err}\n{out}")
        if match is None:
            return Trial(Word.TAKEN, said)
        return Trial(Word.TAKEN, said, _start(match, today), _is_far(match["day"], today))
    if reply.code == TOO_LATE:
        return Trial(Word.NONE, said)
    answer = read_sbatch(reply.code, "", f"{err}\n{out}")
    words = {Answer.REFUSED: Word.REFUSED, Answer.FULL: Word.FULL}
    word = words.get(answer.answer, Word.NONE)
    if word is Word.NONE and "allocation failure:" in err and answer.answer is Answer.UNCLEAR:
        # Nothing was submitted: a refusal whose words are not known is one too, unless the line was lost.
        lost = any(word in said.lower() for word in ("timed out", "contact", "connect", "communication"))
        word = Word.NONE if lost else Word.REFUSED
    return Trial(word, said)


def _is_far(day: str, today: str) -> bool:
    try:
        return date.fromisoformat(day) - date.fromisoformat(today) > NEVER
    except ValueError:
        return False


def _start(match: re.Match[str], today: str) -> str:
    when = match["clock"] if match["day"] == today else f"{match['clock']} on {match['day']}"
    count = int(match["cpus"])
    where = f" on {match['nodes']}" if match["nodes"] else ""
    # Of a federation, or of several clusters that jobs may be sent to.
    where += f" of the cluster {match['cluster']}" if match["cluster"] else ""
    return f"at {when} with {count} {'CPU' if count == 1 else 'CPUs'}{where}"
