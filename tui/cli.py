"""The command line: finds the command, and turns what goes wrong into one sentence and an exit code."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from runners.config.errors import AbsentError, ConfigError
from runners.config.home import Home
from runners.store.database import StoreError
from runners.store.reader import UnknownRunError
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs import VERBS, load

_EXIT_CODES = """\
exit codes:
  0  done
  1  the work did not succeed (run --wait, wait, retry --wait), or could not
     where a check has looked (resource check)
  2  bad input: nothing was done
  3  no such run, task, resource or profile
  4  the store or the engine can't be used
  130, 141  interrupted; the reader of the output has gone
"""

_ABOUT = "Runyard: a dashboard for batch work. Without a command it opens the dashboard."


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, which leads to the help of the command that was meant."""

    def error(self, message: str) -> NoReturn:
        raise Failure(f"{message}; `{self.prog} --help` shows how it is used.")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """As argparse does, but a verb that there is not is told as a command is."""
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            known = list(action.choices)
            close = get_close_matches(str(value), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}."
            raise Failure(f"There is no command {f'{self.prog} {value}'!r}; {hint}")
        super()._check_value(action, value)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse does, but what is not known is refused here, not by the parser above."""
        found, strange = super().parse_known_args(args, namespace)
        if strange:
            self.error(f"unrecognized arguments: {' '.join(strange)}")
        return found, strange


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command in *argv* (by default the program's own arguments); returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    output.set_up()
    try:
        code = _carry_out(words)
        sys.stdout.flush()
    except BrokenPipeError:
        output.give_up()
        return ExitCode.READER_GONE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:
        if (failure := _failure(error)) is None:
            raise
        output.note(str(failure))
        return failure.code
    return code


def _carry_out(words: list[str]) -> int:
    if not words or words[0].startswith("-"):
        return _dashboard(words)
    name, *rest = words
    if name not in {verb.name for verb in VERBS}:
        close = get_close_matches(name, [verb.name for verb in VERBS], n=1)
        hint = f"did you mean {close[0]}?" if close else "`runyard --help` lists the commands."
        raise Failure(f"There is no command {name!r}; {hint}")
    verb = load(name)
    parser = _Parser(
        prog=f"runyard {name}", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verb.configure(parser)
    return verb.execute(_parsed(parser, rest), Home.from_environment())


def _parsed(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """The arguments in *words*, whose `command` is what stands behind `--` where the parser takes one."""
    if not parser.get_default("takes_command") or "--" not in words:
        return parser.parse_args(words, argparse.Namespace(command=()))
    at = words.index("--")
    # Not left to argparse, which would look for options in it.
    return parser.parse_args(words[:at], argparse.Namespace(command=tuple(words[at + 1 :])))


def _dashboard(words: list[str]) -> int:
    commands = "\n".join(f"  {verb.name:<10} {verb.summary}" for verb in VERBS)
    parser = _Parser(
        prog="runyard",
        usage="runyard [--read-only] [--run RUN]  |  runyard COMMAND …",
        description=_ABOUT,
        epilog=f"commands (each has --help):\n{commands}\n\n{_EXIT_CODES}",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--read-only", action="store_true", help="open a dashboard that can change nothing")
    parser.add_argument("--run", metavar="RUN", help="open the dashboard on this run")
    args = parser.parse_args(words)
    if args.version:
        from importlib.metadata import version

        output.line(f"runyard {version('runyard')}")
        return ExitCode.OK
    home = Home.from_environment()
    run = None
    if args.run is not None:
        from tui.verbs.opening import found_run

        with found_run(home, args.run) as (_, row):
            run = row.id
    if not (sys.stdin.isatty() and output.to_terminal()):
        raise Failure("The dashboard needs a terminal; `runyard ps` lists the runs without one.")
    from tui.app import run_dashboard

    return run_dashboard(home, read_only=args.read_only, run=run)


def _failure(error: Exception) -> Failure | None:
    """What to tell a person of *error*; None for a defect of ours."""
    match error:
        case Failure():
            return error
        case UnknownRunError() | AbsentError():
            return Failure(str(error), ExitCode.NOT_FOUND)
        case ConfigError():
            return Failure(str(error), ExitCode.BAD_INPUT)
        case StoreError():
            return Failure(str(error), ExitCode.UNAVAILABLE)
        case sqlite3.Error():
            return Failure(f"The store can't be used: {error}.", ExitCode.UNAVAILABLE)
        case OSError():
            what = (
                "The output can't be written" if error.filename is None else f"Cannot use {error.filename!r}"
            )
            return Failure(f"{what} ({error.strerror or error}).", ExitCode.UNAVAILABLE)
    return None
