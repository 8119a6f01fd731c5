"""`runyard commands`: what was run on the resources."""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import asdict

from runners.config.home import Home
from runners.store.reader import Reader
from runners.store.rows import CommandRow
from tui import output
from tui.command_words import failed, place_words, reply_words, result_sign, took_words
from tui.failure import ExitCode, Failure
from tui.output import Column
from tui.verbs.opening import add_json, example, open_store
from tui.verbs.resource import refuse_unknown

_NEWEST = 50
"""How many are listed, unless all are asked for."""

_LOOK_S = 0.5
"""Between two looks for more."""

_COLUMNS = (
    Column("time"),
    Column("result"),
    Column("took", "right"),
    Column("on", stretches=True),
    Column("command", stretches=True),
    Column("reply", stretches=True),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        f"List the commands that were run on clusters, as one would type them there, the {_NEWEST} newest "
        "last. In JSON they come with all that is kept of their replies. Work on this machine needs none.",
        "runyard commands --resource uzh --failed",
        "runyard commands -f",
        "runyard commands --json | jq -r '.[] | select(.seconds > 5) | .command'",
    )
    parser.add_argument("--resource", metavar="R", help="only those run on this resource")
    parser.add_argument("--profile", metavar="P", help="only those run as this profile of it")
    parser.add_argument("--failed", action="store_true", help="only those that failed or gave no answer")
    parser.add_argument("-a", "--all", action="store_true", help="list all that are kept")
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on with those to come; JSON is then one object a line"
    )
    add_json(parser)


def execute(args: argparse.Namespace, home: Home) -> int:
    """List them."""
    if args.profile is not None and args.resource is None:
        raise Failure("--profile goes with --resource, which it is a profile of.")
    if args.resource is not None:
        refuse_unknown(home, args.resource)
    store = open_store(home)
    if store is None:
        if args.follow:
            raise Failure("There is nothing to follow: nothing has been run yet.")
        return _list([], args)
    with closing(store):
        # Before the rows: what comes while they are read and printed is news then.
        seen = store.data_version()
        rows = _wanted(store, args, 0)
        if not args.follow:
            return _list(rows, args)
        _follow(store, rows, seen, args)
    return ExitCode.OK


def _wanted(store: Reader, args: argparse.Namespace, after: int) -> list[CommandRow]:
    places = _places(store, args)
    return [
        row
        for row in store.commands(after)
        if (places is None or place_words(row.place) in places) and (failed(row) or not args.failed)
    ]


def _places(store: Reader, args: argparse.Namespace) -> Collection[str] | None:
    """Where the resource and the profile are; None for everywhere."""
    if args.resource is None:
        return None
    return {
        place_words(row.place)
        for row in store.places()
        if row.resource == args.resource and args.profile in (None, row.profile)
    }


def _list(rows: Sequence[CommandRow], args: argparse.Namespace) -> int:
    if args.json:
        output.array(map(asdict, rows))
        return ExitCode.OK
    shown = rows if args.all else rows[-_NEWEST:]
    if not rows:
        output.line(f"No command {'failed' if args.failed else 'was run'}{_where(args)}.")
        return ExitCode.OK
    if len(shown) < len(rows):
        output.line(f"{len(rows) - len(shown):,} older ones: runyard commands --all")
    output.table(
        _COLUMNS,
        [
            (
                _clock(row),
                _result(row),
                took_words(row),
                place_words(row.place),
                row.command,
                reply_words(row),
            )
            for row in shown
        ],
    )
    return ExitCode.OK


def _where(args: argparse.Namespace) -> str:
    if args.resource is None:
        return " on a cluster so far"
    return f" on {args.resource}" + (f" as {args.profile}" if args.profile else "") + " so far"


def _follow(store: Reader, rows: Sequence[CommandRow], seen: int, args: argparse.Namespace) -> None:
    """Print rows as they come, until somebody interrupts it; *seen* is the store's version before *rows*."""
    rows = rows[-_NEWEST:]
    after = rows[-1].id if rows else 0
    while True:
        for row in rows:
            after = row.id
            if args.json:
                output.data(asdict(row))
            else:
                _print(row)
        output.flush()
        while (now := store.data_version()) == seen:
            time.sleep(_LOOK_S)
        seen = now
        rows = _wanted(store, args, after)


def _print(row: CommandRow) -> None:
    output.line(f"{_clock(row)}  {_result(row)}  {took_words(row)}  {place_words(row.place)}  {row.command}")
    if failed(row) and (reply := reply_words(row)):
        output.line(f"    {reply}")


def _clock(row: CommandRow) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.time))


def _result(row: CommandRow) -> str:
    shown = result_sign(row)
    return f"{shown.glyph} {shown.word}"
