"""What a check has found, in words. Imports no textual: the command line prints them too.

What findings say may come from a cluster; it is made harmless only by whoever shows it.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from runners.config.units import format_mb
from runners.findings import CONNECT, CONNECT_COMMAND, SET_COMMAND, Finding, FindingState
from tui import filters

if TYPE_CHECKING:
    from runners.sample import Sample
    from tui.check_documents import CheckDocuments

KEYS = ("state", "check", "detail", "fix")
"""What a filter can ask of a finding."""

_SEVERAL = {
    FindingState.OK: "ok",
    FindingState.WARNING: "warnings",
    FindingState.FAILURE: "failures",
    FindingState.UNTOLD: "could not be told",
}


def summary(findings: Collection[Finding]) -> str:
    """How many there are of each kind: `23 checks: 21 ok, 1 warning, 1 failure`."""
    # With what was not looked at: it could not be told, and is a row like the others.
    counts = Counter(finding.state for finding in findings)
    parts = [
        f"{counts[state]:,} {state_words(state, counts[state])}" for state in FindingState if counts[state]
    ]
    text = checks_words(len(findings))
    return f"{text}: {', '.join(parts)}" if parts else text


def addressed(
    finding: Finding, resource: str, documents: CheckDocuments, *, in_dashboard: bool = False
) -> Finding:
    """*finding* with the names of the *resource* and its profile where one pastes; checks don't know them.

    *in_dashboard* also says with which key it is done there.
    """
    name = shlex.quote(resource)
    connect = f"runyard resource connect {name}"
    if documents.acts_as is not None and len(documents.profiles) > 1:
        connect += f" --profile {shlex.quote(documents.acts_as)}"
    fix = finding.fix.replace(f"{SET_COMMAND} ", f"runyard resource set {name} ")
    fix = fix.replace(CONNECT_COMMAND, connect)
    if in_dashboard:
        fix = fix.replace(CONNECT, f"{CONNECT} (c in the list of resources)", 1)
    return replace(finding, fix=fix)


def state_words(state: FindingState, number: int) -> str:
    """What stands behind a number of findings in this state."""
    one = number == 1 and state in (FindingState.WARNING, FindingState.FAILURE)
    return state.value if one else _SEVERAL[state]


def field_words(finding: Finding) -> str:
    """The field that a finding blames; empty where it blames none."""
    return f"{finding.field} of the {finding.of}" if finding.of and finding.field else ""


def fix_parts(fix: str) -> tuple[str, str]:
    """A fix as its sentence, with the colon, and what can be pasted: empty where nothing can."""
    sentence, colon, pasted = fix.partition(": ")
    if not colon:
        sentence, colon, pasted = fix.partition(":\n")
    if not (colon and pasted.strip()):
        return fix, ""
    # A full stop at the end is the sentence's.
    return f"{sentence}:", re.sub(r"(?<=\w)\.$", "", pasted.strip("\n"))


def copied(fix: str) -> str:
    """What somebody who copies the fix wants on the clipboard."""
    sentence, pasted = fix_parts(fix)
    return pasted or sentence


def checks_words(number: int) -> str:
    """So many checks."""
    return f"{number:,} {'check' if number == 1 else 'checks'}"


def values_of(finding: Finding) -> filters.Values:
    """What a filter finds in it, by the keys."""
    return {
        "state": finding.state.value,
        "check": finding.check,
        "detail": finding.detail,
        "fix": finding.fix,
    }


def sample_words(sample: Sample) -> str:
    """The work that the scheduler is asked about: `100 tasks of 2 CPUs, 4 GB, GPU`."""
    needs = [] if sample.cpus is None else [f"{sample.cpus} {'CPU' if sample.cpus == 1 else 'CPUs'}"]
    if sample.mem_mb is not None:
        needs.append(format_mb(sample.mem_mb))
    if sample.needs_gpu:
        needs.append("GPU")
    tasks = f"{sample.tasks:,} {'task' if sample.tasks == 1 else 'tasks'}"
    return f"{tasks} of {', '.join(needs)}" if needs else tasks
