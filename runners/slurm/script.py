"""The submission script of a batch: it carries the worker and the tasks, so a cluster needs nothing. Pure.

The script goes to sbatch's standard input. On the node it writes what it carries into the batch's folder and
becomes the worker.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass, replace

from runners.batches import BatchSpec
from runners.config.errors import ConfigError
from runners.config.types import has_control
from runners.config.units import format_duration, parse_duration
from runners.slurm.directives import check_values, own_directives
from runners.slurm.job_time import job_time_s
from runners.slurm.preamble import preamble
from runners.slurm.settings import JobSettings
from runners.slurm.shares import step_options
from runners.worker_files import worker_files

LARGEST_SCRIPT = 4 << 20
"""Bytes; what slurmctld takes unless its `max_script_size` says otherwise."""

_WHERE = "The submission script can't be written"

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,64}")

_HEARTBEAT_S = 15.0
_CONTROL_POLL_S = 2.0

_HEAD = """\
# From here on it is Runyard's: the worker and the tasks of this batch, and the start of the worker.
# Steps say themselves what they need, and inherit what this shell has.
unset SLURM_CPUS_PER_TASK SLURM_MEM_PER_CPU SLURM_MEM_PER_GPU SLURM_MEM_PER_NODE SLURM_TRES_PER_TASK
unset SLURM_EXPORT_ENV SLURM_TIME_FORMAT
# sbatch was run with this one so that its answer can be read.
test "${{LC_ALL-}}" != C || unset LC_ALL
runyard_folder={folder}
runyard_python={python}
runyard_draft=$runyard_folder/draft.${{SLURM_JOB_ID:-0}}.$$
runyard_give_up() {{
    printf 'Runyard: %s (node %s)\\n' "$1" "$(uname -n)" >&2
    exit 1
}}
# Whole or not at all: another job of this batch may be reading.
runyard_write() {{
    cat >"$runyard_draft" && mv -f "$runyard_draft" "$runyard_folder/$1" || {{
        rm -f "$runyard_draft"
        return 1
    }}
}}
command -v "$runyard_python" >/dev/null 2>&1 ||
    runyard_give_up "There is no $runyard_python here; set the Python of the resource to one that nodes have."
runyard_umask=$(umask)
umask 077
mkdir -p "$runyard_folder" || runyard_give_up "The folder $runyard_folder can't be made."
"""

_OWN = _HEAD.partition(":")[0]
"""How the line begins behind which nothing is people's or the configuration's own any more."""

_TAIL = """\
umask "$runyard_umask"
# exec, so that the warning before the time limit reaches the worker.
exec "$runyard_python" -I -S "$runyard_folder/worker.py" coordinate "$runyard_folder"
"""


@dataclass(frozen=True, slots=True)
class ScriptContext:
    """What all submission scripts of a resource and a profile share."""

    worker: str
    """The source of the worker."""
    python: str
    """The Python (3.6 or later) that runs the worker on the nodes; absolute, or a name on their PATH."""
    cache_dir: str
    """The user's cache folder, which exported paths begin with."""
    account: str | None = None
    """Who is charged, instead of the configuration's account."""
    worker_init: str | None = None
    """Shell text of the user's own, put before the work."""
    part_bytes: int = 0
    """Where event files are cut, for readers that can't skip their beginning; 0: never."""
    tail_bytes: int = 0
    """Of the end of a large log that is kept beside it, for the same readers; 0: none."""


def submission_script(batch: BatchSpec, settings: JobSettings, context: ScriptContext) -> bytes:
    """The whole script of *batch*, ready for sbatch.

    The batch's environment is laid over the one that the job has. If all its tasks have a limit, the job's
    time limit follows from theirs, and replaces the configuration's.

    Raises:
        ConfigError: a value can't stand in a script, or the script is too large.
    """
    if not _TOKEN.fullmatch(batch.token):
        raise ConfigError(f"{_WHERE}: {batch.token!r} is no name for a job.")
    if not context.python or has_control(context.python):
        raise ConfigError(f"{_WHERE}: {context.python!r} is no path of a Python.")
    check_values(settings, context.account, context.worker_init)
    settings = replace(settings, time=_time(batch, settings.time), job_name=batch.token)
    head = preamble(
        settings,
        batch.slots,
        context.cache_dir,
        account=context.account,
        worker_init=context.worker_init,
        directives=own_directives(batch.folder, settings.time),
    )
    files = {"worker.py": context.worker.encode()} | worker_files(
        batch,
        heartbeat_s=_HEARTBEAT_S,
        control_poll_s=_CONTROL_POLL_S,
        agent=agent_command(settings, batch.slots),
        inherit=True,
        memory_mb=settings.mem_per_task,
        part_bytes=context.part_bytes,
        tail_bytes=context.tail_bytes,
    )
    own = _HEAD.format(folder=shlex.quote(batch.folder), python=shlex.quote(context.python))
    script = b"".join(
        (
            "".join(f"{line}\n" for line in head).encode(),
            own.encode("utf-8", "surrogateescape"),
            *(_written(name, content) for name, content in files.items()),
            _TAIL.encode(),
        )
    )
    if len(script) > LARGEST_SCRIPT:
        message = (
            f"puts {len(batch.tasks)} tasks into a script of {len(script) / 1e6:.1f} MB, "
            f"and SLURM takes {LARGEST_SCRIPT / 1e6:.1f} MB; put fewer into a job"
        )
        raise ConfigError.at(_WHERE, [("tasks_per_job", message)])
    return script


def script_head(script: bytes) -> list[str]:
    """The lines of a submission script that people and the configuration have a say in."""
    return script.decode("utf-8", "replace").partition(_OWN)[0].rstrip().splitlines()


def agent_command(settings: JobSettings, slots: int) -> list[str]:
    """What each of the slot agents is started through: a step of its own, with what one task needs."""
    if settings.use_mem_per_cpu:
        memory = f"--mem-per-cpu={settings.mem_per_cpu}M"
    else:
        memory = f"--mem={settings.mem_per_task}M"
    cpus = str(settings.cpus_per_task)
    return ["srun", "--exact", "-N1", "-n1", "-c", cpus, memory, *step_options(settings, slots)]


def _time(batch: BatchSpec, given: str | None) -> str | None:
    """The time limit of the job, by its tasks' limits if all have one, else as *given*."""
    limits = [task.limit_s for task in batch.tasks if task.limit_s is not None]
    if limits and len(limits) == len(batch.tasks):
        return format_duration(job_time_s(len(limits), batch.slots, max(limits)))
    try:
        # SLURM itself refuses forms such as 90m.
        return format_duration(parse_duration(given or ""))
    except ValueError:
        return given


def _written(name: str, content: bytes) -> bytes:
    """The lines that write one file."""
    end = _end_for(content)
    start = f"runyard_write {name} <<'{end}' || runyard_give_up \"{name} can't be written.\"\n"
    return start.encode() + content + end.encode() + b"\n"


def _end_for(content: bytes) -> str:
    """A line that is not in *content*, always the same one for the same content."""
    end = "END_" + hashlib.blake2b(content, digest_size=16).hexdigest()
    while end.encode() in content:
        end = "END_" + hashlib.blake2b(end.encode(), digest_size=16).hexdigest()
    return end
