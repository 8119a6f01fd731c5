"""A profile: who we are on a resource, in the reference system's schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runners.config.errors import ConfigError, faulty_fields
from runners.config.types import AbsolutePath, Text

_NAME = (
    "The name of the profile for the reference system; Runyard itself goes by the name of its file. Required."
)
_ONLY_SLURM = "Only profiles of SLURM resources have one; always empty here."
_ONLY_SSH = "Only profiles of slurm_ssh resources have one; always empty here."


class LocalProfile(BaseModel):
    """Ourselves, on this machine."""

    model_config = ConfigDict(frozen=True)

    resource_type: Annotated[Literal["local"], Field(description="The kind of resource it is for.")]
    name: Annotated[Text, Field(description=_NAME)]
    username: Annotated[None, Field(description=_ONLY_SLURM)] = None
    ssh_key_path: Annotated[None, Field(description=_ONLY_SSH)] = None
    jobs_remote_dir: Annotated[None, Field(description=_ONLY_SSH)] = None
    tasks_remote_dir: Annotated[None, Field(description=_ONLY_SSH)] = None
    pixi_cache_dir: Annotated[None, Field(description=_ONLY_SSH)] = None


class SlurmSudoProfile(BaseModel):
    """The user that commands run as, through sudo."""

    model_config = ConfigDict(frozen=True)

    resource_type: Annotated[Literal["slurm_sudo"], Field(description="The kind of resource it is for.")]
    name: Annotated[Text, Field(description=_NAME)]
    username: Annotated[
        Text, Field(description="The user that submits and owns the jobs, through sudo. Required.")
    ]
    ssh_key_path: Annotated[None, Field(description=_ONLY_SSH)] = None
    jobs_remote_dir: Annotated[None, Field(description=_ONLY_SSH)] = None
    tasks_remote_dir: Annotated[None, Field(description=_ONLY_SSH)] = None
    pixi_cache_dir: Annotated[None, Field(description=_ONLY_SSH)] = None


class SlurmSSHProfile(BaseModel):
    """The user and key that log in to the cluster, and the folders there."""

    model_config = ConfigDict(frozen=True)

    resource_type: Annotated[Literal["slurm_ssh"], Field(description="The kind of resource it is for.")]
    name: Annotated[Text, Field(description=_NAME)]
    username: Annotated[Text, Field(description="The user to log in as on the cluster. Required.")]
    ssh_key_path: Annotated[
        AbsolutePath,
        Field(description="The private key to log in with, as an absolute path on this machine. Required."),
    ]
    jobs_remote_dir: Annotated[
        AbsolutePath,
        Field(description="Folder on the cluster for what runs write, as an absolute path. Required."),
    ]
    tasks_remote_dir: Annotated[
        AbsolutePath,
        Field(description="Folder on the cluster for installed tasks, as an absolute path. Required."),
    ]
    pixi_cache_dir: Annotated[
        AbsolutePath | None,
        Field(
            description="Folder on the cluster for pixi's cache, as an absolute path. "
            "Empty (the default): pixi's own choice."
        ),
    ] = None


Profile: TypeAlias = LocalProfile | SlurmSudoProfile | SlurmSSHProfile

PROFILE_TYPES: Mapping[str, type[Profile]] = {
    "local": LocalProfile,
    "slurm_sudo": SlurmSudoProfile,
    "slurm_ssh": SlurmSSHProfile,
}


def parse_profile(data: object, where: str = "The profile") -> Profile:
    """The profile that a JSON document holds; keys that do not belong to it are dropped.

    Raises `ConfigError`, whose sentence begins with `where`.
    """
    if not isinstance(data, dict):
        raise ConfigError.at(where, [("", "it must be a JSON object")])
    kind = data.get("resource_type")
    model = PROFILE_TYPES.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise ConfigError.at(where, [("resource_type", f"must be one of {', '.join(PROFILE_TYPES)}")])
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError.at(where, faulty_fields(error)) from error


def refuse_other_kind(profile: Profile, kind: str, where: str = "The profile") -> None:
    """Refuse a profile for a resource of that kind, if it is for another one.

    Raises `ConfigError`, whose sentence begins with `where`.
    """
    if profile.resource_type != kind:
        raise ConfigError.at(where, [("resource_type", f"must be {kind}, like its resource")])
