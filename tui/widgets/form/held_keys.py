"""Keys that are pressed while the line that they are meant for is still being made."""

from __future__ import annotations

from textual import events
from textual.widget import Widget


class HeldKeys(Widget):
    """Takes no room. Has the focus for a moment, while the lines of a section are exchanged.

    Without it the focus would go to whatever comes next on the screen, and what is typed with it.
    """

    DEFAULT_CSS = """
    HeldKeys { height: 0; width: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: list[events.Key] | None = None

    def hold(self) -> None:
        """Have the focus, and keep what is typed."""
        self._held = []
        self.can_focus = True
        self.screen.set_focus(self, scroll_visible=False)

    def hand_on(self) -> None:
        """A line has been given the focus: what was typed meanwhile goes to it, before what is typed next."""
        held, self._held = self._held or [], None
        for key in held:
            self._send(key)

    def on_key(self, event: events.Key) -> None:
        """Keep it, or send it after those that were kept."""
        event.stop()
        key = events.Key(event.key, event.character)
        if self._held is not None:
            self._held.append(key)
        else:
            self._send(key)

    def _send(self, key: events.Key) -> None:
        # Not by way of the application, where the next key may be waiting by now.
        if self.screen.focused is not None:
            self.screen.focused._forward_event(key)

    def on_blur(self) -> None:
        """It is no field: nobody gets here with the tab key."""
        self.can_focus = False
