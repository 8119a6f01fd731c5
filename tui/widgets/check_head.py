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
        sample: str,
        findings: Iterable[Finding],
    ) -> None:
        """Show this. The names are untrusted; *sample* is the work that the scheduler is asked about."""
        roomy = self.screen.size.width >= _ROOMY
        who = plain(resource, 30) if profile is None else f"{plain(resource, 30)} as {plain(profile, 30)}"
        if resource_saved and profile_saved:
            what: Piece = ("as saved", "muted")
        else:
            # Where there is no profile there is nothing to tell apart.
            which = "resource " if profile_saved else "profile " if resource_saved else "both "
            what = (f"{which if profile is not None else ''}as typed, not saved", "warning")
        head: list[Piece] = [(who, "strong"), ("  ", None), what]
        if roomy:
            head.append((f"   {sample}", "muted"))
        self.show(head, _counts(findings, words=roomy))


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
