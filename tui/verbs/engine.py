"""`runyard engine`: the process that owns the runs."""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import TYPE_CHECKING, Any

from runners.config.home import Home
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.opening import add_json, example

if TYPE_CHECKING:
    from runners.engine.client import EngineStatus


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "Look at the engine, the process that owns the runs, or stop it. It starts when it is needed and "
        "leaves when there is nothing to do; stopping it cancels nothing.",
        "runyard engine status",
        "runyard engine stop",
    )
    verbs = parser.add_subparsers(dest="what", required=True, metavar="status|stop")
    add_json(verbs.add_parser("status", help="whether it runs, and for what"))
    verbs.add_parser("stop", help="stop it; what runs goes on, and the next engine takes it up")


def execute(args: argparse.Namespace, home: Home) -> int:
    """Look, or stop."""
    from runners.engine.client import EngineClient, EngineError

    client = EngineClient(home)
    # Without a state folder there is nothing that could answer.
    there = home.state.is_dir()
    try:
        if args.what == "stop":
            stopped = there and asyncio.run(client.stop())
            output.line("The engine has stopped; what runs goes on." if stopped else "No engine is running.")
            return ExitCode.OK
        status = asyncio.run(client.status()) if there else None
    except EngineError as error:
        raise Failure(str(error), ExitCode.UNAVAILABLE) from error
    if args.json:
        output.data(_object(status))
    elif status is None:
        output.line("No engine is running; the next command that needs one starts it.")
    else:
        output.facts(
            [
                ("engine", f"pid {status.pid} on {status.host}"),
                ("since", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(status.started))),
                ("live runs", f"{status.runs:,}"),
                ("live batches", f"{status.batches:,}"),
                ("log", output.path(str(home.engine_log))),
            ]
        )
    return ExitCode.OK


def _object(status: EngineStatus | None) -> dict[str, Any]:
    if status is None:
        return {"running": False}
    return {
        "running": True,
        "pid": status.pid,
        "host": status.host,
        "started": status.started,
        "runs": status.runs,
        "batches": status.batches,
    }
