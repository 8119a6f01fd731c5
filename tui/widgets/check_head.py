"""What is checked, and what it came to so far, in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from runners.findings import Finding, FindingState
from tui.finding_words import state_words
from tui.signs import sign
from tui.text import plain
from tui.widgets.line_view import Piece
from tui.widgets.piece_line import PieceLine

_ROOMY = 100
"""From this width on there is room for all words."""

WORST_FIRST = (FindingState.FAILURE, FindingState.WARNING, FindingState.UNTOLD, FindingState.OK)


class CheckHead(PieceLine):
    """Names the resource and the profile, says which of them is saved, and counts the findings."""

    def tell(
        self,
        resource: str,
        profile: str | None,
        *,
        resource_saved: bool,
        profile_saved: bool,
        outdated: bool,
        sample: str,
        findings: Iterable[Finding],
    ) -> None:
        """Show this. The names are untrusted; *sample* is the work that the scheduler is asked about.

        Where it is *outdated*, resource or profile have changed since they were checked.
        """
        roomy = self.screen.size.width >= _ROOMY
        who = plain(resource, 30) if profile is None else f"{plain(resource, 30)} as {plain(profile, 30)}"
        head: list[Piece] = [(who, "strong"), ("  ", None)]
        right = _counts(findings, words=roomy and not outdated)
        if outdated:
            # At the right end, where long names don't cut it.
            right = [("changed since: r checks again", "warning"), *((text, "muted") for text, _ in right)]
        elif resource_saved and profile_saved:
            head.append(("as saved", "muted"))
        else:
            # Where there is no profile there is nothing to tell apart.
            which = "resource " if profile_saved else "profile " if resource_saved else "both "
            head.append((f"{which if profile is not None else ''}as typed, not saved", "warning"))
        if roomy:
            head.append((f"   {sample}", "muted"))
        self.show(head, right)


def _counts(findings: Iterable[Finding], *, words: bool) -> list[Piece]:
    """How many there are of each kind, the worst first."""
    counts = Counter(finding.state for finding in findings)
    pieces: list[Piece] = []
    for state in WORST_FIRST:
        if number := counts[state]:
            shown = sign(state)
            word = f" {state_words(state, number)}" if words else ""
            pieces.append((f"  {shown.glyph} {number}{word}", shown.style))
    return pieces
