"""What a check has found, in words. Imports no textual: the command line prints them too.

What findings say may come from a cluster; it is made harmless only by whoever shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from runners.findings import REST, Finding, FindingState

_SEVERAL = {
    FindingState.OK: "ok",
    FindingState.WARNING: "warnings",
    FindingState.FAILURE: "failures",
    FindingState.UNTOLD: "could not be told",
}


def summary(findings: Collection[Finding]) -> str:
    """How many there are of each kind: `23 checks: 21 ok, 1 warning, 1 failure`."""
    counts = Counter(finding.state for finding in findings if finding.check != REST)
    total = counts.total()
    parts = [_counted(state, counts[state]) for state in FindingState if counts[state]]
    text = f"{total:,} {'check' if total == 1 else 'checks'}"
    if parts:
        text += f": {', '.join(parts)}"
    if any(finding.check == REST for finding in findings):
        text += "; the rest was not looked at"
    return text


def _counted(state: FindingState, number: int) -> str:
    one = number == 1 and state in (FindingState.WARNING, FindingState.FAILURE)
    return f"{number:,} {state.value if one else _SEVERAL[state]}"


def fix_parts(fix: str) -> tuple[str, str]:
    """A fix as its sentence, with the colon, and what can be pasted: empty where nothing can."""
    sentence, colon, pasted = fix.partition(": ")
    if not colon:
        sentence, colon, pasted = fix.partition(":\n")
    return (f"{sentence}:", pasted.strip("\n")) if colon and pasted.strip() else (fix, "")


def copied(fix: str) -> str:
    """What somebody who copies the fix wants on the clipboard."""
    sentence, pasted = fix_parts(fix)
    return pasted or sentence
