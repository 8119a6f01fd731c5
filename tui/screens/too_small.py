"""What is shown while the terminal has no room for anything else."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static


class TooSmall(ModalScreen[None]):
    """Says how much room Runyard needs."""

    DEFAULT_CSS = """
    TooSmall { background: $background; align: center middle; }
    TooSmall > Static { width: auto; max-width: 100%; height: auto; text-align: center; }
    """

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__()
        self._words = f"Runyard needs {columns} x {lines}.\nMake the window larger."

    def compose(self) -> ComposeResult:
        """One sentence."""
        yield Static(self._words, markup=False)
