"""The commands of the command line, one module each, loaded when it is called.

Each module has `configure(parser)`, which describes its arguments, and `execute(args, home)`, which returns
the exit code.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple, Protocol, cast

from runners.config.home import Home


class Verb(NamedTuple):
    """A command, as the list of commands shows it."""

    name: str
    summary: str


VERBS = (
    Verb("demo", "open the dashboard on real work, in a throw-away home"),
    Verb("run", "launch a command on items, or a workflow"),
    Verb("plan", "show what `run` would do, and do nothing"),
    Verb("ps", "list the runs"),
    Verb("show", "show one run: its steps, batches and failures"),
    Verb("tasks", "list the tasks of a run"),
    Verb("logs", "print what tasks have printed"),
    Verb("events", "print the history of a run"),
    Verb("wait", "wait for the end of a run"),
    Verb("cancel", "cancel a run, or one task of it"),
    Verb("retry", "run the failed and unfinished tasks of a run again"),
    Verb("commands", "list what was run on clusters, with the replies"),
    Verb("resource", "list, show, edit and check resources, or connect to one"),
    Verb("profile", "the same for the profiles of a resource"),
    Verb("engine", "look at the engine, or stop it"),
)


class VerbModule(Protocol):
    """What a module of this package offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Describe the arguments of the command to *parser*."""

    def execute(self, args: argparse.Namespace, home: Home) -> int:
        """Carry out the command and return its exit code."""


def load(name: str) -> VerbModule:
    """The module of the command *name*."""
    from importlib import import_module

    return cast("VerbModule", import_module(f"tui.verbs.{name}"))
