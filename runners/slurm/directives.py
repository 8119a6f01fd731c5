"""`#SBATCH` lines: Runyard's own, and what keeps a value in a script from becoming one. Pure.

How sbatch reads them (its opt.c, and tried with 22.05): words are cut at white space that is not quoted; a
backslash takes the meaning of a quote or of itself; an unquoted `#` ends the line; the words of all lines
together are one argument list, where the later of two options wins; lines count up to the first command.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from runners.config.errors import ConfigError, shown
from runners.config.slurm import directive_words
from runners.config.types import has_control
from runners.config.units import parse_duration
from runners.slurm.settings import JobSettings

OUTPUT = "slurm.out"
"""The name of the file, in the batch's folder, that holds what the job itself prints."""

_WHERE = "The submission script can't be written"

_ENDS_A_WORD = re.compile(r"[\s\"'\\#]")
_PLAIN = re.compile(r"[\w/.,:=@%+-]+", re.ASCII)

_WARNING_S = 120
_SHELLS = {"sh", "bash", "dash", "ksh", "mksh", "zsh", "ash"}

_RESERVED = (
    "array chdir error gid help job-name no-requeue open-mode output requeue signal test-only uid usage "
    "version wait wrap"
).split()
_RESERVED_SHORT = re.compile(r"-[HIkKOQsv]*[aDeJohuVW].*", re.DOTALL)
"""The same in one letter, perhaps behind letters of options without an argument."""

_MORE_JOBS = ("hetjob", "packjob")
"""Words that end one job's options and begin another's."""

_OF_OTHERS = ("#PBS", "#BSUB", "#SLURM")
"""Directives that sbatch obeys as well, the first two even behind commands."""


def own_directives(folder: str, time: str | None) -> list[str]:
    """The lines that Runyard relies on, besides the name of the job.

    Args:
        folder: the batch's, absolute; the job's own output goes there.
        time: the time limit of the job, if it is known.

    Raises:
        ConfigError: the folder can't stand there.
    """
    if not folder.startswith("/") or has_control(folder) or "\\" in folder:
        raise ConfigError(
            f"{_WHERE}: SLURM can't write to the folder {shown(folder)}; "
            "it needs an absolute path without backslashes and line breaks."
        )
    # A % stands for a part of the job's id there, unless it is doubled.
    output = posixpath.join(folder, OUTPUT).replace("%", "%%")
    if not _PLAIN.fullmatch(output):
        # A backslash saves a quote from sbatch, but no space.
        output = '"' + output.replace('"', '\\"') + '"'
    return [
        f"#SBATCH --output={output}",
        "#SBATCH --open-mode=append",
        "#SBATCH --requeue",
        f"#SBATCH --signal=B:USR2@{_warning_s(time)}",
    ]


def check_values(settings: JobSettings, account: str | None, worker_init: str | None) -> None:
    """See to it that no value becomes an option, a directive or a program of its own.

    Raises:
        ConfigError: one would, or a line of a person's own sets what Runyard relies on.
    """
    single = {
        name: getattr(settings, name)
        for name in ("partition", "constraint", "gres", "gpus", "time", "exclude", "nodelist")
    }
    single["account"] = settings.account if account is None else account
    faults = [
        (name, "must not hold spaces, quotes, backslashes or #")
        for name, value in single.items()
        if value is not None and _ENDS_A_WORD.search(value)
    ]
    if not _is_shell(settings.shebang_line):
        faults.append(("shebang_line", "must name a POSIX shell, such as #!/bin/sh"))
    faults += _lines_at_fault("extra_lines", settings.extra_lines)
    faults += _lines_at_fault("worker_init", (worker_init or "").split("\n"))
    if faults:
        raise ConfigError.at(_WHERE, faults)


def _warning_s(time: str | None) -> int:
    """Seconds before the time limit at which the worker is told: a short job must have some before that."""
    try:
        return min(_WARNING_S, max(1, parse_duration(time or "") // 4))
    except ValueError:
        return _WARNING_S


def _is_shell(shebang: str) -> bool:
    if not shebang.startswith("#!"):
        return False
    words = [posixpath.basename(word) for word in shebang[2:].split() if not word.startswith("-")]
    return any(word in _SHELLS for word in words[:2])


def _lines_at_fault(field: str, lines: Iterable[str]) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith(_OF_OTHERS):
            faults.append((field, f"must not hold directives of another kind: {shown(line)}"))
        words = dict.fromkeys(filter(_is_reserved, directive_words(line)))
        faults += [(field, f"must not hold {shown(word)}: Runyard sets that itself") for word in words]
    return faults


def _is_reserved(word: str) -> bool:
    if not word.startswith("--"):
        return word in _MORE_JOBS or _RESERVED_SHORT.fullmatch(word) is not None
    # sbatch takes abbreviations; a bare -- would end all options.
    name = word[2:].split("=")[0]
    return any(option.startswith(name) for option in _RESERVED)
