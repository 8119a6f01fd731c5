"""`runyard wait RUN`: stay until a run has ended."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

from runners.config.home import Home
from runners.states import State
from runners.store.rows import RunRow
from tui import output
from tui.failure import ExitCode
from tui.standing import away_words, moment_of, place_of, trouble_words
from tui.verbs.opening import add_json, add_run, example, found_run
from tui.verbs.ps import elapsed
from tui.verbs.show import told
from tui.verbs.watching import changes
from tui.verbs.whys import print_again
from tui.whys import advised_of


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "Wait for the end of a run. The exit code is 0 when all its tasks are done, else 1.",
        "runyard wait last && echo all done",
    )
    add_run(parser)
    add_json(parser)


def execute(args: argparse.Namespace, home: Home) -> int:
    """Wait."""
    return wait_for(home, args.run, as_json=args.json)


def wait_for(home: Home, run: str, *, as_json: bool) -> int:
    """Stay until *run* has ended, say how, and return the exit code.

    Ctrl-C ends the waiting and not the run.

    Raises:
        Failure: there is no engine to carry it on, and none can be started.
    """
    try:
        row, more = _ended(home, run)
    except KeyboardInterrupt:
        output.end_status()
        output.note(f"run {run} goes on; `runyard wait {run}` waits again, `runyard cancel {run}` ends it.")
        raise
    output.end_status()
    if as_json:
        output.data(_object(row))
    else:
        reason = f" ({row.reason})" if row.reason else ""
        took = elapsed(row, time.time()) or "0 s"
        output.line(f"{output.state(row.state)}  run {row.id}: {told(row.counts)} in {took}{reason}")
        if row.counts.failed:
            print_again(row, more)
    return ExitCode.OK if row.state is State.DONE else ExitCode.UNSUCCESSFUL


def _ended(home: Home, name: str) -> tuple[RunRow, Mapping[str, str]]:
    """The run once it has ended, and what a retry should give each task."""
    away = False
    with found_run(home, name) as (store, run):
        for row in changes(home, store, run.id):
            if row.state.final:
                break
            place, now = place_of(row, store.places()), time.time()
            answer = f"`runyard resource connect {row.resource}`"
            why = away_words(row, place, answer=answer)
            if bool(why) != away:
                # The status is for a terminal only, and it is not seen for long.
                away = bool(why)
                output.end_status()
                output.note(f"waiting: {why}" if away else f"{row.resource} can be reached again.")
            trouble = trouble_words(row, place, now, answer=answer)
            took = elapsed(row, moment_of(row, place, now))
            output.status(f"{output.state(row.state)}  {told(row.counts)}  {took}  {trouble}")
        return row, advised_of(store, row)


def _object(run: RunRow) -> dict[str, Any]:
    return {"run": run.id, "state": run.state.value, "reason": run.reason, "counts": run.counts.as_dict()}
