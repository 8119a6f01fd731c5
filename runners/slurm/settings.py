"""What the SLURM jobs of a step ask for: the resource's configuration and the step's wishes, merged. Pure.

The rules are those of the reference system (shared/conformance/README.md, "Merge") with divergences D3 to D6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from runners.config.errors import ConfigError, faulty_fields
from runners.config.slurm import BatchingConfig, RawScriptLine, SlurmRunnerConfig, SlurmTaskConfig
from runners.config.types import Count, Integer, Memory, RawLine

_WHERE = "The SLURM jobs of the step can't be set up"

_NOT_IN_A_NAME = re.compile(r"[ \x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class JobSettings:
    """What every SLURM job of a step asks for, apart from how many of its tasks a job holds."""

    job_name: str
    partition: str
    cpus_per_task: int
    mem_per_task: int
    """MB."""
    shebang_line: str
    use_mem_per_cpu: bool
    needs_gpu: bool
    constraint: str | None
    gres: str | None
    gpus: str | None
    time: str | None
    """Time limit of a job, in SLURM's own words."""
    account: str | None
    exclude: str | None
    nodelist: str | None
    nodes: int | None
    extra_lines: tuple[str, ...]
    exports: Mapping[str, str]
    """Variables with paths relative to the user's cache folder."""
    batching: BatchingConfig
    tasks_per_job: int | None
    """What the step asks for; so with `parallel_tasks_per_job`. The heuristics decide."""
    parallel_tasks_per_job: int | None

    @property
    def mem_per_cpu(self) -> int:
        """MB, rounded up: less would be refused, and 0 would mean the whole node (divergence D7)."""
        return -(-self.mem_per_task // self.cpus_per_task)


def job_settings(config: SlurmRunnerConfig, meta: Mapping[str, Any] | None, task_name: str) -> JobSettings:
    """Merge the configuration of a resource with the `meta` of one step, whose name is *task_name*.

    Keys of *meta* that the reference system does not know are ignored.

    Raises:
        ConfigError: *meta* holds what can't be used, or partition, CPUs or memory are named nowhere. Its
            fields are those of *meta*.
    """
    asked, faults = _read(meta or {})
    task = _merged(config, asked)
    missing = [name for name in ("partition", "cpus_per_task", "mem") if getattr(task, name) is None]
    known = {path.split(".")[0] for path, _ in faults}
    faults += [
        (name, "is missing: neither the step nor the resource gives it")
        for name in missing
        if name not in known
    ]
    if faults or task.partition is None or task.cpus_per_task is None or task.mem is None:
        raise ConfigError.at(_WHERE, faults)
    return JobSettings(
        job_name=_NOT_IN_A_NAME.sub("_", task_name),
        partition=task.partition,
        cpus_per_task=task.cpus_per_task,
        mem_per_task=task.mem,
        shebang_line=task.shebang_line,
        use_mem_per_cpu=task.use_mem_per_cpu,
        needs_gpu=asked.needs_gpu,
        constraint=task.constraint,
        gres=task.gres,
        gpus=task.gpus,
        time=task.time,
        account=task.account,
        exclude=task.exclude,
        nodelist=task.nodelist,
        nodes=task.nodes,
        extra_lines=tuple(without_repeated_directives([*task.extra_lines, *asked.extra_lines])),
        exports=config.user_local_exports,
        batching=config.batching_config,
        tasks_per_job=asked.tasks_per_job,
        parallel_tasks_per_job=asked.parallel_tasks_per_job,
    )


def task_settings(config: SlurmRunnerConfig, meta: Mapping[str, Any]) -> SlurmTaskConfig:
    """What is asked for each task, by the resource and by the *meta* of a step; None for what nobody gives.

    What can't be used of *meta* is left out.
    """
    return _merged(config, _read(meta)[0])


def _merged(config: SlurmRunnerConfig, asked: _Meta) -> SlurmTaskConfig:
    merged = config.default_slurm_config.model_dump(exclude_unset=True)
    if asked.needs_gpu and config.gpu_slurm_config is not None:
        given = config.gpu_slurm_config.model_dump(exclude_unset=True)
        if given.get("mem") is None:
            # Of all nulls in the GPU set this one alone does not clear the default.
            given.pop("mem", None)
        merged |= given
    merged |= asked.model_dump(include=_REPLACING, exclude_none=True)
    return SlurmTaskConfig.model_construct(**merged)


def without_repeated_directives(lines: Iterable[str]) -> list[str]:
    """*lines* without the `#SBATCH` lines that were there before.

    Shell lines stay, repeated or not: two `done` belong to two loops (divergence D5).
    """
    seen: set[str] = set()
    kept = []
    for line in lines:
        if line.startswith("#SBATCH"):
            if line in seen:
                continue
            seen.add(line)
        kept.append(line)
    return kept


def _needs_gpu(value: object) -> object:
    match value.lower() if isinstance(value, str) else value:
        case None | False | "false":
            return False
        case True | "true":
            return True
    raise ValueError("must be true or false")


def _not_null(value: object) -> object:
    if value is None:
        raise ValueError("must not be null; leave it out")
    return value


def _count_as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _no_account(value: object) -> None:
    if value is not None:
        raise ValueError("is not a step's to choose")


class _Meta(BaseModel):
    """The keys of a step's `meta` that bear on SLURM."""

    model_config = ConfigDict(frozen=True)

    needs_gpu: Annotated[bool, BeforeValidator(_needs_gpu)] = False
    cpus_per_task: Annotated[Count | None, BeforeValidator(_not_null)] = None
    mem: Annotated[Memory | None, BeforeValidator(_not_null)] = None
    time: RawLine | None = None
    gres: RawLine | None = None
    gpus: Annotated[RawLine | None, BeforeValidator(_count_as_text)] = None
    constraint: RawLine | None = None
    nodelist: RawLine | None = None
    exclude: RawLine | None = None
    nodes: Integer | None = None
    account: Annotated[Any, AfterValidator(_no_account)] = None
    extra_lines: list[RawScriptLine] = []
    tasks_per_job: Count | None = None
    parallel_tasks_per_job: Count | None = None


_REPLACING = {
    "cpus_per_task",
    "mem",
    "time",
    "gres",
    "gpus",
    "constraint",
    "nodelist",
    "exclude",
    "nodes",
}
"""Keys of `meta` that go before the configuration's own."""


def _read(meta: Mapping[str, Any]) -> tuple[_Meta, list[tuple[str, str]]]:
    """What can be used of *meta*, and the faults of the rest."""
    try:
        return _Meta.model_validate(meta), []
    except ValidationError as error:
        faults = faulty_fields(error)
    bad = {path.split(".")[0] for path, _ in faults}
    return _Meta.model_validate({key: value for key, value in meta.items() if key not in bad}), faults
