"""The clusters in use, a line each: reachable or not, what runs and waits, how old that is."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size

from tui.signs import Segment
from tui.standing import Standing
from tui.text import pad, plain, width_of
from tui.widgets.line_view import Line, LineView
from tui.widgets.piece_line import line_of

_FEW, _MANY = 2, 5
"""Lines at most: in a classic terminal, and in one with room."""

_HIGH = 32
"""Lines of a terminal with room."""

_LONGEST_NAME = 24


class ResourceStrip(LineView):
    """As high as it takes; where that is too much, the last line says how many more there are."""

    DEFAULT_CSS = """
    ResourceStrip { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._standings: Sequence[Standing] = ()
        self._now = 0.0

    def show(self, standings: Sequence[Standing], now: float) -> None:
        """Show these, in this order, as they are at the moment *now*."""
        grown = len(standings) != len(self._standings)
        self._standings, self._now = standings, now
        if grown:
            self.refresh(layout=True)
        else:
            self.repaint()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line for each, if there is room (Textual asks)."""
        return min(len(self._standings), _MANY if viewport.height >= _HIGH else _FEW)

    def line(self, y: int) -> Line:
        """One of them."""
        width = self.size.width
        if y >= len(self._standings):
            return line_of((), (), width)
        hidden = len(self._standings) - self.size.height
        last = y == self.size.height - 1
        more: list[Segment] = [(f"  +{hidden} more", "strong")] if hidden > 0 and last else []
        return line_of(self._told(self._standings[y]), more, width)

    def _told(self, standing: Standing) -> list[Segment]:
        shown = standing.sign
        shown_ones = self._standings[: self.size.height]
        states = max(width_of(f"{each.sign.glyph} {each.sign.word}") for each in shown_ones)
        names = max(width_of(plain(each.name, _LONGEST_NAME)) for each in shown_ones)
        pieces: list[Segment] = [
            (pad(f"{shown.glyph} {shown.word}", states), shown.style),
            (f"  {pad(plain(standing.name, _LONGEST_NAME), names)}", "strong"),
        ]
        if standing.round_trip:
            pieces.append((f"  {standing.round_trip:>6}", "muted"))
        work: Segment = (f"  {standing.work}", "muted" if standing.troubled else "running")
        age: Segment = (f"  {standing.age(self._now)}", "warning" if standing.troubled else "muted")
        if not standing.troubled:
            return [*pieces, work, age]
        # What is wrong says more than what was so a while ago.
        trouble = standing.place.trouble if standing.place is not None and not standing.asks else ""
        return [*pieces, age, (f"  {plain(trouble)}", "failed"), work]
