"""`runyard cancel RUN`: end a run, or one batch or one task of it."""

from __future__ import annotations

import argparse

from runners.config.home import Home
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.asking import ask_engine
from tui.verbs.opening import add_run, example, found_run


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "Cancel a run: nothing more of it starts, and what runs is ended. What is done stays.",
        "runyard cancel 3k9m",
        "runyard cancel 3k9m --task 17",
        "runyard cancel 3k9m --batch 2",
    )
    add_run(parser)
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--task", type=int, metavar="N", help="cancel only this task; its neighbours go on")
    one.add_argument("--batch", type=int, metavar="N", help="cancel only this batch; the others go on")


def execute(args: argparse.Namespace, home: Home) -> int:
    """Cancel it."""
    from runners.requests import CancelRequest, RequestKind

    with found_run(home, args.run) as (store, run):
        task = None if args.task is None else store.task(run.id, args.task)
    if (run.state if task is None else task.state).final:
        what = f"Run {run.id}" if task is None else f"Task {task.index} of run {run.id}"
        state = run.state if task is None else task.state
        raise Failure(f"{what} has ended already ({state}): there is nothing to cancel.")
    ask_engine(home, RequestKind.CANCEL, CancelRequest(run=run.id, task=args.task, batch=args.batch))
    if args.batch is not None:
        output.line(f"Batch {args.batch} of run {run.id} is being cancelled.")
    elif task is None:
        output.line(f"Run {run.id} is being cancelled; `runyard wait {run.id}` waits until it has ended.")
    else:
        output.line(f"Task {task.index} of run {run.id} is being cancelled.")
    return ExitCode.OK
