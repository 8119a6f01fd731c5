"""The sections of a form, in one line: which is shown, which have errors, which have changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from runners.states import State
from tui.signs import changed_mark, sign
from tui.text import ellipsis, plain


class Tab(NamedTuple):
    """A section as the bar shows it."""

    title: str
    errors: int
    lacks: bool
    """Whether something that is required is missing."""
    changed: bool

    def content(self, *, current: bool) -> Content:
        """Its title and its signs."""
        parts: list[str | tuple[str, str]] = [f" {plain(self.title, 20)}"]
        if self.changed:
            parts += [(f" {changed_mark()}", "" if current else "$text-warning")]
        if self.errors:
            parts += [(f" {sign(State.FAILED).glyph}{self.errors}", "" if current else "$text-error")]
        elif self.lacks:
            parts += [("*", "" if current else "$text-warning")]
        content = Content.assemble(*parts, " ")
        if current:
            return content.stylize("bold $block-cursor-foreground on $block-cursor-background")
        return content


class SectionBar(Widget):
    """One line; where it is too narrow for all sections, it shows those around the current one."""

    DEFAULT_CSS = """
    SectionBar {
        height: 1;
        background: $panel;
        color: $foreground 80%;
        padding: 0 1;
        &:ansi, &:nocolor { text-style: none; }
    }
    """

    class Picked(Message):
        """A section was clicked on."""

        def __init__(self, at: int) -> None:
            super().__init__()
            self.at = at

    def __init__(self) -> None:
        super().__init__()
        self._tabs: Sequence[Tab] = ()
        self._at = 0

    def show(self, tabs: Sequence[Tab], at: int) -> None:
        """Show these, the one at *at* as the current one."""
        if (tabs, at) != (self._tabs, self._at):
            self._tabs, self._at = tabs, at
            self.refresh()

    def _fitting(self) -> tuple[int, list[Content]]:
        """The first section that is shown, and how those look that are."""
        drawn = [tab.content(current=n == self._at) for n, tab in enumerate(self._tabs)]
        widths = [content.cell_length for content in drawn]
        # A cell at either end is for the sign that there are more.
        room = self.size.width - 2
        first, last = 0, self._at + 1
        while first < self._at and sum(widths[first:last]) > room:
            first += 1
        while last < len(drawn) and sum(widths[first : last + 1]) <= room:
            last += 1
        return first, drawn[first:last]

    def render(self) -> Content:
        """The sections that fit."""
        first, shown = self._fitting()
        after = first + len(shown) < len(self._tabs)
        return Content.assemble(ellipsis() if first else " ", *shown, ellipsis() if after else "")

    def on_click(self, event: events.Click) -> None:
        """Go to the section that was clicked on; from an end that is cut, to the next one beyond."""
        first, shown = self._fitting()
        end = self.styles.padding.left + 1
        at = first - 1
        while event.x >= end and at < first + len(shown):
            at += 1
            end += shown[at - first].cell_length if at - first < len(shown) else 1
        if event.x < end and 0 <= at < len(self._tabs):
            self.post_message(self.Picked(at))
