"""The findings of a check, a row each, as they arrive."""

from __future__ import annotations

from collections.abc import Collection

from textual import on

from runners.findings import Finding, FindingState
from tui import filters
from tui.finding_words import KEYS, values_of
from tui.widgets.check_head import WORST_FIRST
from tui.widgets.columns import Cell, Column, pieces
from tui.widgets.cursor_lead import CursorLead
from tui.widgets.finding_detail import finding_cells
from tui.widgets.line_view import Piece
from tui.widgets.table_rows import Row
from tui.widgets.virtual_table import VirtualTable


class FindingsTable(VirtualTable):
    """What was found the time before stays in its place, muted, until it is found again or the check is done.

    All of it is of the time before once what was checked has changed.
    Its cursor goes to what failed, as long as the person leaves it there.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(
            [
                Column("check", "check", 25),
                Column("state", "state", 9, value=lambda key: WORST_FIRST.index(self._found[key].state)),
                Column("detail", "detail", None, least=24, sortable=False),
                Column("fix", "fix", None, least=24, priority=1, sortable=False),
            ],
            id=id,
        )
        self._found: dict[str, Finding] = {}
        self._fresh: dict[str, Finding] = {}
        self._outdated = False
        self._leader = CursorLead(self)

    @property
    def findings(self) -> Collection[Finding]:
        """Those of this time."""
        return self._fresh.values()

    @property
    def chosen(self) -> Finding | None:
        """The one under the cursor."""
        return self._found.get(self.cursor_key or "")

    @property
    def problems(self) -> set[str]:
        """The keys of all that are not ok, shown or not."""
        return {key for key, finding in self._found.items() if finding.state is not FindingState.OK}

    def forget(self) -> None:
        """Something else is checked."""
        self._found, self._fresh = {}, {}
        self.set_rows([])
        self._leader = CursorLead(self)

    def begin(self) -> None:
        """What is there is of the time before from now on."""
        self._fresh, self._outdated = {}, False
        self.patch(Row(key, self._cells) for key in self._found)

    def outdate(self, outdated: bool) -> None:
        """Whether what was found is of something that is another by now."""
        self._outdated = outdated
        self.patch(Row(key, self._cells) for key in self._found)

    def take(self, finding: Finding) -> None:
        """One more: in place of the same one of the time before, or at the end."""
        key = finding.check
        while key in self._fresh:
            key += "+"
        self._found[key] = self._fresh[key] = finding
        self.patch([Row(key, self._cells)])
        if finding.state is FindingState.FAILURE:
            self._lead()

    def finish(self) -> None:
        """There are no more; what was not found again is gone."""
        if self._fresh.keys() != self._found.keys():
            free = self._leader.free
            self._found = dict(self._fresh)
            self.set_rows(Row(key, self._cells) for key in self._found)
            if free:
                # The row that it was on may be gone.
                self._leader.left_at()
        self._lead(done=True)

    def next_problem(self) -> None:
        """To the next that is not ok, after the last to the first."""
        keys = list(self.keys)
        at = keys.index(self.cursor_key) + 1 if self.cursor_key in keys else 0
        key = next((key for key in [*keys[at:], *keys[:at]] if key in self.problems), None)
        if key is not None:
            self.move_to(key)

    def sift(self, text: str, *, only_problems: bool) -> None:
        """Show those that fit the filter *text*."""
        fits = filters.parse(text, KEYS)

        def shown(row: Row) -> bool:
            finding = self._found[row.key]
            if only_problems and finding.state is FindingState.OK:
                return False
            return fits is None or fits(values_of(finding))

        self.set_filter(shown if only_problems or fits is not None else None)

    def _lead(self, *, done: bool = False) -> None:
        """Put the cursor on the first failure, which may be out of view, or else at the end on a problem."""
        problems = [key for key in self.keys if key in self._fresh and key in self.problems]
        failures = [key for key in problems if self._fresh[key].state is FindingState.FAILURE]
        for key in (failures or problems if done else failures)[:1]:
            self._leader.lead_to(key)

    @on(VirtualTable.Highlighted)
    def _highlighted(self) -> None:
        self._leader.noticed()

    def _row(self, key: str) -> tuple[Piece, ...]:
        places = self._places_now()
        if self._found[key].fix or len(places) < len(self._columns):
            return super()._row(key)
        # There is nothing to do about it, so that what was found has the room of that as well.
        *before, detail, fix = places
        width = fix.x + fix.width
        return pieces(
            self._columns, [*before, detail._replace(width=width - detail.x)], self._cells(key), width
        )

    def _cells(self, key: str) -> tuple[Cell, ...]:
        return finding_cells(self._found[key], fresh=key in self._fresh and not self._outdated)
