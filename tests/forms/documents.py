"""Documents that the tests of forms begin with."""

from __future__ import annotations

from typing import Any

SET = ("jobs_runner_config", "default_slurm_config")
GPU = ("jobs_runner_config", "gpu_slurm_config")
MEM = (*SET, "mem")
LINES = (*SET, "extra_lines")
EXPORTS = ("jobs_runner_config", "user_local_exports")
PIXI = ("tasks_pixi_config",)
VERSIONS = ("tasks_python_config", "versions")


def cluster() -> dict[str, Any]:
    """A resource over SSH with something in every group, keys in the schema's order."""
    return {
        "type": "slurm_ssh",
        "name": "cluster",
        "tasks_python_config": {
            "default_version": "3.12",
            "versions": {"3.11": "/usr/bin/python3.11", "3.12": "/usr/bin/python3.12"},
        },
        "tasks_pixi_config": {
            "default_version": "0.54.1",
            "versions": {"0.54.1": "/opt/pixi/0.54.1"},
            "SLURM_CONFIG": {"partition": "main", "cpus": 4, "mem": "4G", "time": "1:00:00"},
        },
        "tasks_local_dir": "/data/tasks",
        "jobs_local_dir": "/data/jobs",
        "jobs_runner_config": {
            "default_slurm_config": {
                "partition": "main",
                "cpus_per_task": 2,
                "mem": "4G",
                "time": "90m",
                "extra_lines": ["module load a", "module load b", "module load c"],
            },
            "gpu_slurm_config": {"partition": "gpu", "gres": "gpu:1"},
            "batching_config": {
                "target_num_jobs": 10,
                "max_num_jobs": 20,
                "target_cpus_per_job": 8,
                "max_cpus_per_job": 16,
                "target_mem_per_job": 32000,
                "max_mem_per_job": "64G",
            },
            "user_local_exports": {"CACHE": "cache", "MODELS": "models"},
        },
        "jobs_slurm_python_worker": "/usr/bin/python3",
        "host": "login.example.org",
    }


def here() -> dict[str, Any]:
    """A resource of this machine, with no pixi."""
    return {
        "type": "local",
        "name": "here",
        "tasks_python_config": {"default_version": "3.12", "versions": {"3.12": "/usr/bin/python3"}},
        "tasks_pixi_config": {},
        "tasks_local_dir": "/data/tasks",
        "jobs_local_dir": "/data/jobs",
        "jobs_runner_config": {"parallel_tasks_per_job": 4},
    }
