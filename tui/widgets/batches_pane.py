"""The batches of a run, what is known of the one under the cursor, and the live slots of all."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from runners.states import State
from runners.store.rows import BatchRow, RunRow, SlotRow
from tui.batch_words import batch_sign, elapsed_words, host_words, id_words, limit_words, why_words
from tui.explaining import ForRun, Shared, explain_batch
from tui.feed import RunPicture
from tui.item_words import item_words
from tui.signs import sign
from tui.text import plain
from tui.widgets.batch_detail import BatchDetail
from tui.widgets.columns import Cell, Column
from tui.widgets.line_view import Piece
from tui.widgets.piece_lines import PieceLines
from tui.widgets.slots_panel import Slot, SlotsPanel
from tui.widgets.table_rows import Row
from tui.widgets.virtual_table import VirtualTable


class BatchesPane(Vertical):
    """Table of batches, the steps that have none yet, one batch in detail, and the slots."""

    DEFAULT_CSS = """
    BatchesPane {
        & > VirtualTable { height: 3; max-height: 50%; }
        & > #slots-title { height: 2; padding: 1 1 0 1; }
        & > SlotsPanel { height: 1fr; }
    }
    """

    def __init__(self, for_run: ForRun) -> None:
        """*for_run* gives what helps all of the run."""
        super().__init__()
        self._for_run = for_run
        self._batches: dict[str, BatchRow] = {}
        self._picture = RunPicture("")
        self._shared: Shared | None = None
        self._now = 0.0

    def compose(self) -> ComposeResult:
        """One above the other."""
        yield VirtualTable(
            [
                Column("state", "state", 11, value=lambda key: self._batches[key].state.value),
                Column("number", "batch", 5, align="right", value=lambda key: self._batches[key].number),
                Column("slots", "slots", 5, align="right", priority=6),
                Column("done", "done", 11, align="right", sortable=False),
                Column("failed", "failed", 6, align="right", priority=1, sortable=False),
                Column("elapsed", "elapsed", 8, align="right", priority=2, sortable=False),
                Column("limit", "limit", 10, align="right", priority=5),
                Column("id", "id", 12, priority=4),
                Column("where", "on / why", None, least=12, priority=3),
            ],
            id="batch-table",
            empty="No batch yet: the run waits for its turn.",
        )
        yield BatchDetail()
        yield PieceLines(id="steps-to-come")
        yield Static(id="slots-title", markup=False)
        yield SlotsPanel()

    @property
    def table(self) -> VirtualTable:
        """The table."""
        return self.query_one(VirtualTable)

    @property
    def chosen(self) -> BatchRow | None:
        """The batch under the cursor."""
        return self._batches.get(self.table.cursor_key or "")

    def show(self, picture: RunPicture, now: float, run: RunRow | None = None) -> None:
        """Bring all of it up to date; *run* is the one that *picture* is of, where it is known."""
        self._picture, self._now = picture, now
        self._shared = None if run is None else Shared(run, picture.workflow)
        self._batches = {batch.token: batch for batch in picture.batches}
        if self.table.total_count != len(self._batches):
            self.table.set_rows(Row(token, self._cells) for token in self._batches)
            # Its titles and its rows, so that the slots come right behind them.
            self.table.styles.height = 1 + max(1, len(self._batches))
        else:
            self.table.patch(Row(token, self._cells) for token in self._batches)
        self.table.hide(() if any(batch.limit_s is not None for batch in picture.batches) else ("limit",))
        self._detail()
        self.query_one(PieceLines).show(self._to_come())
        self._show_slots()

    def _detail(self) -> None:
        batch = self.chosen
        told = None if batch is None or self._shared is None else explain_batch(batch, self._shared)
        told = None if told is None else self._for_run(told)
        self.query_one(BatchDetail).show(batch, self._now, told)

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._detail()

    def _to_come(self) -> list[list[Piece]]:
        """The steps that have no batch yet, and what they wait for."""
        begun = {batch.step for batch in self._picture.batches}
        lines: list[list[Piece]] = []
        before = None
        for step in self._picture.steps:
            if step.position not in begun and step.state is State.PENDING:
                shown = sign(step.state)
                starts = "waits for its turn" if before is None else f"starts when {before} is done"
                lines.append(
                    [(f"{shown.glyph} {shown.word} ", shown.style), (f"{plain(step.name)}: {starts}", None)]
                )
            before = plain(step.name)
        return lines

    def tick(self, now: float) -> None:
        """Elapsed times."""
        self.show(self._picture, now, None if self._shared is None else self._shared.run)

    def _show_slots(self) -> None:
        slots = self._picture.slots
        busy = sum(slot.state == "busy" for slot in slots)
        words = f"{busy} of {len(slots)} busy" if slots else "none live: no batch of this run is at work"
        title = Content.assemble(("Slots", "bold"), "  ", (words, "$foreground 60%"))
        shown = self.query_one("#slots-title", Static)
        if shown.visual != title:
            shown.update(title)
        self.query_one(SlotsPanel).show([self._slot(slot) for slot in slots])

    def _slot(self, slot: SlotRow) -> Slot:
        batch = self._batches.get(slot.batch)
        name = str(slot.slot) if len(self._batches) == 1 or batch is None else f"{batch.number}.{slot.slot}"
        if slot.task is None or slot.state != "busy":
            return Slot(name, slot.state, busy=False)
        task = self._picture.tasks.get(slot.task)
        return Slot(
            name,
            f"{item_words(task, self._picture.steps)}  #{slot.task}" if task is not None else str(slot.task),
            busy=True,
            elapsed_s=None if slot.since is None else max(0.0, self._now - slot.since),
            cpu_percent=slot.cpu_percent,
            memory_mb=slot.rss_mb,
        )

    def _cells(self, key: str) -> tuple[Cell, ...]:
        batch = self._batches[key]
        shown = batch_sign(batch)
        counts = batch.counts
        why = why_words(batch)
        return (
            (f"{shown.glyph} {shown.word}", shown.style),
            str(batch.number),
            str(batch.slots),
            f"{counts.done:,}/{counts.total:,}",
            (f"{counts.failed:,}", "failed") if counts.failed else ("0", "muted"),
            elapsed_words(batch, self._now),
            (limit_words(batch), "muted"),
            (id_words(batch), "muted"),
            (why, "failed" if batch.state is State.FAILED else "muted") if why else host_words(batch),
        )
