"""Resources and profiles as they are used: read from their files, checked, and written.

Everything here blocks, briefly: call it from a thread where there is an event loop. What is written imports
into the reference system as it is: only the keys that were given, because its merge of SLURM settings tells
a given null from an absent key. Keys that the schema does not know are lost on the way through a model; a
person edits documents (`runners.config.documents`), which keep them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from runners.config.errors import ConfigError, shown
from runners.config.folders import make_profile, make_resource
from runners.config.json_text import from_json, to_json
from runners.config.places import (
    LOCAL,
    is_there,
    no_profile,
    no_resource,
    profile_names,
    profile_path,
    resource_names,
    resource_path,
)
from runners.config.profile import Profile, parse_profile, refuse_other_kind
from runners.config.resource import Resource, parse_resource
from runners.config.templates import new_local_document
from runners.config.wholefile import fingerprint, write_whole
from runners.config.writing import read_settled, told, writing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A resource or profile as it was read."""

    name: str
    path: Path
    value: T
    fingerprint: str
    """Of the file; a write gives it back, so that an edit made elsewhere meanwhile is noticed."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A resource or profile that is there but cannot be used."""

    name: str
    path: Path
    error: ConfigError
    """Names the file, the field and the reason."""


def list_resources(folder: Path) -> list[Stored[Resource] | Broken]:
    """All resources of the folder, by name; one that is broken does not hide the others.

    A folder that does not exist has none. Raises `ConfigError` when it cannot be read.
    """
    found: list[Stored[Resource] | Broken] = []
    for name in resource_names(folder):
        try:
            found.append(_load_resource(folder, name))
        except ConfigError as error:
            found.append(Broken(name, folder / name / "resource.json", error))
    return found


def list_profiles(folder: Path, resource: str) -> list[Stored[Profile] | Broken]:
    """All profiles of a resource, by name; as `list_resources`, also where the resource itself is broken."""
    found: list[Stored[Profile] | Broken] = []
    for name in profile_names(folder, resource):
        try:
            found.append(_load_profile(folder, resource, name))
        except ConfigError as error:
            path = resource_path(folder, resource).with_name("profiles") / f"{name}.json"
            found.append(Broken(name, path, error))
    return found


def read_resource(folder: Path, name: str) -> Stored[Resource]:
    """The resource `name`. Raises `ConfigError` when there is none, or its file is broken."""
    if not is_there(resource_path(folder, name)):
        raise no_resource(folder, name)
    return _load_resource(folder, name)


def read_profile(folder: Path, resource: str, name: str) -> Stored[Profile]:
    """The profile `name` of a resource. Raises `ConfigError` when there is none, or its file is broken."""
    if not is_there(resource_path(folder, resource)):
        raise no_resource(folder, resource)
    if not is_there(profile_path(folder, resource, name)):
        raise no_profile(folder, resource, name)
    return _load_profile(folder, resource, name)


def add_resource(folder: Path, name: str, resource: Resource) -> None:
    """Write a new resource.

    Raises `ConfigError`, and leaves nothing behind, when there is one of that name or it cannot be written.
    """
    make_resource(folder, name, {"resource.json": _content(resource)})


def write_resource(folder: Path, name: str, resource: Resource, read: str) -> None:
    """Write a resource that was read before, with the fingerprint that it had then.

    Raises `ConfigError` when the file is another one by now, or cannot be written.
    """
    _write(folder, resource_path(folder, name), _content(resource), read)


def write_profile(folder: Path, resource: str, name: str, profile: Profile, read: str | None) -> None:
    """Write a profile, with the fingerprint it had when it was read; None for a new one.

    Raises `ConfigError` when it is for another kind of resource, the file is another one by now (or there is
    one already), or it cannot be written.
    """
    path = profile_path(folder, resource, name)
    refuse_other_kind(profile, read_resource(folder, resource).value.type, shown(path))
    if read is None:
        make_profile(folder, resource, name, _content(profile))
    else:
        _write(folder, path, _content(profile), read)


def ensure_local_resource(folder: Path, data: Path) -> None:
    """Make the resource `local` where there is none: a slot for each usable core, files below `data`.

    One that is there stays as it is, also when it is broken. Raises `ConfigError` when it cannot be made.
    """
    if os.path.exists(folder / LOCAL):
        return
    resource = parse_resource({**new_local_document(data / "jobs"), "name": LOCAL})
    try:
        add_resource(folder, LOCAL, resource)
    except ConfigError:
        # Two may start at once: then the other one has made it.
        if not os.path.exists(folder / LOCAL):
            raise


def _load_resource(folder: Path, name: str) -> Stored[Resource]:
    path = resource_path(folder, name)
    data = read_settled(folder, path, name)
    return Stored(name, path, parse_resource(from_json(data, shown(path)), shown(path)), fingerprint(data))


def _load_profile(folder: Path, resource: str, name: str) -> Stored[Profile]:
    path = profile_path(folder, resource, name)
    data = read_settled(folder, path, name)
    profile = parse_profile(from_json(data, shown(path)), shown(path))
    try:
        kind = _load_resource(folder, resource).value.type
    except ConfigError:
        # A broken resource has its own message; it does not make its profiles broken.
        kind = profile.resource_type
    refuse_other_kind(profile, kind, shown(path))
    return Stored(name, path, profile, fingerprint(data))


def _write(folder: Path, path: Path, content: bytes, read: str) -> None:
    with told(f"Cannot write {shown(path)}"), writing(folder):
        write_whole(path, content, read)


def _content(model: Resource | Profile) -> bytes:
    return to_json(model.model_dump(mode="json", exclude_unset=True))
