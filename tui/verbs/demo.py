"""`runyard demo`: the dashboard on real work."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType
from typing import NoReturn

from runners.config.home import Home
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.opening import example


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "Open the dashboard on real work over the files of Python's standard library, in a throw-away home. "
        "It is gentle on the machine, goes on for a few minutes, and leaves nothing behind.",
        "runyard demo",
    )


def execute(args: argparse.Namespace, home: Home) -> int:
    """Open it; *home* is not touched."""
    if not (sys.stdin.isatty() and output.to_terminal()):
        raise Failure("The demo opens the dashboard, which needs a terminal.")
    from runners.engine.asking import RefusedError
    from runners.engine.client import EngineError
    from runners.launching import LaunchError
    from tui.app import run_dashboard
    from tui.demo import demo_home, fill

    # What is there has to be cleared away also where the terminal is closed meanwhile.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    output.status("launching the demo's runs …")
    try:
        with demo_home() as demo:
            fill(demo)
            output.end_status()
            code = run_dashboard(demo)
        # A signal may have come from a terminal that is not there any more.
        if code == ExitCode.OK:
            output.line(
                f"The demo is over: its work was ended and its folder {demo.config.parent} removed. "
                "`runyard` opens your own dashboard, `runyard run --help` tells how to launch."
            )
    except (LaunchError, RefusedError, EngineError) as error:
        raise Failure(f"The demo can't begin: {error}", ExitCode.UNAVAILABLE) from error
    finally:
        output.end_status()
    return code


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
