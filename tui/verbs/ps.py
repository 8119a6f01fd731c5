"""`runyard ps`: the runs."""

from __future__ import annotations

import argparse
import time
from contextlib import closing

from runners.config.home import Home
from runners.config.units import format_time
from runners.states import State
from runners.store.rows import PlaceRow, RunRow
from tui import output
from tui.failure import ExitCode
from tui.output import Column
from tui.standing import moment_of, place_of, trouble_words
from tui.verbs.opening import add_json, example, keep_up, open_store
from tui.verbs.rows import run_object

_ENDED = 20
"""How many runs that have ended are listed, unless all are asked for."""

_COLUMNS = (
    Column("run"),
    Column("state"),
    Column("name", stretches=True),
    Column("resource"),
    Column("done", "right"),
    Column("failed", "right"),
    Column("elapsed", "right"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        f"List the runs that go on and the {_ENDED} newest of those that have ended, newest first.",
        "runyard ps",
        "runyard ps --all --json",
    )
    parser.add_argument("-a", "--all", action="store_true", help="list all runs")
    add_json(parser)


def execute(args: argparse.Namespace, home: Home) -> int:
    """List them."""
    store = open_store(home)
    runs: list[RunRow] = []
    places: list[PlaceRow] = []
    if store is not None:
        with closing(store):
            runs, places = store.runs(), store.places()
            keep_up(home, store, runs)
    shown = runs if args.all else _newest(runs)
    if args.json:
        output.array(map(run_object, shown))
    elif not runs:
        output.line("Nothing has been run yet; `runyard run --help` shows how.")
    else:
        now = time.time()
        output.table(_COLUMNS, [_cells(run, moment_of(run, place_of(run, places), now)) for run in shown])
        for run in shown:
            answer = f"`runyard resource connect {run.resource}`"
            if trouble := trouble_words(run, place_of(run, places), now, answer=answer):
                output.line(f"{run.id}  {trouble}")
        if len(shown) < len(runs):
            output.line(f"and {len(runs) - len(shown):,} older ones: runyard ps --all")
    return ExitCode.OK


def elapsed(run: RunRow, now: float) -> str:
    """How long a run has taken at the moment *now*, or had taken when it ended."""
    if run.started is None:
        return ""
    return format_time((run.ended or now) - run.started, going=run.ended is None)


def _newest(runs: list[RunRow]) -> list[RunRow]:
    ended = [run.id for run in runs if run.state.final]
    older = frozenset(ended[_ENDED:])
    return [run for run in runs if run.id not in older]


def _cells(run: RunRow, now: float) -> tuple[str, ...]:
    state = output.state(run.state)
    if run.cancelling and not run.state.final:
        state = f"{output.state(State.CANCELLED)[0]} cancelling"
    return (
        run.id,
        state,
        run.name,
        run.resource,
        f"{run.counts.done:,}/{run.counts.total:,}",
        f"{run.counts.failed:,}",
        elapsed(run, now),
    )
