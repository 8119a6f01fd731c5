"""What the full screens of the dashboard have in common."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from tui.feed import Picture
from tui.widgets.key_hints import KeyHints
from tui.widgets.top_line import TopLine

if TYPE_CHECKING:
    from tui.dashboard import Dashboard


class Page(Screen[None]):
    """A full screen: the top line, a body, the key hints. It shows pictures; it reads nothing itself."""

    watches: str | None = None
    """The run that must be in the pictures in full while this page is in front."""

    wants_commands = False
    """Whether the pictures must tell what was run on the resources."""

    TELLS_OF_CLUSTERS = False
    """Whether the body does, so that the first line need not."""

    CHANGES: frozenset[str] = frozenset()
    """The actions that change something: out of reach in a read-only dashboard."""

    NAMES: ClassVar[Mapping[str, str]] = {}
    """What the command palette calls the actions of the page; it offers no others."""

    HELP_KEY = "?"
    """The key that leads to the help, as a person reads it; F1 does everywhere."""

    HELP_TITLE = ""
    """What the screen is, at the head of its help."""

    ABOUT = ""
    """A sentence or two for the help: what can be seen here."""

    def __init__(self) -> None:
        super().__init__()
        # Style sheets tell apart a classic terminal (80x24), one with room, and one with hardly any.
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-low"), (32, "-high")]
        # Textual does so too, but only after all parts had their styles, which they then get once more.
        by_size = zip(self.app.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True)
        for cells, names in by_size:
            self.add_class(next(name for least, name in reversed(names) if cells >= least), update=False)

    @property
    def dashboard(self) -> Dashboard:
        """The application that this page belongs to."""
        return cast("Dashboard", self.app)

    def compose(self) -> ComposeResult:
        """The frame; what is between comes from `compose_body`."""
        yield TopLine(
            read_only=self.dashboard.read_only,
            help_key=self.HELP_KEY,
            clusters=not self.TELLS_OF_CLUSTERS,
        )
        yield from self.compose_body()
        yield KeyHints(pointless=self.pointless)

    def pointless(self) -> frozenset[str]:
        """The actions that can do nothing at the moment: their keys say why, and are not among the hints.

        A page that adds to them calls `refresh_bindings` when that may have changed.
        """
        return self.CHANGES if self.dashboard.read_only else frozenset()

    def compose_body(self) -> Iterable[Widget]:
        """The widgets between top line and key hints."""
        raise NotImplementedError

    def on_screen_resume(self) -> None:
        """Catch up with what has happened behind another screen."""
        self.dashboard.look_at(self.watches, commands=self.wants_commands)
        self.show_all(self.dashboard.picture)

    def begin(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, group: str, exclusive: bool = False
    ) -> None:
        """Have *work* done beside all else; what goes wrong with it is said.

        It is called when its turn has come: a coroutine would never be awaited where the page is left before.
        """
        called: Callable[[], object] = work
        self.run_worker(called, group=group, exclusive=exclusive, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What went wrong in the background is said, not died of."""
        if event.state is WorkerState.ERROR:
            self.dashboard.tell(str(event.worker.error), wrong=True)

    def show_all(self, picture: Picture) -> None:
        """Show *picture*, frame and body."""
        if self._there:
            self._show_top(picture)
            self.show(picture)

    @property
    def _there(self) -> bool:
        # While the application closes, pictures may come after the widgets are gone.
        return self.is_mounted and bool(self.query(TopLine))

    def _show_top(self, picture: Picture) -> None:
        self.query_one(TopLine).show(picture, self.dashboard.engine_state, self.dashboard.now())

    def show(self, picture: Picture) -> None:
        """Bring the body up to date with *picture*."""

    def tick_all(self) -> None:
        """A second has passed: frame and body."""
        if self._there:
            self._show_top(self.dashboard.picture)
            self.tick()

    def tick(self) -> None:
        """A second has passed: draw anew what depends on the time. What reads as before costs nothing."""
