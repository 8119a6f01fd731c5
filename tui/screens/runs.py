"""Home: all runs, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from runners.config.units import format_about, format_time
from runners.states import State
from runners.store.rows import RunRow
from tui import filters, intents
from tui.feed import Picture
from tui.messages import OpenLaunch, OpenRun
from tui.pace import Load, pace_of, worked
from tui.screens.table_page import TablePage
from tui.signs import bar_segments, sign
from tui.standing import standings, trouble_words
from tui.text import plain
from tui.widgets.columns import Cell, Column
from tui.widgets.filter_line import FilterLine
from tui.widgets.paragraph_view import ParagraphView
from tui.widgets.paragraphs import Passage
from tui.widgets.resource_strip import ResourceStrip
from tui.widgets.table_rows import Row
from tui.widgets.virtual_table import VirtualTable

_BAR = 10

_YOUNG_S = 62.0
"""Up to this age a run's is told in seconds; the last second of it is drawn as the first minute."""

EMPTY = """\
Nothing has run here yet.

Press n to launch something: a command, and the files it is for.
The same from a shell:  runyard run --items '*.csv' -- gzip -k {item}
To see how it all looks with work going on:  runyard demo"""


class RunsPage(TablePage):
    """The table of runs."""

    CSS_PATH = "runs.tcss"
    TELLS_OF_CLUSTERS = True
    ROW = "run"
    KEYS = ("state", "name", "id", "resource")
    CHANGES = frozenset({"launch", "retry", "cancel"})
    NAMES: ClassVar[Mapping[str, str]] = {
        "launch": "Launch work",
        "open": "Open the run",
        "filter": "Filter the runs",
        "unfilter": "Show all runs",
        "retry": "Retry what failed of the run",
        "cancel": "Cancel the run",
        "copy": "Copy the run's id",
    }
    HELP_TITLE = "Runs"
    ABOUT = (
        "Every run of yours: one launch of a command, or of a workflow, over a list of items. "
        "It goes on whether or not anybody looks."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "launch", "launch", id="runs.launch", tooltip="Launch a command over many items"),
        Binding("enter", "open", "open", id="runs.open", tooltip="Show the run's tasks, batches and logs"),
        Binding(
            "slash",
            "filter",
            "filter",
            id="runs.filter",
            tooltip="Show some runs only, such as state:failed or name:x",
        ),
        Binding("escape", "unfilter", "all runs", show=False, id="runs.all", tooltip="Drop the filter"),
        Binding(
            "r",
            "retry",
            "retry failed",
            id="runs.retry",
            tooltip="Run the failed and unfinished tasks again, as a new run",
        ),
        Binding("c", "cancel", "cancel", id="runs.cancel", tooltip="Cancel the run, after a question"),
        Binding(
            "y", "copy", "copy id", show=False, id="runs.copy", tooltip="Copy the run's id to the clipboard"
        ),
    ]

    def compose_body(self) -> Iterable[Widget]:
        """The clusters in use, title with filter, the table, and why the run under the cursor waits."""
        yield ResourceStrip()
        yield FilterLine("Runs", placeholder="words, state:failed, name:…, id:…, resource:…")
        yield VirtualTable(
            [
                Column("state", "state", 11, value=lambda run: self._runs[run].state.value),
                Column("name", "run", None, least=16, value=lambda run: self._runs[run].name),
                Column("id", "id", 8, priority=6),
                Column("resource", "resource", 10, priority=5),
                Column("progress", "progress", _BAR, priority=4, sortable=False),
                Column("done", "done", 13, align="right", priority=1, value=self._done),
                Column(
                    "failed",
                    "failed",
                    6,
                    align="right",
                    priority=2,
                    value=lambda run: self._runs[run].counts.failed,
                ),
                Column("elapsed", "elapsed", 8, align="right", priority=3, value=self._elapsed),
                Column("left", "left", 7, align="right", priority=3, sortable=False),
                Column(
                    "age",
                    "launched",
                    11,
                    align="right",
                    priority=7,
                    value=lambda run: -self._runs[run].created,
                ),
            ],
            id="runs",
            empty=self._nothing(),
        )
        yield ParagraphView(id="trouble")

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[str, RunRow] = {}
        self._loads: Mapping[str, Load] = {}
        self._picture = Picture()
        self._ticks = 0

    def on_screen_resume(self) -> None:
        """Behind another screen nothing ticks: all ages are drawn anew with the next second."""
        self._ticks = -1

    @property
    def chosen(self) -> RunRow | None:
        """The run under the cursor."""
        key = self._table.cursor_key
        return None if key is None else self._runs.get(key)

    def show(self, picture: Picture) -> None:
        """Bring the table up to date."""
        old, self._runs = self._runs, dict(picture.runs)
        moved = picture.places != self._picture.places
        self._loads, self._picture = picture.loads, picture
        if old.keys() != self._runs.keys():
            self._table.set_rows([Row(run, self._cells) for run in self._runs])
        else:
            # What can't be reached any longer shows times that stand still.
            self._table.patch(
                Row(run, self._cells)
                for run, row in self._runs.items()
                if old[run] is not row or (moved and not row.state.final)
            )
        self._say()
        self._show_clusters()
        self._show_trouble()
        self.refresh_bindings()

    def _show_clusters(self) -> None:
        picture = self._picture
        there = standings(picture.runs.values(), picture.batches, picture.places.values())
        self.query_one(ResourceStrip).show(there, self.dashboard.now())

    def _show_trouble(self) -> None:
        """Why the run under the cursor waits; the lines are there as long as any run has such a reason."""
        told = {run: self._trouble(row) for run, row in self._runs.items()}
        view = self.query_one("#trouble", ParagraphView)
        view.display = any(told.values())
        run = self.chosen
        sentence = "" if run is None else told.get(run.id, "")
        if run is not None and sentence:
            view.tell([Passage([(f"{plain(run.name, 30)}  ", "warning")], [plain(sentence)])])
        else:
            view.tell(())

    def _trouble(self, run: RunRow) -> str:
        return trouble_words(run, self._picture.place_of(run), self.dashboard.now())

    def tick(self) -> None:
        """Elapsed times of what goes on, ages in seconds, and, once a minute, those of all others."""
        self._show_clusters()
        self._ticks = (self._ticks + 1) % 60
        now = self.dashboard.now()
        self._table.patch(
            Row(run, self._cells)
            for run, row in self._runs.items()
            if not (self._ticks and row.state.final and now - row.created > _YOUNG_S)
        )

    def pointless(self) -> frozenset[str]:
        """What can't be done to the run under the cursor, as well."""
        run = self.chosen
        nothing = {
            "retry": run is None or not intents.can_retry(run),
            "cancel": run is None or not intents.can_cancel(run),
            "open": run is None,
            "filter": not self._runs,
        }
        return super().pointless().union(action for action, true in nothing.items() if true)

    def action_launch(self) -> None:
        """Go to the launch form."""
        self.post_message(OpenLaunch())

    def action_open(self) -> None:
        """Go to the run under the cursor."""
        if (run := self.chosen) is not None:
            self.post_message(OpenRun(run.id))

    def action_unfilter(self) -> None:
        """Show everything."""
        self.query_one(FilterLine).action_clear()

    def action_retry(self) -> None:
        """Run again what failed."""
        if (run := self.chosen) is not None:
            intents.retry_run(self.dashboard, run)

    def action_cancel(self) -> None:
        """Cancel the run under the cursor."""
        if (run := self.chosen) is not None:
            intents.cancel_run(self.dashboard, run)

    def action_copy(self) -> None:
        """Copy the id."""
        if (run := self.chosen) is not None:
            self.app.copy_to_clipboard(run.id)
            self.dashboard.tell(f"The id {run.id} is on the clipboard.")

    @on(VirtualTable.Highlighted)
    def _highlighted(self) -> None:
        self._show_trouble()
        self.refresh_bindings()

    @on(VirtualTable.Activated)
    def _activated(self, event: VirtualTable.Activated) -> None:
        self.post_message(OpenRun(event.key))

    def _nothing(self) -> str:
        """Why there is no run."""
        if self._runs:
            return ""
        return EMPTY if self._picture.read_at else "reading…"

    def _values(self, run: str) -> filters.Values:
        row = self._runs[run]
        return {"state": row.state.value, "name": row.name, "id": row.id, "resource": row.resource}

    def _done(self, run: str) -> float:
        counts = self._runs[run].counts
        return counts.done / max(1, counts.total)

    def _created(self, run: str) -> float:
        return self._runs[run].created

    def _elapsed(self, run: str) -> float | None:
        row = self._runs[run]
        return pace_of(row, self.dashboard.moment_of(row)).elapsed_s

    def _where(self, run: RunRow) -> Cell:
        place = self._picture.place_of(run)
        if run.state.final or place is None or place.up is not False:
            return run.resource
        return (f"{sign(State.FAILED).glyph} {run.resource}", "failed")

    def _cells(self, run: str) -> tuple[Cell, ...]:
        row = self._runs[run]
        counts = row.counts
        now = self.dashboard.now()
        pace = pace_of(row, self.dashboard.moment_of(row), self._loads.get(run))
        shown = sign(row.state)
        word = "cancelling" if row.cancelling and not row.state.final else shown.word
        return (
            (f"{shown.glyph} {word}", shown.style),
            (row.name, "strong"),
            (row.id, "muted"),
            self._where(row),
            bar_segments(worked(counts), _BAR, row.state),
            f"{counts.done:,}/{counts.total:,}",
            (f"{counts.failed:,}", "failed") if counts.failed else ("0", "muted"),
            "" if pace.elapsed_s is None else format_time(pace.elapsed_s, going=not row.state.final),
            "" if pace.left_s is None else f"~{format_about(pace.left_s)}",
            (f"{format_about(now - row.created)} ago", "muted"),
        )
