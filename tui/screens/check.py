"""Check: whether work can run on a resource, found out from the real one, finding by finding."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import aclosing, suppress
from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from runners.config.errors import ConfigError
from runners.engine.client import EngineError
from runners.findings import FindingState
from runners.sample import Sample
from tui import filters
from tui.check_documents import CheckDocuments, NeedsProfileError, documents_of
from tui.finding_words import KEYS, addressed, checks_words, copied, sample_words
from tui.messages import OpenCheck, OpenField
from tui.open_pages import unsaved_of
from tui.screens.page import Page
from tui.subject import Unsaved
from tui.text import plain, wrapped
from tui.widgets.check_head import CheckHead
from tui.widgets.filter_line import FilterLine
from tui.widgets.finding_detail import FindingDetail
from tui.widgets.findings_table import FindingsTable
from tui.widgets.virtual_table import VirtualTable

LOOK_S = 2.0
"""Between two looks whether what was checked has changed: somebody may edit the files elsewhere."""


class Phase(StrEnum):
    """How far the check is; the words that stand beside the number of findings."""

    READING = "reading the files…"
    STARTING = "starting the engine…"
    RUNNING = "running…"
    DONE = "done"
    BROKEN = "not finished"


class CheckPage(Page):
    """The table of findings as they arrive, and one of them in detail."""

    CSS_PATH = "check.tcss"
    NAMES: ClassVar[Mapping[str, str]] = {
        "back": "Leave the check",
        "open": "Go to the field at fault",
        "again": "Check again",
        "evidence": "Show what was asked and answered",
        "problems": "Show only what is not ok, or all",
        "next_problem": "Go to the next problem",
        "choose_profile": "Check as another profile",
        "copy": "Copy what to do",
        "filter": "Filter the findings",
    }
    HELP_TITLE = "Check"
    ABOUT = (
        "What would keep work from running on a resource, asked of the resource itself: nothing is changed "
        "there, nothing is started, and nobody is asked anything. What could not be told is untold, and says "
        "why. Muted rows are of the time before: not found again as yet, or of what has changed since it was "
        "checked."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "back", id="check.back", tooltip="Drop the filter, or go back"),
        Binding("enter", "open", "to field", id="check.open", tooltip="Go to the field that is at fault"),
        Binding("r", "again", "again", id="check.again", tooltip="Check again, with all as it is now"),
        Binding(
            "n", "next_problem", "next", id="check.next", tooltip="Go to the next finding that is not ok"
        ),
        Binding("y", "copy", "copy fix", id="check.copy", tooltip="Copy what to do to the clipboard"),
        Binding(
            "e", "evidence", "evidence", id="check.evidence", tooltip="What was asked and answered, in full"
        ),
        Binding(
            "f", "problems", "problems", id="check.problems", tooltip="Only what is not ok, or all again"
        ),
        Binding("p", "choose_profile", "profile", id="check.profile", tooltip="Check as another profile"),
        Binding(
            "slash",
            "filter",
            "filter",
            id="check.filter",
            tooltip="Show some findings only, such as state:failure or check:partition",
        ),
    ]

    def __init__(self, asked: OpenCheck) -> None:
        super().__init__()
        self._ask(asked)
        self._phase = Phase.READING
        self._trouble = ""
        """Why there are no more findings, in one sentence; empty where there may be, or the check is done."""
        self._done_at = 0.0
        self._outdated = False
        """Whether resource or profile have changed since they were checked."""
        self._only_problems = False

    def _ask(self, asked: OpenCheck) -> None:
        self._resource = asked.resource
        self._profile = asked.profile
        self._unsaved = asked.unsaved
        """What is typed; None where only the files count."""
        self._sample = asked.sample or Sample()
        self._documents: CheckDocuments | None = None
        self._profiles: tuple[str, ...] = ()
        """Those that it could be checked as, as far as that is known."""

    def compose_body(self) -> Iterable[Widget]:
        """Title with filter, what is checked, the table, and the finding under the cursor."""
        yield FilterLine("Check", placeholder="words, state:failure, check:…, detail:…, fix:…")
        yield CheckHead()
        yield FindingsTable(id="check-table")
        yield FindingDetail()

    def on_mount(self) -> None:
        """The keys go to the table, the check begins, and what is checked is looked at from now on."""
        self._table.focus()
        self._begin()
        self.set_interval(LOOK_S, self._look)

    def on_screen_resume(self) -> None:
        """What was checked may have been edited meanwhile."""
        self._look()

    def on_resize(self) -> None:
        """What is said in an empty table is broken to its width."""
        if self.is_mounted:
            self._say()

    # The check

    def check_instead(self, asked: OpenCheck) -> None:
        """Check this instead; what was found of the same resource and profile stays for the time being."""
        before, profile = self._resource, self._profile
        self._ask(asked)
        if self._resource == before and self._profile is None:
            # The one that was chosen among several.
            self._profile = profile
        if (self._resource, self._profile) != (before, profile):
            self._table.forget()
        self._begin()

    def _begin(self) -> None:
        self._trouble = ""
        self._outdated = False
        self._table.begin()
        self._turn_to(Phase.READING)
        self.run_worker(self._check(), group="check", exclusive=True, exit_on_error=False)

    async def _check(self) -> None:
        try:
            self._documents = documents = await asyncio.to_thread(
                documents_of, self.dashboard.home, self._resource, self._profile, self._unsaved
            )
            self._profile, self._profiles = documents.acts_as, documents.profiles
            self._turn_to(Phase.STARTING)
            await self.dashboard.client.ensure_running()
            self._turn_to(Phase.RUNNING)
            check = self.dashboard.client.check(documents.resource, documents.profile, self._sample)
            async with aclosing(check) as coming:
                async for finding in coming:
                    self._table.take(addressed(finding, self._resource, documents, in_dashboard=True))
                    self._say()
        except NeedsProfileError as error:
            self._profiles = error.names
            self._break("Several profiles could be meant: p chooses one.")
            self._choose_among(error.names)
        except (ConfigError, EngineError) as error:
            self._break(str(error))
        else:
            self._done_at = self.dashboard.now()
            self._table.finish()
            self._turn_to(Phase.DONE)

    def _look(self) -> None:
        if self.is_current and self._documents is not None:
            self.begin(self._compare, group="look", exclusive=True)

    async def _compare(self) -> None:
        """Whether what was checked is what would be checked now."""
        checked = self._documents
        if checked is None or not self._table.findings:
            return
        now: CheckDocuments | None = None
        # It may be gone by now, or broken.
        with suppress(ConfigError, NeedsProfileError):
            now = await asyncio.to_thread(
                documents_of, self.dashboard.home, self._resource, checked.acts_as, self._typed_now()
            )
        # Another check may have begun meanwhile: it has no findings, or documents of its own.
        if self._documents is not checked or not self._table.findings:
            return
        outdated = now is None or not now.asks_as(checked)
        if now is not None and not outdated:
            # It may be saved by now, as it was checked.
            self._documents = now
        if outdated != self._outdated:
            self._outdated = outdated
            self._table.outdate(outdated)
            self._say()
        elif self._documents != checked:
            self._say()

    def _typed_now(self) -> Unsaved | None:
        return None if self._unsaved is None else unsaved_of(self.dashboard, self._resource)

    def _break(self, trouble: str) -> None:
        self._trouble = trouble
        self._turn_to(Phase.BROKEN)

    def _turn_to(self, phase: Phase) -> None:
        self._phase = phase
        self._say()

    # What the keys do

    def pointless(self) -> frozenset[str]:
        """What the finding under the cursor has no use for."""
        finding = self._table.chosen
        nothing = set()
        if finding is None:
            nothing |= {"evidence", "filter", "problems"}
        if finding is None or not finding.field:
            nothing.add("open")
        if finding is None or not finding.fix:
            nothing.add("copy")
        if not self._table.problems:
            nothing.add("next_problem")
        if len(self._profiles) < 2:
            nothing.add("choose_profile")
        return super().pointless() | nothing

    def action_back(self) -> None:
        """From some to all findings, from there to where one came from."""
        line = self.query_one(FilterLine)
        if line.text:
            line.action_clear()
        elif self._only_problems:
            self.action_problems()
        else:
            self.dismiss()

    def action_again(self) -> None:
        """Check again, as all is now; a check that still goes on is given up."""
        self._unsaved = self._typed_now()
        self._begin()

    def action_open(self) -> None:
        """To the field that the finding under the cursor blames; to what it was told by where all is fine."""
        finding = self._table.chosen
        if finding is None:
            return
        if finding.field:
            profile = self._profile if finding.of == "profile" else None
            self.dashboard.post_message(OpenField(self._resource, profile, finding.field))
        elif finding.state is FindingState.OK:
            self.action_evidence()
        else:
            self.dashboard.tell("This finding blames no field of the configuration: e shows all of it.")

    def action_evidence(self) -> None:
        """All of the finding under the cursor."""
        from tui.screens.evidence import Evidence

        if (finding := self._table.chosen) is not None:
            self.app.push_screen(Evidence(finding))

    def action_copy(self) -> None:
        """Copy what can be pasted, or else the sentence."""
        finding = self._table.chosen
        if finding is None:
            return
        if finding.fix:
            self.app.copy_to_clipboard(copied(finding.fix))
            self.dashboard.tell("What to do is on the clipboard.")
        else:
            self.dashboard.tell("There is nothing to do about this finding.")

    def action_problems(self) -> None:
        """Only what is not ok, or all."""
        self._only_problems = not self._only_problems
        self._sift()

    def action_next_problem(self) -> None:
        """To the next finding that is not ok, after the last to the first."""
        self._table.next_problem()

    def action_choose_profile(self) -> None:
        """Check as another profile."""
        if len(self._profiles) > 1:
            self._choose_among(self._profiles)
        elif self._phase is Phase.BROKEN:
            self.action_again()

    def _choose_among(self, names: Iterable[str]) -> None:
        from tui.screens.choose import Choice, Choose

        def chosen(name: str | None) -> None:
            if name is not None:
                self._profile = name
                self._table.forget()
                self.action_again()

        choices = [
            Choice(name, plain(name, 60), f"of the resource {plain(self._resource, 40)}") for name in names
        ]
        self.app.push_screen(Choose("Check as which profile?", choices), chosen)

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).ask()

    # What the page shows

    @on(VirtualTable.Highlighted)
    def _highlighted(self) -> None:
        self._tell()

    @on(VirtualTable.Activated)
    def _activated(self) -> None:
        self.action_open()

    @on(FilterLine.Changed)
    def _typed(self) -> None:
        self._sift()

    @on(FilterLine.Left)
    def _filtered(self) -> None:
        self._table.focus()

    @property
    def _saved(self) -> tuple[bool, bool]:
        """Whether resource and profile are what the files hold; until that is known, whether from there."""
        if self._documents is None:
            unsaved = self._unsaved or Unsaved()
            return unsaved.resource is None, self._profile not in unsaved.profiles
        return self._documents.resource_saved, self._documents.profile_saved

    @property
    def _table(self) -> FindingsTable:
        return self.query_one(FindingsTable)

    def _sift(self) -> None:
        """Show what fits the filter."""
        self._table.sift(self.query_one(FilterLine).text, only_problems=self._only_problems)
        self._say()

    def _say(self) -> None:
        """How far it is, what is checked, and what it came to; then the finding under the cursor."""
        table = self._table
        more = self._phase.value
        if self._phase is Phase.DONE:
            more = f"done at {time.strftime('%H:%M', time.localtime(self._done_at))}"
        if self._only_problems:
            more += "  problems only"
        self.query_one(FilterLine).say(table.row_count, table.total_count, more)
        resource_saved, profile_saved = self._saved
        self.query_one(CheckHead).tell(
            self._resource,
            self._profile,
            resource_saved=resource_saved,
            profile_saved=profile_saved,
            outdated=self._outdated,
            sample=sample_words(self._sample),
            findings=table.findings,
        )
        room = max(20, min(76, self.size.width - 6))
        paragraphs = self._empty().splitlines()
        table.empty = "\n".join(line for text in paragraphs for line in wrapped(plain(text), room))
        self._tell()

    def _tell(self) -> None:
        table = self._table
        # Where there is no finding the table itself says what is wrong.
        self.query_one(FindingDetail).show(table.chosen, self._trouble if table.total_count else "")
        self.refresh_bindings()

    def _empty(self) -> str:
        """What is said where no finding is shown."""
        if number := self._table.total_count:
            if self._only_problems and not self.query_one(FilterLine).text and not self._table.problems:
                if self._phase is Phase.DONE:
                    return f"Everything that could be looked at is fine, in {checks_words(number)}."
                return "Nothing is wrong so far."
            return filters.none_fits("finding", self.query_one(FilterLine).text, KEYS, tuple(FindingState))
        if self._phase is Phase.BROKEN:
            return f"{self._trouble}\n\nr tries it again."
        if self._phase is Phase.DONE:
            return "There was nothing to look at."
        if self._phase is not Phase.RUNNING:
            return self._phase.value
        local = self._documents is not None and self._documents.local
        return (
            "looking at this machine…"
            if local
            else "asking the cluster…\n\nEach finding appears as it arrives."
        )
