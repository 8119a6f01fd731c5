"""The dashboard: holds what the store said last, asks the engine for what is wanted, and knows the screens.

Nothing here waits for a runner, and no widget reads a file: pictures come from the feed, answers from the
engine.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import textual
from textual import events
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.worker import Worker, WorkerState

from runners.config.home import Home
from runners.engine.lock import held
from tui.asker import Asker
from tui.feed import Feed, Gatherer, Picture
from tui.keeper import EngineState, Keeper
from tui.key_order import InOrder
from tui.leaving import Edits, leave
from tui.messages import OpenCheck, OpenField, OpenLaunch, OpenRun, PictureTaken
from tui.screens.confirm import Confirm
from tui.screens.page import Page
from tui.screens.runs import RunsPage
from tui.screens.too_small import TooSmall
from tui.standing import moment_of
from tui.text import plain
from tui.theme import DARK, LIGHT

if TYPE_CHECKING:
    from pydantic import BaseModel
    from textual.command import Provider

    from runners.engine.client import EngineClient
    from runners.requests import RequestKind
    from runners.store.rows import RunRow
    from tui.forms.launch import LaunchDraft

SMALLEST = (40, 10)
"""Columns and lines below which no screen makes sense."""

TICK_S = 1.0
"""How often elapsed times are drawn anew, while something runs."""


def _commands() -> type[Provider]:
    # The palette's module comes in when the palette is opened.
    from tui.commands import RunCommands

    return RunCommands


def _resource_commands() -> type[Provider]:
    from tui.commands_resources import ResourceCommands

    return ResourceCommands


class Dashboard(InOrder[int]):
    """The application."""

    TITLE = "Runyard"
    CSS_PATH = "dashboard.tcss"
    COMMANDS: ClassVar = {_commands, _resource_commands}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    NOTIFICATION_TIMEOUT = 6

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "question_mark",
            "help",
            "help",
            id="app.help",
            show=False,
            tooltip="Keys and signs of this screen",
        ),
        Binding(
            "f1",
            "help",
            "help",
            id="app.help_anywhere",
            show=False,
            tooltip="Keys and signs, also while a text is typed",
        ),
        Binding("ctrl+p", "command_palette", "commands", id="app.commands", tooltip="All commands, by name"),
        Binding(
            "q", "leave", "quit", id="app.quit", tooltip="Leave the dashboard; everything that runs goes on"
        ),
        Binding(
            "f2",
            "answer",
            "answer",
            id="app.answer",
            key_display="F2",
            show=False,
            tooltip="Answer what a cluster asks before it lets us in",
        ),
        Binding(
            "R",
            "resources",
            "resources",
            id="app.resources",
            tooltip="Where work can run and as whom: edit it, and check it against the real cluster",
        ),
        Binding(
            "L",
            "command_log",
            "command log",
            id="app.command_log",
            tooltip="Every command that was run on a cluster, with its reply",
        ),
        Binding(
            "ctrl+q,ctrl+c", "leave", "quit", id="app.quit_now", show=False, tooltip="Leave, from anywhere"
        ),
    ]

    def __init__(
        self,
        home: Home,
        *,
        read_only: bool = False,
        run: str | None = None,
        clock: Callable[[], float] = time.time,
        client: EngineClient | None = None,
        alive: Callable[[], bool] | None = None,
    ) -> None:
        """*run* is the id of the run to show first; *clock* gives the time in seconds since the epoch.

        *client* talks to the engine of *home*, and *alive* tells whether it runs; tests give their own.
        """
        super().__init__()
        self.home = home
        self._client = client
        self.read_only = read_only
        self.picture = Picture()
        self.draft: LaunchDraft | None = None
        """What was typed into the launch form when it was left."""
        self._first_run = run
        self._clock = clock
        self._keeper = Keeper()
        self._asker = Asker(self)
        self.refused_needs: dict[str, str] = {}
        """What a retry was to give each task and the engine refused, as typed, by the id of the run."""
        self._problem_told = ""
        gatherer = Gatherer(home.database, alive or partial(held, home.lock), clock)
        self._feed = Feed(gatherer, lambda picture: self.post_message(PictureTaken(picture)))
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = os.environ.get("TEXTUAL_THEME") or DARK.name

    @property
    def client(self) -> EngineClient:
        """What talks to the engine."""
        if self._client is None:
            from runners.engine.client import EngineClient

            self._client = EngineClient(self.home)
        return self._client

    # Life

    def on_mount(self) -> None:
        """Open the first screen, start to look at the store, and mind the terminal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Without this the terminal is left in its alternate screen, or the program without a terminal.
            loop.add_signal_handler(number, self.exit, None, 128 + number)
        page = RunsPage() if self._first_run is None else self._run_page(self._first_run)
        # Before the first look, whose picture then is all that the first frame shows.
        self.look_at(page.watches, commands=page.wants_commands)
        self._feed.start()
        self.push_screen(page)
        self.set_interval(TICK_S, self._tick)

    def on_unmount(self) -> None:
        """Let the store go."""
        self._feed.close()

    def now(self) -> float:
        """The moment that the picture is about, in seconds since the epoch.

        That is this moment, except while runs are live and no engine looks after them: then it is the last
        one of which something is known. No elapsed time goes up that nobody has seen go by.
        """
        return self.picture.heard_at if self.picture.stale else self._clock()

    def moment_of(self, run: RunRow) -> float:
        """The moment that what is shown of *run* is about: the last look, where it can't be reached now."""
        return moment_of(run, self.picture.place_of(run), self.now())

    @property
    def engine_state(self) -> EngineState:
        """How the engine is."""
        return self._keeper.state(self.picture)

    def _fatal_error(self) -> None:
        # Textual prints every local variable as well: what tasks got for an environment would be among them.
        from rich.traceback import Traceback

        self.panic(Traceback(width=None, suppress=[textual]))

    # Pictures

    def on_picture_taken(self, message: PictureTaken) -> None:
        """Hand the picture to the page in front."""
        self.picture = message.picture
        if self.picture.problem != self._problem_told:
            self._problem_told = self.picture.problem
            if self._problem_told:
                self.tell(self._problem_told, wrong=True)
        self._keep_engine()
        self._asker.attend()
        page = self.page
        if page is not None:
            page.show_all(self.picture)
        if isinstance(self.screen, Confirm) and self.screen.is_mounted:
            self.screen.ask_anew()

    @property
    def page(self) -> Page | None:
        """The full screen in front; dialogs may lie over it."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Page):
                return screen
        return None

    def look_at(self, run: str | None, *, commands: bool = False) -> None:
        """Have *run* in full in the pictures to come, and with *commands* what was run on the resources."""
        self._feed.watch(run, commands=commands)

    def _keep_engine(self) -> None:
        """Start the engine again where runs are live and it is gone."""
        if not self.read_only and self._keeper.due(self.picture):
            self.run_worker(self._start_engine(), group="engine", exit_on_error=False)

    async def _start_engine(self) -> None:
        if trouble := await self._keeper.start(self.client):
            self.tell(trouble, wrong=True)
        self._feed.look_now()

    def action_answer(self) -> None:
        """Show what clusters ask."""
        if not self.refuses_changes():
            self._asker.recall()

    def _tick(self) -> None:
        self._keep_engine()
        self._asker.attend()
        page = self.page
        if page is not None and page is self.screen:
            page.tick_all()

    # Where to go

    def open_run(self, run: str) -> None:
        """Show the run with the id *run*."""
        page = self.page
        if page is None or page.watches is None:
            self.push_screen(self._run_page(run))
        elif page.watches != run:
            self.switch_screen(self._run_page(run))

    def _run_page(self, run: str) -> Page:
        from tui.screens.run import RunPage

        return RunPage(run)

    def on_open_run(self, message: OpenRun) -> None:
        """Somebody wants to see a run."""
        self.open_run(message.run)

    def on_open_runs(self) -> None:
        """Somebody wants to go back to the runs, which are behind, unless a run was shown first."""
        if any(isinstance(screen, RunsPage) for screen in self.screen_stack):
            self.pop_screen()
        else:
            self.switch_screen(RunsPage())

    def on_open_launch(self, message: OpenLaunch) -> None:
        """Somebody wants to launch something."""
        if not self.refuses_changes():
            from tui.screens.launch import LaunchPage

            self.push_screen(LaunchPage(self.draft))

    def action_help(self) -> None:
        """Help for the page in front."""
        from tui.screens.help import Help

        if self.page is not None and self.page is self.screen:
            self.push_screen(Help(self.page))

    def action_resources(self) -> None:
        """Show the resources."""
        from tui.open_pages import open_resources

        open_resources(self)

    def on_open_field(self, message: OpenField) -> None:
        """Somebody wants to edit a resource or a profile."""
        from tui.open_pages import open_field

        # Its error, where there is no such file any more, is told when the worker has ended with it.
        self.run_worker(open_field(self, message), group="open", exclusive=True, exit_on_error=False)

    def on_open_check(self, message: OpenCheck) -> None:
        """Somebody wants to know whether a resource works. It changes nothing, so anybody may."""
        from tui.open_pages import open_check

        open_check(self, message)

    def action_command_log(self) -> None:
        """Show what was run on the resources."""
        from tui.screens.command_log import CommandLogPage

        if not isinstance(self.page, CommandLogPage):
            self.push_screen(CommandLogPage())

    def action_leave(self) -> None:
        """Leave. Everything that runs goes on; what was edited and not saved is asked about first."""
        if not isinstance(self.screen, Confirm):
            forms = [screen for screen in self.screen_stack if isinstance(screen, Edits)]
            leave(self, forms, lambda: self.exit(0))

    def action_command_palette(self) -> None:
        """All commands, by name."""
        if not isinstance(self.screen, CommandPalette):
            from tui.screens.palette import Palette

            self.push_screen(Palette())

    def search_themes(self) -> None:
        """Choose a theme."""
        from textual.theme import ThemeProvider

        from tui.screens.palette import Palette

        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for colours…"))

    def on_resize(self, event: events.Resize) -> None:
        """Say so, while the terminal is too small to show anything."""
        small = event.size.width < SMALLEST[0] or event.size.height < SMALLEST[1]
        shown = isinstance(self.screen, TooSmall)
        if small and not shown:
            self.push_screen(TooSmall(*SMALLEST))
        elif shown and not small:
            self.pop_screen()

    # What the person wants done

    def refuses_changes(self) -> bool:
        """Whether nothing may be changed from here; the person is told so."""
        if self.read_only:
            self.tell("This dashboard is read-only: start `runyard` without --read-only to change something.")
        return self.read_only

    def ask(
        self,
        kind: RequestKind,
        payload: BaseModel,
        *,
        told: str = "",
        then: Callable[[], object] = lambda: None,
        otherwise: Callable[[], object] = lambda: None,
    ) -> None:
        """Ask the engine, which is started if need be; say *told* and do *then* once it is carried out.

        A refusal is shown in its one sentence, and *otherwise* is done. Leaving the dashboard before there is
        an answer takes the request back, if the engine has not begun with it.
        """

        async def asking() -> None:
            from runners.engine.asking import ask

            try:
                await ask(self.home, kind, payload)
            except Exception:
                # Whatever it is: it is told when the worker has ended with it.
                otherwise()
                raise
            self._feed.look_now()
            if told:
                self.tell(told)
            then()

        self.run_worker(asking(), group="ask", exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What went wrong in the background is said, not died of."""
        if event.state is WorkerState.ERROR:
            self.tell(str(event.worker.error), wrong=True)

    def tell(self, sentence: str, *, wrong: bool = False) -> None:
        """Say something in one sentence, for a few seconds, in place of what was said before.

        *sentence* may hold names from outside.
        """
        self.clear_notifications()
        # Textual takes the toast away, and leaves the line that it stood in.
        self.screen.query("ToastHolder").remove()
        self.notify(plain(sentence), severity="error" if wrong else "information", markup=False)
