"""What the launch form says in fields that are empty, and the names that it offers. Imports no textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from runners.config.errors import ConfigError
from runners.config.files import list_profiles, list_resources, read_resource
from runners.config.home import Home
from runners.config.local import LocalRunnerConfig
from runners.config.resource import Resource
from runners.config.slurm import SlurmRunnerConfig
from runners.config.units import format_duration, format_mb, parse_duration
from runners.slurm.settings import task_settings
from runners.workflow import StepMeta
from tui.text import fit, plain

_LONGEST = 24
"""Cells of a hint in half a line of 80."""

_HERE: Final = {"workdir": "empty: the current one", "folder": "empty: where all runs of this machine go"}

_OF: Final[Mapping[Literal["local", "slurm_sudo", "slurm_ssh"], Mapping[str, str]]] = {
    "local": _HERE,
    "slurm_sudo": {**_HERE, "folder": "empty: runyard, in the profile user's home"},
    "slurm_ssh": {
        "workdir": "empty: the run's own, on the cluster",
        "folder": "empty: the folder for jobs of the profile",
    },
}
"""By the kind of the resource: what becomes of a folder that is not named."""


_EXAMPLES: Final = {
    "cpus": "e.g. 2",
    "mem": "e.g. 4G",
    "time": "e.g. 90m",
    "slots": "e.g. 4",
    "tasks_per_job": "tasks",
}
"""What may stand in the fields for what each task needs."""

_ANY: Final = {**_HERE, **_EXAMPLES, "profile": ""}
"""As long as no resource is known."""

_MISSING = ""
"""What becomes of an empty field that must not be empty."""


@dataclass(frozen=True, slots=True)
class Hints:
    """For one resource, as it is named in the form."""

    texts: Mapping[str, str] = field(default_factory=lambda: _ANY)
    """What stands in a field as long as it is empty, by the name of the field."""
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What a field may hold, where that can be listed."""


def hints(home: Home, resource: str, steps: Sequence[StepMeta]) -> Hints:
    """The hints for the resource with this name, which may be none. Reads files, and blocks.

    *steps* is what each step asks for; none where that is not known.
    """
    try:
        names = {"resource": [found.name for found in list_resources(home.resources)]}
        there = read_resource(home.resources, resource).value
        profiles = [found.name for found in list_profiles(home.resources, resource)]
    except ConfigError:
        # What is wrong is said where the plan is.
        return Hints()
    texts = {**_OF[there.type], "profile": _profile(there.type, profiles), **_needs(there, steps)}
    return Hints(texts, {**names, "profile": profiles})


def _needs(resource: Resource, steps: Sequence[StepMeta]) -> dict[str, str]:
    """What becomes of the fields for what each task needs while they are empty."""
    config = resource.jobs_runner_config
    if isinstance(config, LocalRunnerConfig):
        of_steps = [_here(config, step) for step in steps]
    else:
        of_steps = [_on_slurm(config, step) for step in steps]
    texts = {}
    for key, example in _EXAMPLES.items():
        found = {empty[key] for empty in of_steps}
        empty = found.pop() if len(found) == 1 else "by step"
        told = "must be given" if empty == _MISSING else f"empty: {empty}"
        texts[key] = f"{example}; {told}"
    return texts


def _here(config: LocalRunnerConfig, step: StepMeta) -> dict[str, str]:
    slots = step.parallel_tasks_per_job or config.parallel_tasks_per_job
    unlimited = "what fits" if step.cpus_per_task or step.mem else "all at once"
    return {
        "cpus": str(step.cpus_per_task or 1),
        "mem": format_mb(step.mem) if step.mem else "no limit",
        "time": format_duration(step.time) if step.time else "no limit",
        "slots": str(slots or unlimited),
        "tasks_per_job": "all",
    }


def _on_slurm(config: SlurmRunnerConfig, step: StepMeta) -> dict[str, str]:
    task = task_settings(config, step.for_slurm())
    return {
        "cpus": str(task.cpus_per_task or _MISSING),
        "mem": format_mb(task.mem) if task.mem else _MISSING,
        "time": format_duration(step.time) if step.time else _time_of_job(task.time),
        "slots": str(step.parallel_tasks_per_job or "what fits"),
        "tasks_per_job": str(step.tasks_per_job or "what fits"),
    }


def _time_of_job(limit: str | None) -> str:
    """What stands for the limit of each task where only the job that they share has one."""
    if limit is None:
        return "what the partition allows"
    try:
        limit = format_duration(parse_duration(limit))
    except ValueError:
        # SLURM may know what it means.
        pass
    return f"{fit(plain(limit), 14)} for a whole job"


def _profile(kind: str, profiles: Sequence[str]) -> str:
    match profiles:
        case []:
            return "none is needed" if kind == "local" else "there is none yet"
        case [only] if kind != "local":
            return fit(plain(f"empty: {only}"), _LONGEST)
    return fit(plain(", ".join(profiles)), _LONGEST)
