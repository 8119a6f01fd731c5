"""What a person can have done to runs, from a screen or from the command palette.

What can't be undone is asked about first; the engine does it; the answer is one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from runners.states import State
from runners.store.rows import RunRow, TaskRow
from tui.screens.confirm import Confirm
from tui.text import fit, plain

if TYPE_CHECKING:
    from tui.dashboard import Dashboard

# The requests are models of pydantic, whose import takes a tenth of a second: it comes in when needed.


def cancel_run(dashboard: Dashboard, run: RunRow) -> None:
    """Cancel *run*, once the person has confirmed."""
    if dashboard.refuses_changes():
        return
    if run.state.final:
        dashboard.tell(f"{short_name(run)} has ended already ({run.state}): there is nothing to cancel.")
        return
    counts = run.counts
    ended = f"{counts.done:,} of {counts.total:,} done"
    if counts.failed:
        ended += f", {counts.failed:,} failed"
    question = (
        f"Cancel run {short_name(run)} ({ended}; {counts.total - counts.ended:,} will not run)?"
        if not counts.running
        else f"Cancel run {short_name(run)} ({ended}; {counts.running:,} running will be ended, "
        f"{counts.total - counts.ended - counts.running:,} will not run)?"
    )

    def answered(yes: bool | None) -> None:
        from runners.requests import CancelRequest, RequestKind

        if yes:
            dashboard.ask(
                RequestKind.CANCEL,
                CancelRequest(run=run.id),
                told=f"{short_name(run)} is being cancelled.",
            )

    dashboard.push_screen(
        Confirm(
            question, yes="Cancel the run", no="Let it run", more="What is done stays. `r` runs the rest."
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
            f"Cancel task {task.index} of run {short_name(run)}{item}?",
            yes="Cancel the task",
            no="Let it run",
            more=f"{what} The other tasks go on.",
        ),
        answered,
    )


def retry_run(dashboard: Dashboard, run: RunRow, *, then: Callable[[str], object] = lambda run: None) -> None:
    """Run the failed and unfinished tasks of *run* again, as a new run whose id *then* is given."""
    if dashboard.refuses_changes():
        return
    if not run.state.final:
        dashboard.tell(f"{short_name(run)} is still {run.state}: cancel it or let it end, then retry.")
        return
    again = run.counts.failed + run.counts.cancelled
    if not again:
        dashboard.tell(f"All tasks of {short_name(run)} are done: there is nothing to retry.")
        return
    from runners.requests import RequestKind, RetryRequest, new_run_id

    new = new_run_id()
    dashboard.ask(
        RequestKind.RETRY,
        RetryRequest(run=new, of=run.id),
        told=f"{_tasks(again)} of {short_name(run)} run again, as run {new}.",
        then=lambda: then(new),
    )


def short_name(run: RunRow) -> str:
    """The name of *run* in a sentence: harmless, and no longer than a sentence bears."""
    return fit(plain(run.name), 40)


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{number:,} tasks"
