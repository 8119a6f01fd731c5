"""Resources and profiles of clusters that need not be there."""

from pathlib import Path
from typing import Any, Literal

from runners.config.files import add_resource, write_profile
from runners.config.home import Home
from runners.config.profile import parse_profile
from runners.config.resource import parse_resource


def add_cluster(
    home: Home,
    name: str,
    kind: Literal["slurm_sudo", "slurm_ssh"],
    *,
    host: str = "cluster.invalid",
    user: str = "nobody",
    key: Path = Path("/nonesuch/key"),
    **others: Any,
) -> None:
    """Add a SLURM resource with the profile `me`."""
    version = {"default_version": "3.12", "versions": {"3.12": "/usr/bin/python3.12"}}
    resource = {
        "type": kind,
        "name": name,
        "tasks_python_config": version,
        "tasks_pixi_config": {},
        "tasks_local_dir": str(home.jobs.parent / "tasks"),
        "jobs_local_dir": str(home.jobs),
        "jobs_slurm_python_worker": "/usr/bin/python3",
        "jobs_runner_config": {
            "default_slurm_config": {"partition": "main", "cpus_per_task": 1, "mem": 100},
            "batching_config": {
                "target_num_jobs": 2,
                "max_num_jobs": 4,
                "target_cpus_per_job": 4,
                "max_cpus_per_job": 8,
                "target_mem_per_job": 4000,
                "max_mem_per_job": 8000,
            },
        },
        **({"host": host} if kind == "slurm_ssh" else {}),
        **others,
    }
    add_resource(home.resources, name, parse_resource(resource))
    profile: dict[str, Any] = {"resource_type": kind, "name": "me", "username": user}
    if kind == "slurm_ssh":
        profile |= {"ssh_key_path": str(key), "jobs_remote_dir": "/jobs", "tasks_remote_dir": "/tasks"}
    write_profile(home.resources, name, "me", parse_profile(profile), None)
