"""`runyard retry RUN`: run what failed again, as a new run."""

from __future__ import annotations

import argparse

from runners.config.home import Home
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.asking import ask_engine
from tui.verbs.launch_options import add_needs
from tui.verbs.opening import add_json, add_run, example, found_run
from tui.verbs.wait import wait_for


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "Run the failed and unfinished tasks of a run again, as a new run that is linked to it.",
        "runyard retry last --wait",
        "runyard retry 3k9m --mem 5G --time 2h",
    )
    add_run(parser)
    needs = parser.add_argument_group("what each task needs this time, in place of what its step says")
    add_needs(needs)
    parser.add_argument("--wait", action="store_true", help="stay until the new run has ended")
    add_json(parser)


def execute(args: argparse.Namespace, home: Home) -> int:
    """Run them."""
    from runners.launching import LaunchError, task_needs
    from runners.requests import RequestKind, RetryRequest, new_run_id

    try:
        needs = task_needs(cpus=args.cpus, mem=args.mem, time=args.time)
    except LaunchError as error:
        raise Failure(str(error)) from error
    with found_run(home, args.run) as (_, run):
        request = RetryRequest(run=new_run_id(), of=run.id, needs=needs)
    ask_engine(home, RequestKind.RETRY, request, makes=request.run)
    if not args.json:
        output.line(f"Run {request.run} tries what failed in run {run.id} again.")
        output.line(f"follow it: runyard wait {request.run}, or runyard for the dashboard")
        output.flush()
    elif not args.wait:
        output.data({"run": request.run, "retry_of": run.id})
    return wait_for(home, request.run, as_json=args.json) if args.wait else ExitCode.OK
