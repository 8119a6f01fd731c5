"""The first line of every screen: whether the engine runs, what is busy, how fresh this all is."""

from __future__ import annotations

from collections import Counter

from textual.content import Content
from textual.widget import Widget

from runners.config.units import format_about
from runners.states import State
from tui.feed import Picture
from tui.signs import sign
from tui.text import plain

_QUIET = "$foreground 60%"


class TopLine(Widget):
    """One line; drawn anew only when it says something else."""

    DEFAULT_CSS = """
    TopLine { height: 1; background: $panel; color: $foreground; padding: 0 1; }
    """

    def __init__(self, *, read_only: bool) -> None:
        super().__init__()
        self._read_only = read_only
        self._said = Content()

    def show(self, picture: Picture, now: float) -> None:
        """Show what *picture* says at the moment *now* (seconds since the epoch)."""
        said = _said(picture, now, read_only=self._read_only)
        if said != self._said:
            self._said = said
            self.refresh()

    def render(self) -> Content:
        """The line, with the way to the help at its right end."""
        help_hint = Content.assemble(("?", "bold $primary"), " help")
        room = self.size.width - help_hint.cell_length
        left = self._said.truncate(max(0, room - 1), ellipsis=True)
        return Content.assemble(left, " " * (room - left.cell_length), help_hint)

    def on_click(self) -> None:
        """The whole line leads to the help."""
        self.app.simulate_key("question_mark")


def _said(picture: Picture, now: float, *, read_only: bool) -> Content:
    parts: list[Content | str | tuple[str, str]] = [("Runyard", "bold")]
    if read_only:
        parts += ["  ", (" read-only ", "bold $background on $warning")]
    glyph = sign(State.RUNNING if picture.engine else State.PENDING).glyph
    parts += [
        "  engine ",
        (f"{glyph} on", "$success") if picture.engine else (f"{glyph} off", _QUIET),
    ]
    if picture.problem:
        age = f", what you see is {format_about(now - picture.read_at)} old" if picture.read_at else ""
        parts += ["   ", (f"! the store can't be read{age}", "bold $warning")]
        return Content.assemble(*parts)
    slots: Counter[str] = Counter()
    busy: Counter[str] = Counter()
    for slot in picture.slots:
        run = picture.runs.get(slot.run)
        if run is not None and slot.state in ("ready", "busy"):
            slots[run.resource] += 1
            busy[run.resource] += slot.state == "busy"
    for resource, number in sorted(slots.items()):
        parts += [f"   {plain(resource, 20)} ", (f"{busy[resource]}/{number}", "bold"), " slots busy"]
    return Content.assemble(*parts)
