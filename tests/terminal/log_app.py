"""A growing log and a panel of slots as a program of its own, for the byte budgets.

Keys: 1 adds a line, 2 adds 2,000 lines in 200 pieces, 3 lets the slots' figures go on.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from tui.widgets.log_view import LogView
from tui.widgets.slots_panel import Slot, SlotsPanel


class LogApp(App[None]):
    """Slots above, the log below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "add(1, 1)"),
        Binding("2", "add(200, 10)"),
        Binding("3", "tick"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines = 1
        self._seconds = 0

    def compose(self) -> ComposeResult:
        """The two widgets."""
        yield SlotsPanel()
        yield LogView()

    def on_mount(self) -> None:
        """Begin with a few lines."""
        self.action_tick()
        self.query_one(LogView).focus()
        self.action_add(1, 100)

    def action_add(self, pieces: int, lines: int) -> None:
        """Add so many pieces of so many lines."""
        log = self.query_one(LogView)
        for _ in range(pieces):
            numbers = range(self._lines, self._lines + lines)
            log.append(b"".join(b"epoch %d loss %.4f \x1b[32mok\x1b[0m\n" % (n, 1 / n) for n in numbers))
            self._lines += lines

    def action_tick(self) -> None:
        """One second later in four slots."""
        self._seconds += 1
        busy = [
            Slot(str(n), f"/data/[/]/well_{n}.tif", busy=True, elapsed_s=self._seconds, cpu_percent=98)
            for n in range(3)
        ]
        self.query_one(SlotsPanel).show([*busy, Slot("3", "ready", busy=False)])


if __name__ == "__main__":
    LogApp().run()
