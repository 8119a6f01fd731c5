"""The environment that tasks get: the launcher's own, as sbatch hands it on, without what is secret.

And the one that our own commands and the engine get.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

_SECRET = re.compile(
    r"(KEY|TOKEN|SECRET|PASS|PASSWD|PASSWORD|PASSPHRASE|CREDENTIAL)S?(?![A-Z])|^SSH_AUTH_SOCK$|^XAUTHORITY$",
    re.IGNORECASE,
)
"""Names of variables that may hold, or lead to, what gives others our rights.

Such a word counts at the end of a part of the name: `PGPASSWORD` and `AWS_ACCESS_KEY_ID`, but not
`TOX_TESTENV_PASSENV` or `TOKENIZERS_PARALLELISM`.
"""

_OF_THE_TERMINAL = frozenset({"COLUMNS", "LINES", "OLDPWD", "PWD", "SHLVL", "WINDOWID", "_"})
"""They describe where the launcher sits, not what it wants done."""


_NOT_OURS = ("RUNYARD_", "SLURM_", "SBATCH_", "SQUEUE_", "SACCT_", "SCANCEL_", "SINFO_")


class TaskEnvironment(NamedTuple):
    """Variables for tasks, and the names of those that were left out on purpose."""

    variables: dict[str, str]
    left_out: tuple[str, ...]
    """Sorted."""


def task_environment(environ: Mapping[str, str], export: Collection[str] = ()) -> TaskEnvironment:
    """What tasks get of *environ*.

    Left out without a word: what describes the launcher's terminal, and Runyard's own variables. Left out and
    named: what looks secret or is not UTF-8 text, since the store keeps the environment, unless it is in
    *export*.
    """
    variables: dict[str, str] = {}
    left_out: list[str] = []
    for name, value in environ.items():
        if name in export:
            variables[name] = value
        elif name in _OF_THE_TERMINAL or name.startswith("RUNYARD_"):
            continue
        elif is_secret(name) or not is_text(name + value):
            left_out.append(name)
        else:
            variables[name] = value
    return TaskEnvironment(variables, tuple(sorted(left_out)))


def exported_environment(environ: Mapping[str, str], export: Collection[str]) -> TaskEnvironment:
    """What tasks get of *environ* on a cluster, which has an environment of its own: what is in *export*."""
    return TaskEnvironment({name: environ[name] for name in export}, ())


def own_environment() -> dict[str, str]:
    """Our environment, without what a batch that we may be part of has put there for its own tasks.

    Nor with what would change the meaning of SLURM's commands; SLURM_CONF says which cluster they speak to.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name == "SLURM_CONF" or not name.startswith(_NOT_OURS)
    }


def is_secret(name: str) -> bool:
    """Whether a variable of this name may hold, or lead to, what gives others our rights."""
    return _SECRET.search(name) is not None


def is_text(value: str) -> bool:
    """Whether *value*, from the operating system, is UTF-8 text throughout."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
