"""`runyard events RUN`: the history of a run."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from runners.config.home import Home
from runners.store.reader import Reader
from runners.store.rows import EventRow
from tui import output
from tui.failure import ExitCode
from tui.verbs.event_words import told
from tui.verbs.opening import add_json, add_run, example, found_run, keep_up
from tui.verbs.rows import event_object
from tui.verbs.watching import changes

_AT_ONCE = 10_000
"""Events that are read from the store at a time."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "Print the history of a run: what the worker and the engine saw happen.",
        "runyard events last",
        "runyard events 3k9m -f --json",
    )
    add_run(parser)
    parser.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="go on until the run has ended; JSON is then one object a line",
    )
    add_json(parser)


def execute(args: argparse.Namespace, home: Home) -> int:
    """Print it."""
    with found_run(home, args.run) as (store, run):
        if args.follow:
            _follow(home, store, run.id, as_json=args.json)
            return ExitCode.OK
        keep_up(home, store, [run])
        if args.json:
            output.array(map(event_object, _events(store, run.id, 0)))
        else:
            for event in _events(store, run.id, 0):
                output.line(_line(event))
    return ExitCode.OK


def _follow(home: Home, store: Reader, run: str, *, as_json: bool) -> None:
    seen = 0
    for row in changes(home, store, run):
        for event in _events(store, run, seen):
            seen = event.id
            if as_json:
                output.data(event_object(event))
            else:
                output.line(_line(event))
        output.flush()
        if row.state.final:
            break


def _events(store: Reader, run: str, after: int) -> Iterator[EventRow]:
    while events := store.events(run, after=after, limit=_AT_ONCE):
        yield from events
        after = events[-1].id


def _line(event: EventRow) -> str:
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.time))
    return f"{clock}  {told(event)}"
