"""What a person can have done to runs, from a screen or from the command palette.

What can't be undone is asked about first; the engine does it; the answer is one sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from runners.config.home import Home
from runners.states import State
from runners.store.database import StoreError
from runners.store.rows import BatchRow, RunRow, TaskRow
from tui.screens.confirm import Confirm
from tui.text import fit, plain

if TYPE_CHECKING:
    from tui.dashboard import Dashboard

_ADVICE_S = 2.0
"""Seconds that a person waits, at most, for what is advised, and for whether it can be had."""

# The requests are models of pydantic, whose import takes a tenth of a second: it comes in when needed.


def can_cancel(run: RunRow) -> bool:
    """Whether anything of *run* is left to cancel."""
    return not run.state.final


def can_retry(run: RunRow) -> bool:
    """Whether *run* has ended with something that is not done."""
    return run.state.final and run.counts.failed + run.counts.cancelled > 0


def cancel_run(dashboard: Dashboard, run: RunRow) -> None:
    """Cancel *run*, once the person has confirmed."""
    if dashboard.refuses_changes():
        return
    if not can_cancel(run):
        _tell_ended(dashboard, run)
        return

    def question() -> str:
        counts = dashboard.picture.runs.get(run.id, run).counts
        ended = f"{counts.done:,} of {counts.total:,} done"
        if counts.failed:
            ended += f", {counts.failed:,} failed"
        running = f"{counts.running:,} running will be ended, " if counts.running else ""
        waiting = counts.total - counts.ended - counts.running
        return f"Cancel run {short_name(run)} ({ended}; {running}{waiting:,} will not run)?"

    def answered(yes: bool | None) -> None:
        from runners.requests import CancelRequest, RequestKind

        if not yes:
            return
        now = dashboard.picture.runs.get(run.id, run)
        if not can_cancel(now):
            _tell_ended(dashboard, now)
            return
        dashboard.ask(
            RequestKind.CANCEL, CancelRequest(run=run.id), told=f"{short_name(run)} is being cancelled."
        )

    dashboard.push_screen(
        Confirm(
            question,
            yes="Cancel the run",
            no="Let it run",
            more="What is done stays. Retry (r) runs the rest later.",
        ),
        answered,
    )


def cancel_task(dashboard: Dashboard, run: RunRow, task: TaskRow) -> None:
    """Cancel one task of *run*, once the person has confirmed."""
    if dashboard.refuses_changes():
        return
    if task.state.final:
        dashboard.tell(f"Task {task.index} has ended already ({task.state}): there is nothing to cancel.")
        return
    what = "It is running and will be ended." if task.state is State.RUNNING else "It has not started."

    def answered(yes: bool | None) -> None:
        from runners.requests import CancelRequest, RequestKind

        if yes:
            dashboard.ask(
                RequestKind.CANCEL,
                CancelRequest(run=run.id, task=task.index),
                told=f"Task {task.index} of {short_name(run)} is being cancelled.",
            )

    item = f" ({fit(plain(task.item), 60, keep='end')})" if task.item else ""
    dashboard.push_screen(
        Confirm(
            lambda: f"Cancel task {task.index} of run {short_name(run)}{item}?",
            yes="Cancel the task",
            no="Let it run",
            more=f"{what} The other tasks go on.",
        ),
        answered,
    )


def cancel_batch(dashboard: Dashboard, run: RunRow, batch: BatchRow) -> None:
    """Cancel one batch of *run*, once the person has confirmed."""
    if dashboard.refuses_changes():
        return
    if batch.state.final:
        dashboard.tell(f"Batch {batch.number} has ended already ({batch.state}): there is nothing to cancel.")
        return

    def answered(yes: bool | None) -> None:
        from runners.requests import CancelRequest, RequestKind

        if yes:
            dashboard.ask(
                RequestKind.CANCEL,
                CancelRequest(run=run.id, batch=batch.number),
                told=f"Batch {batch.number} of {short_name(run)} is being cancelled.",
            )

    counts = batch.counts
    open_tasks = counts.total - counts.ended
    tasks = "1 task of it has" if open_tasks == 1 else f"{open_tasks:,} tasks of it have"
    dashboard.push_screen(
        Confirm(
            lambda: f"Cancel batch {batch.number} of run {short_name(run)}?",
            yes="Cancel the batch",
            no="Let it run",
            more=f"{tasks} not ended. What is done stays, and the other batches go on.",
        ),
        answered,
    )


def retry_run(dashboard: Dashboard, run: RunRow, *, then: Callable[[str], object] = lambda run: None) -> None:
    """Run the failed and cancelled tasks of *run* again, once the person has confirmed.

    That makes a new run, whose id *then* is given.
    """
    if dashboard.refuses_changes():
        return
    if not run.state.final:
        dashboard.tell(f"{short_name(run)} is still {run.state}: cancel it or let it end, then retry.")
        return
    if not can_retry(run):
        dashboard.tell(f"All tasks of {short_name(run)} are done: there is nothing to retry.")
        return
    counts = run.counts
    again = counts.failed + counts.cancelled
    kinds = [
        f"{number:,} {state}"
        for number, state in ((counts.failed, State.FAILED), (counts.cancelled, State.CANCELLED))
        if number
    ]
    tasks = "task" if again == 1 else "tasks"

    def ask(needs: str) -> None:
        from runners.requests import RequestKind, RetryRequest, new_run_id
        from tui.forms.needs import read_needs

        new = new_run_id()

        def accepted() -> None:
            dashboard.refused_needs.pop(run.id, None)
            then(new)

        dashboard.ask(
            RequestKind.RETRY,
            RetryRequest(run=new, of=run.id, needs=read_needs(needs)),
            told=f"{again:,} {tasks} of {short_name(run)} run again, as run {new}.",
            then=accepted,
            otherwise=lambda: dashboard.refused_needs.update({run.id: needs} if needs else {}),
        )

    def answered(yes: bool | None) -> None:
        if yes:
            ask("")

    async def check(needs: str) -> None:
        from tui.forms.needs import read_needs
        from tui.retrying import check_retry

        # Nobody waits long for that: the engine looks as well.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ADVICE_S):
                await asyncio.to_thread(check_retry, dashboard.home, run, read_needs(needs))

    async def with_more() -> None:
        from tui.forms.needs import ABOUT, fault
        from tui.screens.line import AskLine

        about = f"{ABOUT} The new run starts at enter, and keeps it for a later retry."
        # Keys that are pressed meanwhile are for the line, and wait for it.
        value = dashboard.refused_needs.get(run.id) or await _advised(dashboard.home, run)
        title = f"Retry {again:,} {tasks} with more"
        line = AskLine(title, about=about, value=value, goes_on=True, fault=fault, attempt=check)
        dashboard.push_screen(line, lambda text: ask(text) if text is not None else None)

    dashboard.push_screen(
        Confirm(
            lambda: f"Retry {' and '.join(kinds)} {tasks} of {short_name(run)} as a new run?",
            yes="Retry",
            no="Not now",
            more=f"It starts at once; {short_name(run)} stays as it is.",
            besides=("With more memory or time", with_more),
        ),
        answered,
    )


async def _advised(home: Home, run: RunRow) -> str:
    """What a retry of *run* should give each task, as it is typed; empty where that is not known soon."""

    def read() -> str:
        from runners.store.reader import Reader
        from tui.whys import advised_of

        with contextlib.closing(Reader.open(home.database)) as store:
            return " ".join(f"{name}={value}" for name, value in advised_of(store, run).items())

    try:
        async with asyncio.timeout(_ADVICE_S):
            return await asyncio.to_thread(read)
    except (StoreError, TimeoutError):
        return ""


def short_name(run: RunRow) -> str:
    """The name of *run* in a sentence: harmless, and no longer than a sentence bears."""
    return fit(plain(run.name), 40)


def _tell_ended(dashboard: Dashboard, run: RunRow) -> None:
    dashboard.tell(f"{short_name(run)} has ended already ({run.state}): there is nothing to cancel.")
