"""What is worth a warning about a launch that can be, but hardly as it was meant. One sentence each."""

from __future__ import annotations

import posixpath
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, suppress

from runners.config.home import Home
from runners.store.database import StoreError
from runners.store.reader import Reader
from runners.template import ITEM_NAMES, PATH_NAMES, split
from runners.workflow import Step, TaskType

_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh"})

_FOR_A_SHELL = re.compile(r"\|\|?|&&?|;|<|[0-9]?>.*", re.DOTALL)
"""Words that redirect, join or end commands where a shell reads them."""

_FIND_ACTIONS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
"""Of `find`, which wants to be told by a `;` of its own where such a command ends."""

_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)", re.ASCII)
_ASSIGNED = re.compile(r"\b([A-Za-z_]\w*)=|\b(?:for|read) +([A-Za-z_]\w*)", re.ASCII)

_OF_EVERY_SHELL = frozenset(
    {"HOME", "HOSTNAME", "IFS", "LANG", "LOGNAME", "OLDPWD", "PATH", "PWD", "SHELL", "TMPDIR", "USER"}
)
"""Variables that a shell on a cluster has itself."""


def about_placeholders(step: Step, mentioned: frozenset[str]) -> Iterator[str]:
    """About a command that does, but hardly as was meant; *mentioned* are its placeholders."""
    if step.type is TaskType.PARALLEL and not mentioned.difference({"out_json"}):
        yield (
            f"Step {step.name!r} mentions no placeholder, so all its tasks do the same: "
            "put {item} where the item belongs."
        )
    if step.shell or len(step.command) < 3 or posixpath.basename(step.command[0]) not in _SHELLS:
        return
    option, script = step.command[1:3]
    if option.startswith("-") and option.endswith("c"):
        known = frozenset({*mentioned, *ITEM_NAMES, *PATH_NAMES})
        if any(part.name for part in split(script, known)):
            yield (
                f"Step {step.name!r} puts an item into the text of a shell script, where a name such as "
                "'a; b' is code: use --shell, which never does."
            )


def about_shell_words(step: Step, option: str) -> Iterator[str]:
    """About a word that only a shell would read as more than a word; *option* makes it do so."""
    if step.shell:
        return
    for place, word in enumerate(step.command):
        ends_exec = word == ";" and _FIND_ACTIONS.intersection(step.command[:place])
        if _FOR_A_SHELL.fullmatch(word) and not ends_exec:
            yield (
                f"Step {step.name!r}: {word!r} is handed to the command as it stands; "
                f"with {option} the command is a line for a shell."
            )
            return


def about_variables(step: Step, environ: Mapping[str, str], exported: Collection[str]) -> Iterator[str]:
    """About a script that uses variables of *environ* which a cluster, with one of its own, does not get."""
    if not step.shell:
        return
    (script,) = step.command
    used = set(_VARIABLE.findall(script)).intersection(environ).difference(exported, _OF_EVERY_SHELL)
    used.difference_update(*_ASSIGNED.findall(script))
    needed = sorted(name for name in used if not name.startswith("SLURM_"))
    if needed:
        yield (
            f"Step {step.name!r} uses {', '.join(f'${name}' for name in needed)}, which the cluster does not "
            f"get from here: --export {needed[0]} hands it on."
        )


def about_other_runs(home: Home, resource: str) -> Iterator[str]:
    """About the work of other runs on *resource*. Reads the store, and blocks."""
    if not home.database.exists():
        return
    # A store that can't be used is told of when something is to be written to it.
    with suppress(StoreError, sqlite3.Error), closing(Reader.open(home.database)) as store:
        running = sum(run.counts.running for run in store.live_runs() if run.resource == resource)
        if running:
            tasks = "1 task of another run is" if running == 1 else f"{running:,} tasks of other runs are"
            yield f"{tasks} running here now: all share the machine."
