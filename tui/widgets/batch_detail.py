"""All that is known of one batch, in as many lines as there is room for."""

from __future__ import annotations

from runners.explanation import Explanation
from runners.states import State
from runners.store.rows import BatchRow
from tui.batch_words import (
    batch_sign,
    elapsed_words,
    host_words,
    id_words,
    limit_words,
    scheduler_words,
    why_words,
)
from tui.text import plain
from tui.widgets.line_view import Piece
from tui.widgets.paragraph_view import ParagraphView
from tui.widgets.paragraphs import Paragraph, Passage, facts
from tui.widgets.remedy import remedy_of

_WORKER = {"": "", "hello": "at work", "bye": "left", "lost": "lost"}
"""The worker's last word, for a person."""


class BatchDetail(ParagraphView):
    """Shows one batch: its verdict and why, what its resource says of it, where it writes."""

    WHOLE = "e"

    def show(self, batch: BatchRow | None, now: float, told: Explanation | None = None) -> None:
        """Show this batch as it is at the moment *now*, and what is *told* of why; None shows nothing."""
        self.tell(() if batch is None else _paragraphs(batch, now, told))


def _paragraphs(batch: BatchRow, now: float, told: Explanation | None) -> list[Paragraph]:
    shown = batch_sign(batch)
    verdict: list[Piece] = [(f"{shown.glyph} batch {batch.number} {shown.word}", shown.style), ("  ", None)]
    nodes = "" if batch.nodes is None or not host_words(batch) else f"{batch.nodes:,} × "
    why = plain(why_words(batch))
    if batch.state is State.PENDING and not why and not batch.native_id:
        why = "not launched yet"
    elif batch.counts.failed and not why:
        why = f"{batch.counts.failed:,} of {batch.counts.total:,} tasks failed"
    # On this machine a batch goes by the name of its worker's process.
    process, job = (id_words(batch), "") if id_words(batch).startswith("pid") else ("", id_words(batch))
    worker = _WORKER.get(batch.worker_state, batch.worker_state)
    known = (
        ("job", job),
        ("worker", ", ".join(part for part in (process, worker) if part)),
        ("SLURM says", scheduler_words(batch)),
        ("on", nodes + host_words(batch)),
        ("elapsed", elapsed_words(batch, now)),
        ("limit", limit_words(batch)),
        ("partition", batch.partition),
        ("slots", str(batch.slots)),
        ("starts", "" if not batch.restart else str(batch.restart + 1)),
    )
    return [
        Passage(verdict, [why]),
        *remedy_of(told),
        facts(*((name, plain(value, 80)) for name, value in known)),
        Passage([("folder ", "muted")], [plain(batch.folder)], keep="end"),
    ]
