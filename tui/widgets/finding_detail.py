"""One finding of a check: a row of a table, or in as many lines as there is room for."""

from __future__ import annotations

from runners.findings import Finding, FindingState
from tui.finding_words import field_words, fix_parts
from tui.signs import sign
from tui.text import plain
from tui.widgets.columns import Cell
from tui.widgets.line_view import Piece
from tui.widgets.paragraph_view import ParagraphView
from tui.widgets.paragraphs import Paragraph, Passage, facts

_VERDICT, _FIX = 2, 9
"""Lines of what was found and of what to do about it that come before anything behind them."""


class FindingDetail(ParagraphView):
    """Shows what was found, what to do about it, and what was asked and answered."""

    WHOLE = "e"

    def show(self, finding: Finding | None, trouble: str = "") -> None:
        """Show this one, and before it why there are no more."""
        said: list[Paragraph] = []
        if trouble:
            said.append(Passage([("! ", "warning")], [plain(trouble)]))
        if finding is not None:
            said += _paragraphs(finding)
        self.tell(said)


def finding_cells(finding: Finding, *, fresh: bool) -> tuple[Cell, ...]:
    """Check, state, detail and fix; one that is not *fresh* is of the time before."""
    shown = sign(finding.state)
    state = f"{shown.glyph} {shown.word}"
    if not fresh:
        return tuple((text, "muted") for text in (finding.check, state, finding.detail, finding.fix))
    detail: Cell = (finding.detail, "muted") if finding.state is FindingState.OK else finding.detail
    return finding.check, (state, shown.style), detail, finding.fix


def printed_lines(text: str) -> list[str]:
    """The lines of *text*, each harmless, without blank ones at its end."""
    return [plain(line) for line in text.rstrip().split("\n")] if text.strip() else []


def _paragraphs(finding: Finding) -> list[Paragraph]:
    shown = sign(finding.state)
    verdict: list[Piece] = [(f"{shown.glyph} {plain(finding.check, 40)}", shown.style), ("  ", None)]
    parts: list[Paragraph] = [Passage(verdict, printed_lines(finding.detail), least=_VERDICT)]
    if finding.fix:
        sentence, pasted = fix_parts(finding.fix)
        texts = [*printed_lines(sentence), *printed_lines(pasted)]
        parts.append(Passage([("fix   ", "running")], texts, least=_FIX))
    if field := field_words(finding):
        parts.append(facts(("field", plain(field, 200))))
    if finding.evidence.strip():
        parts.append(Passage([("said  ", "muted")], printed_lines(finding.evidence), which="last"))
    return parts
