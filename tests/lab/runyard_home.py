"""A home for Runyard with the resources `lab-sudo` and `lab-ssh`, ready to be launched on."""

from __future__ import annotations

from runners.config.files import add_resource, ensure_local_resource, write_profile
from runners.config.home import Home
from runners.config.profile import parse_profile
from runners.config.resource import parse_resource
from tests.lab.login import key_file, known_hosts_line, ssh_config
from tests.lab.spec import LabSpec

PROFILE = "lab"
"""The profile of both resources: it acts for the lab's user."""


def make_runyard_home(spec: LabSpec) -> None:
    """Write resources and profiles, and how the host is found."""
    home = Home.at(spec.runyard_home)
    home.make()
    ensure_local_resource(home.resources, home.jobs.parent)
    if spec.root is None:
        _add(home, "lab-sudo", resource(spec, "slurm_sudo"), _sudo_profile(spec))
    _add(home, "lab-ssh", resource(spec, "slurm_ssh"), _ssh_profile(spec))
    (home.config / "ssh_config").write_text(ssh_config(spec))


def know_host(spec: LabSpec) -> None:
    """Write the key that the lab's sshd has to where Runyard looks for it."""
    (Home.at(spec.runyard_home).config / "known_hosts").write_text(known_hosts_line(spec))


def resource(spec: LabSpec, kind: str) -> dict[str, object]:
    """The resource of a kind (`slurm_sudo` or `slurm_ssh`), as its file has it."""
    home = Home.at(spec.runyard_home)
    values: dict[str, object] = {
        "type": kind,
        "name": "lab-sudo" if kind == "slurm_sudo" else "lab-ssh",
        "tasks_python_config": {"default_version": "3.12", "versions": {"3.12": "/usr/bin/python3"}},
        "tasks_pixi_config": {},
        "tasks_local_dir": str(home.jobs.parent / "tasks"),
        "jobs_local_dir": str(home.jobs),
        "jobs_poll_interval": 0,
        "jobs_slurm_python_worker": "/usr/bin/python3",
        "jobs_runner_config": {
            "default_slurm_config": {"partition": "main", "cpus_per_task": 1, "mem": "100M"},
            "gpu_slurm_config": {"partition": "gpu", "gres": "gpu:v100:1"},
            "batching_config": {
                "target_num_jobs": 4,
                "max_num_jobs": 25,
                "target_cpus_per_job": 4,
                "max_cpus_per_job": 8,
                "target_mem_per_job": "2G",
                "max_mem_per_job": "8G",
            },
        },
    }
    return values | ({"host": spec.name} if kind == "slurm_ssh" else {})


def _sudo_profile(spec: LabSpec) -> dict[str, object]:
    return {"resource_type": "slurm_sudo", "name": PROFILE, "username": spec.user}


def _ssh_profile(spec: LabSpec) -> dict[str, object]:
    home = spec.home_of(spec.user)
    return {
        "resource_type": "slurm_ssh",
        "name": PROFILE,
        "username": spec.user,
        "ssh_key_path": str(key_file(spec)),
        "jobs_remote_dir": f"{home}/runyard",
        "tasks_remote_dir": f"{home}/tasks",
    }


def _add(home: Home, name: str, values: dict[str, object], profile: dict[str, object]) -> None:
    add_resource(home.resources, name, parse_resource(values))
    write_profile(home.resources, name, PROFILE, parse_profile(profile), None)
