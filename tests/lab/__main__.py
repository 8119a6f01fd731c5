"""A lab from the command line: `python -m tests.lab up DIR`, `env DIR`, `down DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.lab import Lab, shell_lines


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="bring a lab up")
    up.add_argument("folder", type=Path, metavar="DIR", help="a new folder, reachable for all users")
    up.add_argument("--nodes", type=int, default=4, help="nodes of the partition main (default: 4)")
    up.add_argument("--accounting", action="store_true", help="with slurmdbd and MariaDB")
    up.add_argument("--root", type=Path, help="a debootstrapped system to live in (default: this one)")
    for verb, text in (("down", "take it down without a trace"), ("env", "print what to eval")):
        verbs.add_parser(verb, help=text).add_argument("folder", type=Path, metavar="DIR")
    given = parser.parse_args(arguments)
    try:
        if given.verb == "up":
            Lab.up(given.folder, nodes=given.nodes, accounting=given.accounting, root=given.root).keep()
        elif given.verb == "down":
            Lab.at(given.folder).down()
        else:
            sys.stdout.write(shell_lines(Lab.at(given.folder).environment))
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
