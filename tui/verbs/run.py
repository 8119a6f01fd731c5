"""`runyard run`: launch."""

from __future__ import annotations

import argparse

from runners.config.home import Home
from tui import output
from tui.failure import ExitCode
from tui.verbs.asking import ask_engine
from tui.verbs.launch_options import add_launch_options, prepared_launch
from tui.verbs.opening import add_json
from tui.verbs.wait import wait_for

_LAUNCH_S = 120.0
"""How long the engine may take to write down a launch of very many items."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.description = "Launch a command on every item, or a workflow. Returns when the engine has it."
    add_launch_options(
        parser,
        "runyard run --items 'data/**/*.tif' --wait -- gzip -k {item}",
        "runyard run --items-from plates.csv --mem 2G -- measure --well {well} {item}",
        "runyard run --items '*.csv' --shell -- 'sort {item} | uniq > {stem}.sorted'",
        "find . -name '*.log' -print0 | runyard run --items-from - -0 -- gzip {item}",
    )
    parser.add_argument("--wait", action="store_true", help="stay until the run has ended")
    add_json(parser)


def execute(args: argparse.Namespace, home: Home) -> int:
    """Launch."""
    from runners.requests import RequestKind

    prepared = prepared_launch(args, home)
    for warning in prepared.warnings:
        output.note(warning)
    request = prepared.request
    ask_engine(home, RequestKind.LAUNCH, request, makes=request.run, timeout_s=_LAUNCH_S)
    if not args.json:
        tasks = sum(plan.tasks for _, plan in prepared.plans)
        output.line(
            f"Run {request.run} ({request.spec.name}): {tasks:,} {'task' if tasks == 1 else 'tasks'} "
            f"on {request.spec.resource}."
        )
        output.line(f"follow it: runyard wait {request.run}, or runyard for the dashboard")
        output.flush()
    elif not args.wait:
        output.data({"run": request.run})
    return wait_for(home, request.run, as_json=args.json) if args.wait else ExitCode.OK
