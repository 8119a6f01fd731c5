"""All of one finding, over the check: what to do, and what was asked and answered, word for word."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from runners.findings import Finding, FindingState
from tui.finding_words import fix_parts
from tui.signs import sign
from tui.text import plain
from tui.widgets.finding_detail import field_words, printed_lines

_COLOURS = {
    FindingState.OK: "$text-success",
    FindingState.WARNING: "$text-warning",
    FindingState.FAILURE: "$text-error",
    FindingState.UNTOLD: "$text-warning",
}


class Evidence(ModalScreen[None]):
    """Lies over the page until a key is pressed."""

    CSS_PATH = "evidence.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,e,enter", "dismiss", "back", id="evidence.close", tooltip="Back to the check"),
        Binding("down,j", "scroll(1)", "down", show=False, id="evidence.down"),
        Binding("up,k", "scroll(-1)", "up", show=False, id="evidence.up"),
        Binding("pagedown", "scroll(10)", "page down", show=False, id="evidence.page_down"),
        Binding("pageup", "scroll(-10)", "page up", show=False, id="evidence.page_up"),
    ]

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self._finding = finding

    def compose(self) -> ComposeResult:
        """One text in a frame."""
        with VerticalScroll(id="evidence") as frame:
            frame.border_title = Content(plain(self._finding.check, 60))
            frame.border_subtitle = "esc closes"
            yield Static(self._words())

    def action_scroll(self, lines: int) -> None:
        """Up or down, where there is more than fits."""
        self.query_one("#evidence").scroll_relative(y=lines, animate=False)

    def _words(self) -> Content:
        finding = self._finding
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
