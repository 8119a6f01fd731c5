"""What most commands begin with: the store, a run in it, and the arguments that name them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from textwrap import fill

from runners.config.home import Home
from runners.engine.lock import held
from runners.store.reader import Reader, UnknownRunError
from runners.store.rows import RunRow
from tui import output
from tui.output import WIDTH


def open_store(home: Home) -> Reader | None:
    """The store of *home*; None where there is none yet, which a look does not change.

    Raises:
        StoreError: it can't be opened.
    """
    return Reader.open(home.database) if home.database.exists() else None


@contextmanager
def found_run(home: Home, name: str) -> Iterator[tuple[Reader, RunRow]]:
    """The store, open until the end of the block, and the run in it that *name* means.

    Raises:
        UnknownRunError: no run, or several, go by that name.
        StoreError: the store can't be opened.
    """
    store = open_store(home)
    if store is None:
        raise UnknownRunError(f"There is no run {name!r}: nothing has been run yet.")
    with closing(store):
        yield store, store.find_run(name)


def keep_up(home: Home, store: Reader, runs: Iterable[RunRow]) -> None:
    """Start an engine where there is none though one of *runs* goes on, and say so.

    Returns before it does anything: what *store* tells is as of the last write of the one before.
    """
    if all(run.state.final for run in runs) or held(home.lock):
        return
    # Here, since mostly there is nothing to start.
    from runners.engine.starting import start

    heard = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(store.heard()))
    try:
        start(home)
    except OSError as error:
        how = f"and none can be started ({error.strerror or error})"
    else:
        how = "so one has been started"
    output.note(f"No engine was running, {how}; what follows is as of {heard}.")


def add_run(parser: argparse.ArgumentParser) -> None:
    """The argument that names a run."""
    parser.add_argument(
        "run", metavar="RUN", help="the run's id, a unique beginning of it, its name, or `last`"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option for programs."""
    parser.add_argument("--json", action="store_true", help="print JSON; times are seconds since 1970")


def example(parser: argparse.ArgumentParser, about: str, *lines: str) -> None:
    """What the help says first, and the examples it ends with."""
    parser.description = fill(about, WIDTH - 2)
    parser.epilog = "examples:\n" + "\n".join(f"  {line}" for line in lines)
