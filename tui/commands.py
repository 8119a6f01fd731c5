"""The command palette: what can be done on the screen, and the runs to jump to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, cast

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.dashboard import Dashboard
from tui.intents import short_name
from tui.messages import OpenRun
from tui.signs import sign

_OFFERED = 8
"""Runs that are offered before anything is typed."""


class _Command(NamedTuple):
    name: str
    does: Callable[[], Any]
    words: str


class RunCommands(Provider):
    """Offers what the screen's keys do, by name, what is there on every screen, and every run."""

    async def discover(self) -> Hits:
        """What there is before anything is typed."""
        runs = list(self._runs())[:_OFFERED]
        for command in [*self._actions(), *self._everywhere(), *runs]:
            yield DiscoveryHit(Content(command.name), command.does, text=command.name, help=command.words)

    async def search(self, query: str) -> Hits:
        """Actions and runs whose name fits."""
        matcher = self.matcher(query)
        for command in [*self._actions(), *self._everywhere(), *self._runs()]:
            score = matcher.match(command.name)
            if score > 0:
                yield Hit(score, Content(command.name), command.does, text=command.name, help=command.words)

    def _actions(self) -> Iterator[_Command]:
        page = cast("Dashboard", self.app).page
        if page is None:
            return
        left_out = set(page.pointless())
        for binding in Binding.make_bindings(type(page).BINDINGS):
            action = binding.action
            if action not in page.NAMES or action in left_out:
                continue
            if page.check_action(action.partition("(")[0], ()):
                # An action may have several keys.
                left_out.add(action)
                yield _Command(page.NAMES[action], partial(page.run_action, action), binding.tooltip)

    def _everywhere(self) -> Iterator[_Command]:
        """Only what a user of Runyard has a use for, of what Textual has there."""
        dashboard = cast("Dashboard", self.app)
        yield _Command("Resources", dashboard.action_resources, "Where work can run and as whom: edit, check")
        yield _Command(
            "Command log", dashboard.action_command_log, "Every command that was run on a cluster, its reply"
        )
        yield _Command("Theme", dashboard.search_themes, "Choose other colours")
        yield _Command("Help", dashboard.action_help, "Keys and signs of this screen")
        yield _Command("Quit", dashboard.action_leave, "Leave the dashboard; everything that runs goes on")

    def _runs(self) -> Iterator[_Command]:
        dashboard = cast("Dashboard", self.app)
        for run in dashboard.picture.runs.values():
            shown = sign(run.state)
            counts = run.counts
            yield _Command(
                f"Go to {short_name(run)}  {run.id}",
                partial(dashboard.post_message, OpenRun(run.id)),
                f"{shown.glyph} {shown.word}, {counts.done:,} of {counts.total:,} done",
            )
