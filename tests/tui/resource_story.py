"""Resources and profiles as a site has them, with nothing of this machine in them."""

from __future__ import annotations

from typing import Any

from runners.config.documents import add_document
from runners.config.home import Home

ALPS: dict[str, Any] = {
    "type": "slurm_ssh",
    "name": "Alps",
    "host": "login.alps.example",
    "jobs_slurm_python_worker": "/usr/bin/python3.11",
    "jobs_runner_config": {
        "default_slurm_config": {"partition": "main", "cpus_per_task": 2, "mem": "4G", "time": "8:00:00"},
        "gpu_slurm_config": {"partition": "gpu", "gres": "gpu:a100:1", "extra_lines": ["module load cuda"]},
        "batching_config": {
            "target_num_jobs": 20,
            "max_num_jobs": 100,
            "target_cpus_per_job": 16,
            "max_cpus_per_job": 64,
            "target_mem_per_job": "64G",
            "max_mem_per_job": "256G",
        },
        "user_local_exports": {"CELLPOSE_LOCAL_MODELS_PATH": "cellpose"},
    },
    "tasks_python_config": {
        "default_version": "3.12",
        "versions": {"3.11": "/usr/bin/python3.11", "3.12": "/usr/bin/python3.12"},
    },
    "tasks_pixi_config": {},
    "tasks_local_dir": "/srv/runyard/tasks",
    "jobs_local_dir": "/srv/runyard/jobs",
}

MIRA = {
    "resource_type": "slurm_ssh",
    "name": "mira",
    "username": "mira",
    "ssh_key_path": "/home/mira/.ssh/id_ed25519",
    "jobs_remote_dir": "/scratch/mira/runyard",
    "tasks_remote_dir": "/scratch/mira/tasks",
}


def tell(home: Home) -> None:
    """Two clusters over SSH, one through sudo with two profiles, and one that is broken."""
    folder = home.resources
    add_document(folder, "alps", None, ALPS)
    add_document(folder, "alps", "mira", MIRA)
    add_document(folder, "etna", None, {**ALPS, "name": "Etna", "host": "etna.example"})
    add_document(folder, "etna", "mira", MIRA)
    sudo = {key: value for key, value in ALPS.items() if key != "host"}
    runner = {**ALPS["jobs_runner_config"], "gpu_slurm_config": None}
    paused = {"prevent_new_submissions": True, "jobs_runner_config": runner}
    add_document(folder, "uzh", None, {**sudo, **paused, "type": "slurm_sudo", "name": "UZH"})
    for user in ("bob", "mira"):
        profile = {"resource_type": "slurm_sudo", "name": user, "username": user}
        add_document(folder, "uzh", user, profile)
    (folder / "old").mkdir()
    (folder / "old" / "resource.json").write_text('{"type": "slurm"}')
