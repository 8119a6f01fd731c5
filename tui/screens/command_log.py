"""Command log: every command that was run on a resource, its reply and its time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from runners.store.rows import CommandRow
from tui import filters
from tui.command_words import place_words, reply_words, result_sign, result_state, took_words
from tui.feed import Picture
from tui.screens.command_reply import CommandReply
from tui.screens.table_page import TablePage
from tui.widgets.columns import Cell, Column
from tui.widgets.command_detail import CommandDetail
from tui.widgets.filter_line import FilterLine
from tui.widgets.table_rows import Row
from tui.widgets.virtual_table import VirtualTable

EMPTY = """\
No command has been run on a cluster yet.

Whatever Runyard runs there (sbatch, squeue, scancel, …) will be listed here, with its reply.
Work on this machine needs no such commands."""


class CommandLogPage(TablePage):
    """The table of commands, oldest first, and one of them in detail."""

    CSS_PATH = "command_log.tcss"
    wants_commands = True
    ROW = "command"
    KEYS = ("state", "place", "command", "reply")
    NAMES: ClassVar[Mapping[str, str]] = {
        "back": "Leave the command log",
        "reply": "Show the whole reply",
        "follow": "Follow the newest command",
        "filter": "Filter the commands",
        "copy": "Copy the command",
    }
    HELP_TITLE = "Command log"
    ABOUT = (
        "Every command that Runyard ran on a cluster, as one would type it there, with what it replied and "
        "how long that took. While the cursor is on the newest, it stays on the newest."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,backspace", "back", "back", id="commands.back", tooltip="Drop the filter, or go back"
        ),
        Binding("enter", "reply", "reply", id="commands.reply", tooltip="Show the whole reply"),
        Binding("f", "follow", "follow", id="commands.follow", tooltip="Go to the newest, and stay there"),
        Binding(
            "slash",
            "filter",
            "filter",
            id="commands.filter",
            tooltip="Show some commands only, such as state:failed or command:sbatch",
        ),
        Binding(
            "y",
            "copy",
            "copy",
            show=False,
            id="commands.copy",
            tooltip="Copy the command to the clipboard",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._commands: tuple[CommandRow, ...] = ()
        self._rows: dict[str, CommandRow] = {}

    def compose_body(self) -> Iterable[Widget]:
        """Title with filter, table, detail."""
        yield FilterLine("Commands", placeholder="words, state:failed, place:…, command:…, reply:…")
        yield VirtualTable(
            [
                Column("time", "time", 8, priority=1, value=lambda key: self._rows[key].time),
                Column("result", "result", 11, value=lambda key: result_state(self._rows[key]).value),
                Column(
                    "took", "took", 7, align="right", priority=2, value=lambda key: self._rows[key].seconds
                ),
                Column("place", "on", None, least=12, most=30, priority=3),
                Column("command", "command", None, least=24),
                Column("reply", "reply", None, least=16, priority=4),
            ],
            id="command-table",
            empty=self._nothing(),
        )
        yield CommandDetail()

    @property
    def chosen(self) -> CommandRow | None:
        """The command under the cursor."""
        return self._rows.get(self._table.cursor_key or "")

    def show(self, picture: Picture) -> None:
        """Take in what has been run since, and stay with the newest where the cursor is on it."""
        before, after = self._commands, picture.commands
        if after is not before:
            following = self._follows
            self._commands = after
            self._rows = {str(row.id): row for row in after}
            if before and after and before[0].id == after[0].id:
                new = after[len(before) :]
                self._table.patch(Row(str(row.id), self._cells) for row in new)
            else:
                # The oldest are not kept any longer.
                self._table.set_rows(Row(key, self._cells) for key in self._rows)
            if following:
                self._table.action_last()
        self._say()

    def pointless(self) -> frozenset[str]:
        """What can't be done without a command, and the way to where one is."""
        without = frozenset({"reply", "follow", "filter", "copy"})
        return super().pointless() | {"command_log"} | (frozenset() if self._rows else without)

    def action_reply(self) -> None:
        """The whole reply of the command under the cursor."""
        if (row := self.chosen) is not None:
            self.app.push_screen(CommandReply(row))

    def action_follow(self) -> None:
        """Go to the newest."""
        self._table.action_last()
        self._say()

    def action_copy(self) -> None:
        """Copy the command."""
        if (row := self.chosen) is not None:
            self.app.copy_to_clipboard(row.command)
            self.dashboard.tell("The command is on the clipboard.")

    @on(VirtualTable.Highlighted)
    def _highlighted(self) -> None:
        self.query_one(CommandDetail).show(self.chosen)
        self._say()
        self.refresh_bindings()

    @on(VirtualTable.Activated)
    def _activated(self) -> None:
        self.action_reply()

    @property
    def _follows(self) -> bool:
        """Whether the cursor is on the newest command that is shown."""
        keys = self._table.keys
        return not keys or self._table.cursor_key == keys[-1]

    def _nothing(self) -> str:
        """Why there is no command."""
        if self._rows:
            return ""
        return EMPTY if self.dashboard.picture.read_at else "reading…"

    def _more(self) -> str:
        """Whether the cursor stays with the newest."""
        return "following" if self._rows and self._follows else ""

    def _values(self, key: str) -> filters.Values:
        row = self._rows[key]
        return {
            "state": result_state(row).value,
            "place": row.place,
            "command": row.command,
            "reply": f"{row.out}\n{row.err}",
        }

    def _cells(self, key: str) -> tuple[Cell, ...]:
        row = self._rows[key]
        shown = result_sign(row)
        return (
            (time.strftime("%H:%M:%S", time.localtime(row.time)), "muted"),
            (f"{shown.glyph} {shown.word}", shown.style),
            took_words(row),
            (place_words(row.place), "muted"),
            row.command,
            (reply_words(row), "muted" if row.code == 0 else shown.style),
        )
