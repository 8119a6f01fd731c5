"""A resource: a place that runs work, in the reference system's schema."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from runners.config.errors import ConfigError, faulty_fields
from runners.config.local import LocalRunnerConfig
from runners.config.slurm import SlurmRunnerConfig
from runners.config.types import AbsolutePath, Count, Hint, Integer, Line, Seconds, Text, TimeLimit

PYTHON_VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")


def _python_version(version: str) -> str:
    if version not in PYTHON_VERSIONS:
        raise ValueError(f"is not a Python version from {PYTHON_VERSIONS[0]} to {PYTHON_VERSIONS[-1]}")
    return version


def _memory_with_unit(text: str) -> str:
    if not text.endswith(("K", "M", "G", "T")):
        raise ValueError("must end in K, M, G or T, such as 4G")
    return text


PythonVersion = Annotated[Text, AfterValidator(_python_version), Hint(names=PYTHON_VERSIONS)]

MemoryText = Annotated[Text, AfterValidator(_memory_with_unit)]
"""Memory as text, handed to SLURM as it is."""


class TasksPythonConfig(BaseModel):
    """The Python interpreters that tasks of the reference system are installed with."""

    model_config = ConfigDict(frozen=True)

    default_version: Annotated[
        Text,
        Field(description="The version to use where none is named; one of the versions below. Required."),
    ]
    versions: Annotated[
        dict[PythonVersion, AbsolutePath],
        Field(
            description="The interpreter's absolute path for each version, from 3.9 to 3.15, such as "
            "3.12 with /usr/bin/python3.12. Required."
        ),
    ]
    pip_cache_dir: Annotated[
        AbsolutePath | None, Field(description="The folder of pip's cache. Empty (the default): no cache.")
    ] = None

    @model_validator(mode="after")
    def _default_is_listed(self) -> Self:
        if self.default_version not in self.versions:
            raise ValueError("must have its default_version among its versions")
        return self


class PixiSlurmConfig(BaseModel):
    """What installing a pixi environment asks of SLURM."""

    model_config = ConfigDict(frozen=True)

    partition: Annotated[Line, Field(description="The partition to install on. Required.")]
    cpus: Annotated[Count, Field(description="CPUs for the installation, 1 or more. Required.")]
    mem: Annotated[
        MemoryText | None,
        Field(description="Memory for the installation with its unit (K, M, G or T). This or mem_per_cpu."),
    ] = None
    mem_per_cpu: Annotated[
        MemoryText | None,
        Field(description="Memory for each CPU with its unit (K, M, G or T). This or mem."),
    ] = None
    time: Annotated[
        TimeLimit, Field(description="Time limit, as minutes, hh:mm:ss or days-hh:mm:ss. Required.")
    ]
    preamble: Annotated[
        list[Text], Field(description="Lines added to the head of the installation's script. Default: none.")
    ] = []

    @model_validator(mode="after")
    def _one_memory(self) -> Self:
        if (self.mem is None) == (self.mem_per_cpu is None):
            raise ValueError("must have exactly one of mem and mem_per_cpu")
        return self


class TasksPixiConfig(BaseModel):
    """The pixi installations that tasks of the reference system are installed with."""

    model_config = ConfigDict(frozen=True)

    default_version: Annotated[
        Text,
        Field(description="The version to use where none is named; one of the versions below. Required."),
    ]
    versions: Annotated[
        dict[Text, AbsolutePath],
        Field(
            description="The folder of each version, called like its version; all share one parent folder, "
            "such as 0.54.1 with /opt/pixi/0.54.1. Required."
        ),
    ]
    PIXI_CONCURRENT_SOLVES: Annotated[
        Integer, Field(description="How many environments pixi solves at the same time. Default: 4.")
    ] = 4
    PIXI_CONCURRENT_DOWNLOADS: Annotated[
        Integer, Field(description="How many packages pixi downloads at the same time. Default: 4.")
    ] = 4
    TOKIO_WORKER_THREADS: Annotated[Integer, Field(description="How many threads pixi uses. Default: 2.")] = 2
    DEFAULT_ENVIRONMENT: Annotated[
        Text, Field(description="The pixi environment that tasks run in. Default: default.")
    ] = "default"
    DEFAULT_PLATFORM: Annotated[
        Text, Field(description="The platform that environments are made for. Default: linux-64.")
    ] = "linux-64"
    SLURM_CONFIG: Annotated[
        PixiSlurmConfig | None,
        Field(
            description="What installing an environment asks of SLURM. Required on a slurm_ssh resource; "
            "empty by default."
        ),
    ] = None

    @model_validator(mode="after")
    def _folders_belong_together(self) -> Self:
        if self.default_version not in self.versions:
            raise ValueError("must have its default_version among its versions")
        for version, folder in self.versions.items():
            if posixpath.basename(folder) != version:
                raise ValueError(f"must have folders called like their version, but {version} is in {folder}")
        if len({posixpath.dirname(folder) for folder in self.versions.values()}) > 1:
            raise ValueError("must have all its versions in one parent folder")
        return self


def _pixi_from_json(value: object) -> object:
    if value is None:
        raise ValueError("must be an object ({} for no pixi)")
    return None if value == {} else value


def _pixi_to_json(value: TasksPixiConfig | None) -> object:
    return {} if value is None else value


class _Resource(BaseModel):
    """What all three kinds have; the kinds add their own fields."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[Literal["local", "slurm_sudo", "slurm_ssh"], Field(description="The kind of resource.")]
    name: Annotated[
        Text,
        Field(
            description="The name of the resource for the reference system; Runyard itself goes by the name "
            "of its folder. Required."
        ),
    ]
    tasks_python_config: Annotated[
        TasksPythonConfig,
        Field(description="The Python interpreters that tasks are installed with. Required."),
    ]
    tasks_pixi_config: Annotated[
        TasksPixiConfig | None,
        BeforeValidator(_pixi_from_json),
        PlainSerializer(_pixi_to_json),
        Hint(empty_is_none=True),
        Field(description="The pixi installations that tasks are installed with; {} for none. Required."),
    ]
    tasks_local_dir: Annotated[
        AbsolutePath,
        Field(description="Folder on this machine for installed tasks, as an absolute path. Required."),
    ]
    jobs_local_dir: Annotated[
        AbsolutePath,
        Field(
            description="Folder on this machine for what runs write: arguments, logs and outputs, "
            "as an absolute path. Required."
        ),
    ]
    jobs_poll_interval: Annotated[
        Seconds,
        Field(description="Seconds between two looks at the state of jobs, 0 or more. Default: 5."),
    ] = 5
    prevent_new_submissions: Annotated[
        bool,
        Field(description="Start nothing new on this resource; what runs there goes on. Default: no."),
    ] = False


