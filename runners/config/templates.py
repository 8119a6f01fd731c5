"""Documents to begin a new resource or profile with: what holds on most systems is there, what only a person
can know is absent."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from runners.config.home import Home
from runners.config.profile import PROFILE_TYPES
from runners.config.resource import RESOURCE_TYPES

_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
"""Of the user, in the order in which ssh prefers them."""


def new_resource_document(kind: str, home: Home) -> dict[str, object]:
    """What a new resource of that kind begins with. A local one is valid once it has a name.

    Required groups are there, so that what is missing is a field and not a whole group. Raises `ValueError`
    for a kind that there is not.
    """
    if kind not in RESOURCE_TYPES:
        raise ValueError(f"There is no kind of resource {kind!r}.")
    document = new_local_document(home.jobs)
    if kind == "local":
        return document
    document["type"] = kind
    if kind == "slurm_ssh":
        # Of the cluster, which nobody has seen yet.
        document["tasks_python_config"] = {"versions": {}}
    else:
        # They are for other users too, who can't enter a home.
        del document["tasks_local_dir"], document["jobs_local_dir"]
    document["jobs_runner_config"] = {
        "default_slurm_config": {"cpus_per_task": 1, "mem": "4G"},
        "batching_config": {
            "target_num_jobs": 20,
            "max_num_jobs": 100,
            "target_cpus_per_job": 8,
            "max_cpus_per_job": 32,
            "target_mem_per_job": "32G",
            "max_mem_per_job": "128G",
        },
    }
    return document


def new_local_document(jobs: Path) -> dict[str, object]:
    """What a new local resource begins with: this Python, a slot for each usable core, files at `jobs`."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {
        "type": "local",
        "tasks_python_config": {
            "default_version": version,
            "versions": {version: os.path.normpath(sys.executable)},
        },
        "tasks_pixi_config": {},
        "tasks_local_dir": str(jobs.parent / "tasks"),
        "jobs_local_dir": str(jobs),
        "jobs_runner_config": {"parallel_tasks_per_job": len(os.sched_getaffinity(0))},
    }


def new_profile_document(kind: str) -> dict[str, object]:
    """What a new profile for a resource of that kind begins with. Raises `ValueError` for an unknown kind."""
    if kind not in PROFILE_TYPES:
        raise ValueError(f"There is no kind of profile {kind!r}.")
    document: dict[str, object] = {"resource_type": kind}
    if kind == "slurm_ssh":
        folder = Path(os.path.expanduser("~")) / ".ssh"
        key = next((folder / name for name in _KEYS if (folder / name).is_file()), None)
        if key is not None and key.is_absolute():
            document["ssh_key_path"] = str(key)
    return document
