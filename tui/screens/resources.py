"""Resources: where work can run and as whom, to look at, change, copy, remove and check."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from runners.config.errors import ConfigError
from runners.config.files import ensure_local_resource
from runners.config.home import Home
from runners.config.places import LOCAL
from tui import filters, resource_intents
from tui.entry_words import state_of, where_words
from tui.feed import Picture
from tui.inventory import Entry, read_inventory
from tui.messages import OpenField
from tui.screens.table_page import TablePage
from tui.signs import branch, changed_mark
from tui.standing import Standing, clock
from tui.text import ascii_only, plain
from tui.widgets.columns import Cell, Column
from tui.widgets.filter_line import FilterLine
from tui.widgets.paragraph_view import ParagraphView
from tui.widgets.paragraphs import Paragraph, Passage, facts
from tui.widgets.table_rows import Row
from tui.widgets.virtual_table import VirtualTable

LOOK_S = 2.0
"""Between two looks at the files: somebody may edit them elsewhere."""


def _made_and_read(home: Home) -> tuple[Entry, ...]:
    """All resources, of which there is one at least in a home that no engine has made as yet."""
    # What keeps it from being made says so where work is to run on it.
    with suppress(ConfigError):
        ensure_local_resource(home.resources, home.jobs.parent)
    return read_inventory(home)


class ResourcesPage(TablePage):
    """The table of resources, each with its profiles below it."""

    CSS_PATH = "resources.tcss"
    ROW = "resource"
    KEYS = ("state", "name", "kind", "where")
    CHANGES = frozenset({"new", "new_profile", "duplicate", "rename", "remove", "bring_in"})
    NAMES: ClassVar[Mapping[str, str]] = {
        "back": "Leave the resources",
        "edit": "Edit the resource or profile",
        "check": "Check the resource",
        "new": "New resource",
        "new_profile": "New profile of this resource",
        "duplicate": "Duplicate",
        "rename": "Rename",
        "remove": "Remove",
        "bring_in": "Import a resource or profile from a JSON file",
        "bring_out": "Export the JSON to a file",
        "connect": "Try to reach the cluster",
        "filter": "Filter the resources",
    }
    HELP_TITLE = "Resources"
    ABOUT = (
        "A resource is a place that runs work: this machine, or a SLURM cluster. A profile is who you are "
        "there; its rows stand below their resource. Each is a JSON file in the schema of fractal-server."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,backspace", "back", "back", id="resources.back", tooltip="Drop the filter, or go back"
        ),
        Binding("enter", "edit", "edit", id="resources.edit", tooltip="Edit it in a form"),
        Binding(
            # As in the form; letters that move are the table's.
            "f8",
            "check",
            "check",
            id="resources.check",
            key_display="F8",
            tooltip="Ask the real cluster whether it can work",
        ),
        Binding("n", "new", "new", id="resources.new", tooltip="A new resource, from a template"),
        Binding("p", "new_profile", "profile", id="resources.profile", tooltip="A new profile for it"),
        Binding("d", "duplicate", "copy", id="resources.duplicate", tooltip="Copy it under a new name"),
        Binding("r", "rename", "rename", id="resources.rename", tooltip="Give it another name"),
        Binding("x", "remove", "remove", id="resources.remove", tooltip="Remove it, after a question"),
        Binding("i", "bring_in", "import", id="resources.import", tooltip="Take one from a JSON file"),
        Binding("o", "bring_out", "export", id="resources.export", tooltip="Write its JSON to a file"),
        Binding("c", "connect", "connect", id="resources.connect", tooltip="Try to reach the cluster now"),
        Binding(
            "slash",
            "filter",
            "filter",
            show=False,
            id="resources.filter",
            tooltip="Show some only, such as kind:ssh or state:broken",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, Entry] = {}
        self._last: set[str] = set()
        """The keys of the last rows of their resources."""
        self._read = False
        self._wanted = ""
        """The row to go to after the next look."""
        self._picture = Picture()

    def compose_body(self) -> Iterable[Widget]:
        """Title with filter, the table, and the row under the cursor in words."""
        yield FilterLine("Resources", placeholder="words, state:broken, name:…, kind:…, where:…")
        yield VirtualTable(
            [
                # As given, so that a profile stays below its resource.
                Column("name", "resource", None, least=18, most=24, sortable=False),
                Column("kind", "kind", 10, priority=2, sortable=False),
                Column("where", "where", None, least=14, priority=1, sortable=False),
                Column("state", "state", 12, sortable=False),
                Column("work", "live", 4, align="right", priority=3, sortable=False),
                Column("line", "line", 18, priority=4, sortable=False),
            ],
            id="resource-table",
            empty=self._nothing(),
        )
        yield ParagraphView(id="resource-detail")

    def on_mount(self) -> None:
        """The files are looked at from now on."""
        self.set_interval(LOOK_S, self.look)

    def on_screen_resume(self) -> None:
        """What was edited meanwhile."""
        self.look()

    def look(self) -> None:
        """Read the files, beside all else."""
        if self.is_current:
            self._look_now()

    def _look_now(self) -> None:
        self.begin(self._look, group="inventory", exclusive=True)

    async def _look(self) -> None:
        home, reading = self.dashboard.home, read_inventory
        if not self._read and not self.dashboard.read_only:
            # Not at each look: who removes `local` in here is not to see it come back.
            reading = _made_and_read
        entries = await asyncio.to_thread(reading, home)
        before = self._entries
        self._entries = {entry.key: entry for entry in entries}
        self._last = set({entry.resource: entry.key for entry in entries}.values())
        self._read = True
        if list(before) != list(self._entries):
            self._table.set_rows([Row(key, self._cells) for key in self._entries])
        else:
            self._table.patch(
                Row(key, self._cells) for key, entry in self._entries.items() if before[key] != entry
            )
        wanted, self._wanted = self._wanted, ""
        if wanted:
            self._table.move_to(wanted)
        self._say()

    def go_to(self, key: str) -> None:
        """Read the files anew, and put the cursor on this row."""
        # Kept, for a look that begins before this one has ended takes its place.
        self._wanted = key
        self._look_now()

    @property
    def entries(self) -> Mapping[str, Entry]:
        """All that there is, by key."""
        return self._entries

    def first_profile(self, resource: str) -> str | None:
        """The first profile of a resource; None where it has none."""
        names = (
            entry.profile for entry in self._entries.values() if entry.resource == resource and not entry.new
        )
        return next(filter(None, names), None)

    @property
    def chosen(self) -> Entry | None:
        """The row under the cursor."""
        return self._entries.get(self._table.cursor_key or "")

    def show(self, picture: Picture) -> None:
        """Bring live runs and lines up to date."""
        old, self._picture = self._picture, picture
        if old.runs is not picture.runs or old.places != picture.places:
            self._table.patch(Row(key, self._cells) for key in self._entries)
            self._say()

    def pointless(self) -> frozenset[str]:
        """What can't be done to the row under the cursor, as well."""
        entry = self.chosen
        nothing = set()
        if entry is None:
            nothing |= {
                "edit",
                "check",
                "duplicate",
                "rename",
                "remove",
                "bring_out",
                "filter",
                "new_profile",
            }
        if entry is None or entry.kind in ("", "local"):
            nothing |= {"connect"}
        if entry is not None and entry.new:
            nothing |= {"check", "new_profile", "duplicate", "rename", "bring_out", "connect"}
        if entry is not None and entry.key == LOCAL:
            nothing |= {"rename", "remove"}
        return super().pointless() | nothing | {"resources"}

    # What the keys do

    def _saved(self) -> Entry | None:
        """The row under the cursor, if there is a file of it; if not, that is told."""
        if (entry := self.chosen) is not None and entry.new:
            self.dashboard.tell(f"{entry.key} is not saved yet: enter goes on with what was typed.")
            return None
        return entry

    def action_edit(self) -> None:
        """To the form."""
        if (entry := self.chosen) is None:
            return
        if entry.new:
            resource_intents.edit_typed(self, entry)
        else:
            self.dashboard.post_message(OpenField(entry.resource, entry.profile))

    def action_check(self) -> None:
        """Ask the cluster."""
        if (entry := self._saved()) is not None:
            resource_intents.check(self, entry)

    def action_new(self) -> None:
        """A new resource."""
        if not self.dashboard.refuses_changes():
            resource_intents.new_resource(self)

    def action_new_profile(self) -> None:
        """A new profile for the resource under the cursor."""
        if not self.dashboard.refuses_changes() and (entry := self._saved()) is not None:
            resource_intents.new_profile(self, entry)

    def action_duplicate(self) -> None:
        """The same under another name."""
        if not self.dashboard.refuses_changes() and (entry := self._saved()) is not None:
            resource_intents.duplicate(self, entry)

    def action_rename(self) -> None:
        """Another name."""
        if not self.dashboard.refuses_changes() and (entry := self._saved()) is not None:
            resource_intents.rename(self, entry)

    def action_remove(self) -> None:
        """Away with it, once the person has confirmed."""
        if (entry := self.chosen) is not None and not self.dashboard.refuses_changes():
            resource_intents.remove(self, entry)

    def action_bring_in(self) -> None:
        """From a file."""
        if not self.dashboard.refuses_changes():
            resource_intents.bring_in(self, self.chosen)

    def action_bring_out(self) -> None:
        """To a file."""
        if (entry := self._saved()) is not None:
            resource_intents.bring_out(self, entry)

    def action_connect(self) -> None:
        """Try the line now."""
        if (entry := self._saved()) is not None:
            resource_intents.connect(self, entry)

    # What the page shows

    @on(VirtualTable.Highlighted)
    def _highlighted(self) -> None:
        self._tell()
        self.refresh_bindings()

    @on(VirtualTable.Activated)
    def _activated(self) -> None:
        self.action_edit()

    def _nothing(self) -> str:
        if not self._read:
            return "reading…"
        return "" if self._entries else "There is no resource. n makes one, i takes one from a file."

    def _say(self) -> None:
        """All that the page says: of the rows, and of the one under the cursor."""
        super()._say()
        self._tell()
        self.refresh_bindings()

    def _tell(self) -> None:
        """The row under the cursor in words."""
        view = self.query_one("#resource-detail", ParagraphView)
        entry = self.chosen
        if entry is None:
            view.tell(())
            return
        _, word, style = state_of(entry)
        said: list[Paragraph] = []
        if entry.problem:
            said.append(Passage([(f"{word}  ", style)], [plain(entry.problem)]))
        if entry.typed is not None:
            again = "enter goes on" + (", x drops it." if entry.new else " with it.")
            text = f"until {clock(entry.typed, self.dashboard.now())}, not saved: {again}"
            said.append(Passage([("typed ", "warning")], [text]))
        if entry.bare:
            said.append(Passage([(f"{word}  ", style)], ["It needs one, for who you are there: p makes it."]))
        standing = self._standing(entry)
        if standing is not None and standing.place is not None and standing.troubled:
            said.append(
                Passage([(f"{standing.sign.word}  ", standing.sign.style)], [plain(standing.place.trouble)])
            )
        if entry.paused:
            said.append(
                Passage(
                    [("paused  ", "warning")],
                    ["It takes nothing new (prevent_new_submissions); what runs there goes on."],
                )
            )
        if entry.where:
            does = "leads to" if entry.profile is None else "acts"
            known = [("kind", entry.kind), (does, plain(entry.where)), ("partition", plain(entry.partition))]
            said.append(facts(*(fact for fact in known if fact[1])))
        said.append(Passage([("file ", "muted")], [plain(entry.file)], keep="end"))
        view.tell(said)

    def _values(self, key: str) -> filters.Values:
        entry = self._entries[key]
        return {
            "state": state_of(entry)[1],
            "name": entry.key,
            "kind": entry.kind,
            "where": where_words(entry),
        }

    def _standing(self, entry: Entry) -> Standing | None:
        """How it can be reached, as far as anybody has tried."""
        if entry.profile is None:
            return None
        place = self._picture.places.get((entry.resource, entry.profile))
        return None if place is None else Standing(entry.resource, entry.profile, place, 0, 0)

    def _cells(self, key: str) -> tuple[Cell, ...]:
        entry = self._entries[key]
        glyph, word, style = state_of(entry)
        live = self._picture.live_on(entry.resource, entry.profile)
        standing = self._standing(entry)
        line: Cell = ""
        if standing is not None and standing.place is not None:
            shown = standing.sign
            trip = f"  {standing.round_trip}" if standing.round_trip else ""
            line = (f"{shown.glyph} {shown.word}{trip}", shown.style)
        name = entry.name if entry.typed is None or entry.new else f"{entry.name} {changed_mark()}"
        return (
            (name, "strong") if entry.profile is None else f"  {branch(last=key in self._last)} {name}",
            (entry.kind if entry.profile is None else "profile", "muted"),
            where_words(entry),
            (f"{glyph} {word}", style),
            (f"{live:,}", "running") if live else ("·" if not ascii_only() else "-", "muted"),
            line,
        )
