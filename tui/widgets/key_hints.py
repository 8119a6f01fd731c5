"""The last line of every screen: the keys that do something here, as many as fit, the most useful first."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from tui.keys import keys_of


class KeyHints(Widget):
    """One line of keys. A click on one presses it.

    Textual's own footer is made anew, widget by widget, on every change of focus, and is cut at 80 columns.
    """

    DEFAULT_CSS = """
    KeyHints { dock: bottom; height: 1; background: $panel; color: $text-muted; padding: 0 1; }
    """

    def __init__(self, *, blocked: Collection[str] = ()) -> None:
        """*blocked* are actions that are shown as out of reach; their keys say why."""
        super().__init__()
        self._blocked = blocked
        self._hints: list[tuple[str, str, str, bool]] = []

    def on_mount(self) -> None:
        """Follow what is possible on the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[Any]) -> None:
        if not screen.is_attached or screen is not self.app.screen:
            return
        hints = [
            (key.binding.key, key.shown, key.binding.description, key.binding.action not in self._blocked)
            for key in keys_of(screen)
            if key.binding.show
        ]
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def render(self) -> Content:
        """The hints that fit."""
        parts: list[str | tuple[str, str]] = []
        for _, key, description, enabled in self._fitting():
            if parts:
                parts.append("  ")
            style = "bold $primary" if enabled else "$foreground 35%"
            parts += [(key, style), " ", (description, "" if enabled else "$foreground 35%")]
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked on."""
        at = event.x - self.styles.padding.left
        start = 0
        for pressed, key, description, _ in self._fitting():
            end = start + len(key) + 1 + len(description)
            if start <= at < end:
                self.app.simulate_key(pressed)
                return
            start = end + 2

    def _fitting(self) -> list[tuple[str, str, str, bool]]:
        room = self.size.width
        fitting = []
        for hint in self._hints:
            room -= len(hint[1]) + 1 + len(hint[2])
            if room < 0:
                break
            fitting.append(hint)
            room -= 2
        return fitting
