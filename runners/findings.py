"""What a preflight check finds out: one finding for each thing that was looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

CONNECT = "Connect to the resource"
"""How a fix begins that ends with `CONNECT_COMMAND`."""

CONNECT_COMMAND = "runyard resource connect NAME"
SET_COMMAND = "runyard resource set NAME"
"""Checks are made of documents, and don't know what a resource is called: who shows the fix puts it there."""

REST = "the rest"
"""The check of the finding that comes last where a failure kept others from being looked at."""


class FindingState(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    """Work can run, but hardly as it was meant; or it may fail for some work."""
    FAILURE = "failure"
    """Work can't run as it is."""
    UNTOLD = "untold"
    """It could not be told; the detail says why. Nothing is guessed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    check: str
    """What was looked at, in a word or two that stay the same: `partition`, `host key`, `memory, GPU set`."""
    state: FindingState
    detail: str
    """What was found, as one sentence with the values that were seen. May hold text from outside."""
    fix: str = ""
    """What to do about it: a sentence that ends, after a colon, with what can be pasted, if there is such."""
    evidence: str = ""
    """What was asked and what was answered, word for word as far as it matters; several lines."""
    of: Literal["resource", "profile", ""] = ""
    """Whose field is at fault, if the fault is one of the configuration."""
    field: str = ""
    """The dotted path of that field in its JSON document."""


def is_sound(findings: Iterable[Finding]) -> bool:
    """Whether work can run, as far as *findings* tell."""
    return all(finding.state is not FindingState.FAILURE for finding in findings)
