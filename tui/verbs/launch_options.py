"""The arguments that `run` and `plan` share, and what they are in the words of `runners.launching`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runners.config.errors import AbsentError
from runners.config.home import Home
from tui.failure import ExitCode, Failure
from tui.verbs.resource import make_home

if TYPE_CHECKING:
    from runners.launching import LaunchOptions, Prepared

PLACEHOLDERS = """\
In COMMAND and in the commands of a workflow these stand for the item: {item},
its position {index}, and of a path {name}, {stem} (the name without its last
ending) and {parent}; for a table also every {column}. {args_json} is a file
with the task's arguments as a JSON object, and {out_json} where the task may
leave a JSON result, which `tasks --json` shows. {{x}} is a literal {x}.

In WORKFLOW.json the steps run in order, each when the one before is done:
  {"name": "plates", "steps": [
    {"name": "convert", "command": ["convert", "{item}", "{stem}.png"],
     "meta": {"cpus_per_task": 1, "mem": "2G", "time": "10m"}},
    {"name": "index", "type": "non_parallel", "shell": true,
     "command": "ls *.png > index.txt"}]}
A step of type non_parallel runs once for all items. README.md has the rest."""


def add_launch_options(parser: argparse.ArgumentParser, *examples: str) -> None:
    """The arguments of a launch, and *examples* for the help."""
    parser.usage = (
        f"{parser.prog} [options] [--items GLOB… | --items-from FILE] -- COMMAND…\n"
        f"       {parser.prog} [options] WORKFLOW.json"
    )
    lines = "\n".join(f"  {line}" for line in examples)
    parser.epilog = f"{PLACEHOLDERS}\n\nexamples:\n{lines}"
    parser.set_defaults(takes_command=True)
    parser.add_argument("workflow", metavar="WORKFLOW.json", nargs="*", help="a workflow of several steps")
    items = parser.add_argument_group("items (without any, a command runs once)")
    items.add_argument(
        "--items",
        metavar="GLOB",
        nargs="+",
        action="extend",
        default=[],
        help="files and folders; ** stands for any number of folders",
    )
    items.add_argument(
        "--items-from",
        "--dataset",
        metavar="FILE",
        help="a line for each item, or a .csv or .jsonl table; - is standard input",
    )
    items.add_argument("-0", "--null", action="store_true", help="the items in FILE end with NUL characters")
    where = parser.add_argument_group("where")
    where.add_argument("--resource", default="local", metavar="R", help="the resource (default: local)")
    where.add_argument("--profile", metavar="P", help="the profile on it")
    where.add_argument(
        "--workdir",
        metavar="DIR",
        help="where tasks start (default: the current folder; over SSH the run's own, on the cluster)",
    )
    where.add_argument(
        "--folder",
        metavar="DIR",
        help="the folder that the run's own is made in (default: the resource's folder for jobs)",
    )
    where.add_argument("--name", metavar="N", help="a name for the run")
    needs = parser.add_argument_group("what each task needs, in place of what the steps of a workflow say")
    add_needs(needs)
    needs.add_argument("--slots", type=int, metavar="S", help="how many tasks of a batch run at a time")
    needs.add_argument(
        "--tasks-per-job",
        type=int,
        metavar="N",
        help="how many tasks share a batch; on SLURM together with --slots",
    )
    parser.add_argument(
        "--shell",
        action="store_true",
        help="COMMAND is a line for /bin/sh; items are still never read as code",
    )
    parser.add_argument(
        "--export",
        metavar="NAME",
        action="append",
        default=[],
        help="hand on this environment variable though its name looks secret",
    )


def add_needs(group: argparse._ArgumentGroup) -> None:
    """The options for what each task is given, whatever its step says."""
    group.add_argument("--cpus", type=int, metavar="C", help="CPUs")
    group.add_argument("--mem", metavar="M", help="memory: 500M, 4G (1G is 1000 MB)")
    group.add_argument(
        "--time", metavar="T", help="the time it may take: 90s, 5m, 2h, 1:30:00; a number is minutes"
    )


def prepared_launch(args: argparse.Namespace, home: Home) -> Prepared:
    """The launch that *args* describe, checked; nothing is started.

    Raises:
        Failure: it can't be.
        ConfigError: the home can't be made.
    """
    from runners.launching import LaunchError, prepare

    options = _options(args)
    make_home(home)
    try:
        return prepare(options, home, stdin=sys.stdin.buffer)
    except LaunchError as error:
        absent = isinstance(error.__cause__, AbsentError)
        raise Failure(str(error), ExitCode.NOT_FOUND if absent else ExitCode.BAD_INPUT) from error


def _options(args: argparse.Namespace) -> LaunchOptions:
    from runners.launching import LaunchOptions

    words: list[str] = args.workflow
    if not words and not args.command and args.items and args.items[-1].endswith(".json"):
        raise Failure(
            f"--items takes all the words behind it, also {args.items[-1]!r}: put a workflow before it "
            f"(`runyard run {args.items[-1]} --items …`), or a command behind --."
        )
    if len(words) > 1 or (words and not args.command and not words[0].endswith(".json")):
        raise Failure(
            f"A command goes behind -- (`runyard run -- {' '.join(words)}`); a workflow is one .json file."
        )
    return LaunchOptions(
        command=args.command,
        shell=args.shell,
        workflow=Path(words[0]) if words else None,
        items=tuple(args.items),
        items_from=args.items_from,
        nuls=args.null,
        resource=args.resource,
        profile=args.profile,
        name=args.name,
        cpus=args.cpus,
        mem=args.mem,
        time=args.time,
        slots=args.slots,
        tasks_per_job=args.tasks_per_job,
        export=tuple(args.export),
        workdir=None if args.workdir is None else Path(args.workdir),
        folder=None if args.folder is None else Path(args.folder),
    )
