"""All of one finding, over the check: what to do, and what was asked and answered, word for word."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from runners.findings import Finding, FindingState
from tui.finding_words import field_words, fix_parts
from tui.screens.whole_text import WholeText
from tui.signs import sign
from tui.text import plain
from tui.widgets.finding_detail import printed_lines

_COLOURS = {
    FindingState.OK: "$text-success",
    FindingState.WARNING: "$text-warning",
    FindingState.FAILURE: "$text-error",
    FindingState.UNTOLD: "$text-warning",
}


class Evidence(WholeText):
    """All of a finding."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "dismiss", "back", show=False, id="evidence.close", tooltip="Back to the check"),
    ]

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.check, _words(finding))


def _words(finding: Finding) -> Content:
    shown = sign(finding.state)
    parts: list[tuple[str, str] | str] = [
        (f"{shown.glyph} {shown.word}", f"bold {_COLOURS[finding.state]}"),
        "\n",
        "\n".join(printed_lines(finding.detail)),
        "\n",
    ]
    if finding.fix:
        sentence, pasted = fix_parts(finding.fix)
        lines = [*printed_lines(sentence), *printed_lines(pasted)]
        parts += ["\n", ("what to do", "bold $text-primary"), "\n", "\n".join(lines), "\n"]
    if field := field_words(finding):
        parts += ["\n", ("field", "bold $text-primary"), "\n", plain(field), "\n"]
    parts += ["\n", ("asked and answered", "bold $text-primary"), "\n"]
    parts.append("\n".join(printed_lines(finding.evidence)) or "Nothing had to be asked.")
    return Content.assemble(*parts).rstrip()