class LocalResource(_Resource):
    """This machine's own cores."""

    type: Annotated[Literal["local"], Field(description="The kind of resource: this machine.")]
    jobs_runner_config: Annotated[
        LocalRunnerConfig, Field(description="How tasks run on this machine. Required.")
    ]
    jobs_slurm_python_worker: Annotated[
        None, Field(description="Only SLURM resources have one; always empty here.")
    ] = None
    host: Annotated[None, Field(description="Only slurm_ssh resources have one; always empty here.")] = None


class SlurmSudoResource(_Resource):
    """A SLURM cluster that this machine belongs to; commands run as another user through sudo."""

    type: Annotated[
        Literal["slurm_sudo"], Field(description="The kind of resource: SLURM on this machine, through sudo.")
    ]
    jobs_runner_config: Annotated[
        SlurmRunnerConfig, Field(description="How tasks become SLURM jobs. Required.")
    ]
    jobs_slurm_python_worker: Annotated[
        AbsolutePath,
        Field(description="Absolute path of the Python that runs on the compute nodes. Required."),
    ]
    host: Annotated[None, Field(description="Only slurm_ssh resources have one; always empty here.")] = None


class SlurmSSHResource(_Resource):
    """A SLURM cluster that is reached over SSH."""

    type: Annotated[
        Literal["slurm_ssh"], Field(description="The kind of resource: SLURM on another machine, over SSH.")
    ]
    jobs_runner_config: Annotated[
        SlurmRunnerConfig, Field(description="How tasks become SLURM jobs. Required.")
    ]
    jobs_slurm_python_worker: Annotated[
        AbsolutePath,
        Field(description="Absolute path of the Python that runs on the compute nodes. Required."),
    ]
    host: Annotated[
        Text, Field(description="The login node to connect to, as a host name or address. Required.")
    ]

    @model_validator(mode="after")
    def _pixi_can_be_installed(self) -> Self:
        if self.tasks_pixi_config is not None and self.tasks_pixi_config.SLURM_CONFIG is None:
            raise ValueError("tasks_pixi_config must have a SLURM_CONFIG on a slurm_ssh resource")
        return self


Resource: TypeAlias = LocalResource | SlurmSudoResource | SlurmSSHResource

RESOURCE_TYPES: Mapping[str, type[Resource]] = {
    "local": LocalResource,
    "slurm_sudo": SlurmSudoResource,
    "slurm_ssh": SlurmSSHResource,
}


def parse_resource(data: object, where: str = "The resource") -> Resource:
    """The resource that a JSON document holds.

    Keys that do not belong to it are dropped; what was given and what is a default stays known
    (`model_fields_set`), because the merge of SLURM settings depends on it. Raises `ConfigError`, whose
    sentence begins with `where`.
    """
    if not isinstance(data, dict):
        raise ConfigError.at(where, [("", "it must be a JSON object")])
    kind = data.get("type")
    model = RESOURCE_TYPES.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise ConfigError.at(where, [("type", f"must be one of {', '.join(RESOURCE_TYPES)}")])
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError.at(where, faulty_fields(error)) from error
