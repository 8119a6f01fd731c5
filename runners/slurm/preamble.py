"""The head of a submission script: what the job asks for, and the lines that come before its work. Pure.

The order and the forms are the reference system's (shared/conformance/README.md, "Preamble").
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

from runners.config.errors import ConfigError
from runners.config.slurm import sets_account
from runners.config.types import has_control
from runners.slurm.settings import JobSettings, without_repeated_directives

_WHERE = "The submission script can't be written"


def preamble(
    settings: JobSettings,
    slots: int,
    cache_dir: str,
    *,
    account: str | None = None,
    worker_init: str | None = None,
    directives: Sequence[str] = (),
) -> list[str]:
    """The first lines of the submission script of a job with *slots* tasks at a time.

    Args:
        settings: what the jobs of the step ask for.
        slots: how many tasks run at a time.
        cache_dir: the user's cache folder, which the exported paths begin with.
        account: who is charged; the configuration's account unless given.
        worker_init: shell text of the user's own, put behind the lines of the configuration.
        directives: further `#SBATCH` lines. They come before those of people: an option there that lacks
            its argument would take the next one for it.

    Raises:
        ConfigError: a value would become a line of its own, or *worker_init* chooses an account.
    """
    lines = [] if worker_init is None else worker_init.split("\n")
    control = "must not hold a line break or another control character"
    faults = []
    if account is not None and has_control(account):
        faults.append(("account", control))
    if has_control(cache_dir):
        faults.append(("cache_dir", control))
    if any(has_control(line.replace("\t", " ")) for line in lines):
        faults.append(("worker_init", "must not hold control characters other than line breaks and tabs"))
    if any(map(sets_account, lines)):
        faults.append(("worker_init", "must not set the account"))
    if faults:
        raise ConfigError.at(_WHERE, faults)
    extra = without_repeated_directives([*settings.extra_lines, *lines])
    return [
        settings.shebang_line,
        *(f"#SBATCH --{option}={value}" for option, value in _options(settings, slots, account)),
        *directives,
        *(line for line in extra if line.startswith("#SBATCH")),
        *(line for line in extra if not line.startswith("#SBATCH")),
        *(
            f"export {name}={shlex.quote(str(PurePosixPath(cache_dir, path)))}"
            for name, path in settings.exports.items()
        ),
    ]


def _options(settings: JobSettings, slots: int, account: str | None) -> list[tuple[str, str | int]]:
    memory = (
        ("mem-per-cpu", f"{settings.mem_per_cpu}M")
        if settings.use_mem_per_cpu
        else ("mem", f"{slots * settings.mem_per_task}M")
    )
    optional = [
        ("job-name", settings.job_name),
        ("constraint", settings.constraint),
        ("gres", settings.gres),
        ("gpus", settings.gpus),
        ("time", settings.time),
        ("account", settings.account if account is None else account),
        ("exclude", settings.exclude),
        ("nodelist", settings.nodelist),
        ("nodes", settings.nodes),
    ]
    return [
        ("partition", settings.partition),
        ("ntasks", slots),
        ("cpus-per-task", settings.cpus_per_task),
        memory,
        *((option, value) for option, value in optional if value is not None),
    ]
