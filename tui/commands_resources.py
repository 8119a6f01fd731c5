"""The command palette: resources and their profiles by name, to look at, check and edit from any screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, cast

from textual.command import Hit, Hits, Provider
from textual.content import Content

from runners.config.errors import ConfigError
from tui.dashboard import Dashboard
from tui.entry_words import state_of, where_words
from tui.inventory import Entry, read_inventory
from tui.messages import OpenCheck, OpenField
from tui.text import plain


class _Command(NamedTuple):
    name: str
    does: Callable[[], Any]
    words: str


class ResourceCommands(Provider):
    """Offers every resource once something is typed: before, the runs have the room."""

    _entries: tuple[Entry, ...] = ()

    async def startup(self) -> None:
        """Read what there is. What can't be read is told by the screen of the resources."""
        with suppress(ConfigError):
            self._entries = await asyncio.to_thread(read_inventory, cast("Dashboard", self.app).home)

    async def search(self, query: str) -> Hits:
        """What can be done with resources and profiles whose name fits."""
        matcher = self.matcher(query)
        for command in self._commands():
            score = matcher.match(command.name)
            if score > 0:
                yield Hit(score, Content(command.name), command.does, text=command.name, help=command.words)

    def _commands(self) -> Iterator[_Command]:
        dashboard = cast("Dashboard", self.app)
        for entry in self._entries:
            glyph, word, _ = state_of(entry)
            words = ", ".join(filter(None, [f"{glyph} {word}", entry.kind, plain(where_words(entry))]))
            resource, own = plain(entry.resource), entry.profile is None
            name = resource if entry.profile is None else f"{plain(entry.profile)} of {resource}"
            what = "resource" if own else "profile"
            yield _Command(f"Go to {what} {name}", partial(_go_to, dashboard, entry.key), words)
            if entry.new:
                # There is no file to be checked or opened; its row leads to what was typed.
                continue
            asked = OpenField(entry.resource, entry.profile)
            yield _Command(f"Edit {what} {name}", partial(dashboard.post_message, asked), words)
            who = resource if entry.profile is None else f"{resource} as {plain(entry.profile)}"
            does = partial(_check, dashboard, entry.resource, entry.profile)
            yield _Command(f"Check {who}", does, "Ask the real cluster whether it can work")


def _go_to(dashboard: Dashboard, key: str) -> None:
    from tui.screens.resources import ResourcesPage

    dashboard.action_resources()
    if isinstance(page := dashboard.page, ResourcesPage):
        # A new page has no table yet.
        page.call_after_refresh(page.go_to, key)


def _check(dashboard: Dashboard, resource: str, profile: str | None) -> None:
    from tui.screens.check import CheckPage

    asked = OpenCheck(resource, profile)
    if isinstance(page := dashboard.page, CheckPage):
        page.check_instead(asked)
    else:
        dashboard.post_message(asked)
