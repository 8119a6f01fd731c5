"""The submission script that a resource makes of a batch: its settings, its Python, and the worker."""

from __future__ import annotations

import functools
import posixpath
from pathlib import Path

import runners.worker
from runners.batches import BatchSpec
from runners.config.resource import SlurmSSHResource, SlurmSudoResource
from runners.slurm.script import ScriptContext, submission_script
from runners.slurm.settings import job_settings

_CACHE = ".cache"
"""Below the jobs folder: what exported paths begin with."""

_PART_BYTES = 64 << 10
_TAIL_BYTES = 64 << 10
"""Of event files and logs, where a part of a file can't be read without all that comes before it."""


def batch_script(
    batch: BatchSpec,
    resource: SlurmSudoResource | SlurmSSHResource,
    jobs_folder: str,
    *,
    whole_reads: bool = False,
) -> bytes:
    """The whole script of *batch*, ready for sbatch.

    Args:
        batch: what is to be run.
        resource: the cluster.
        jobs_folder: where runs get their folders there, absolute.
        whole_reads: a part of a file can't be read there without all that comes before it.

    Raises:
        ConfigError: a value can't stand in a script, or the script is too large.
    """
    context = ScriptContext(
        worker=_worker(),
        python=resource.jobs_slurm_python_worker,
        cache_dir=posixpath.join(jobs_folder, _CACHE),
        part_bytes=_PART_BYTES if whole_reads else 0,
        tail_bytes=_TAIL_BYTES if whole_reads else 0,
    )
    settings = job_settings(resource.jobs_runner_config, batch.meta.for_slurm(), batch.token)
    return submission_script(batch, settings, context)


@functools.cache
def _worker() -> str:
    return Path(runners.worker.__file__).read_text(encoding="utf-8")
