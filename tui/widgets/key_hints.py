"""The last line of every screen: the keys that do something here, as many as fit, the most useful first."""

from __future__ import annotations

from collections.abc import Callable, Collection
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

    def __init__(self, *, pointless: Callable[[], Collection[str]]) -> None:
        """*pointless* gives the actions that can do nothing at the moment: their keys are not shown."""
        super().__init__()
        self._pointless = pointless
        self._hints: list[tuple[str, str, str]] = []

    def on_mount(self) -> None:
        """Follow what is possible on the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[Any]) -> None:
        if not screen.is_attached or screen is not self.app.screen:
            return
        pointless = self._pointless()
        hints: dict[str, tuple[str, str, str]] = {}
        for key in keys_of(screen):
            if key.binding.show and key.binding.action not in pointless:
                # Of two that share a key the nearer one gets it.
                hints.setdefault(key.binding.key, (key.binding.key, key.shown, key.binding.description))
        if list(hints.values()) != self._hints:
            self._hints = list(hints.values())
            self.refresh()

    def render(self) -> Content:
        """The hints that fit."""
        parts: list[str | tuple[str, str]] = []
        for _, key, description in self._fitting():
            if parts:
                parts.append("  ")
            parts += [(key, "bold $primary"), " ", description]
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked on."""
        at = event.x - self.styles.padding.left
        start = 0
        for pressed, key, description in self._fitting():
            end = start + len(key) + 1 + len(description)
            if start <= at < end:
                self.app.simulate_key(pressed)
                return
            start = end + 2

    def _fitting(self) -> list[tuple[str, str, str]]:
        room = self.size.width
        fitting = []
        for hint in self._hints:
            room -= len(hint[1]) + 1 + len(hint[2])
            if room < 0:
                break
            fitting.append(hint)
            room -= 2
        return fitting
