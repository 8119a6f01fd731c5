"""The keys that do something on a screen, for its last line and for its help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget


class Key(NamedTuple):
    """One key and what it does."""

    binding: Binding
    shown: str
    """The key as a person reads it."""


def is_typed_in(widget: Widget | None) -> bool:
    """Whether letters go into *widget* as text."""
    return widget is not None and widget.check_consume_key("x", "x")


def keys_of(screen: Screen[Any]) -> Iterator[Key]:
    """The keys that are bound where the focus is, on the screen, and everywhere; the nearest first.

    Textual's `active_bindings` has one entry for each key, so that `enter` in a table hides what the screen
    says it does. While a text is being typed, keys that would be typed are left out.
    """
    focused = screen.focused
    typing = is_typed_in(focused)
    nodes: list[DOMNode] = [] if focused is None else list(focused.ancestors_with_self)
    if not nodes:
        nodes = [screen, screen.app]
    seen = set()
    for node in nodes:
        for binding in Binding.make_bindings(type(node).BINDINGS):
            possible = node.check_action(binding.action.partition("(")[0], ())
            if not possible or binding.action in seen or not binding.description:
                continue
            if typing and (len(binding.key) == 1 or binding.key in ("slash", "question_mark")):
                continue
            seen.add(binding.action)
            yield Key(binding, _shown(screen, binding))


def _shown(screen: Screen[Any], binding: Binding) -> str:
    # The key has a name; its sign is not in every font.
    return "enter" if binding.key == "enter" else screen.app.get_key_display(binding)
