"""Resources and profiles as files: `<resource>/resource.json` and `<resource>/profiles/<profile>.json`.

A resource or profile goes by the name of its folder or file. Everything here blocks, briefly: call it from a
thread where there is an event loop. What is written imports into the reference system as it is: only the keys
that were given, because its merge of SLURM settings tells a given null from an absent key.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from runners.config.errors import ConfigError, shown
from runners.config.profile import Profile, parse_profile
from runners.config.resource import Resource, parse_resource
from runners.config.wholefile import fingerprint, sync_folder, write_whole

LOCAL = "local"
"""The resource that is made on first start."""

_LONGEST_NAME = 200

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
    for name in _names(folder):
        if os.path.isdir(folder / name):
            try:
                found.append(_load_resource(folder, name))
            except ConfigError as error:
                found.append(Broken(name, folder / name / "resource.json", error))
    return found


def list_profiles(folder: Path, resource: str) -> list[Stored[Profile] | Broken]:
    """All profiles of a resource, by name; as `list_resources`, also where the resource itself is broken."""
    found: list[Stored[Profile] | Broken] = []
    profiles = resource_path(folder, resource).with_name("profiles")
    for file in _names(profiles):
        if file.endswith(".json"):
            name = file.removesuffix(".json")
            try:
                found.append(_load_profile(folder, resource, name))
            except ConfigError as error:
                found.append(Broken(name, profiles / file, error))
    return found


def read_resource(folder: Path, name: str) -> Stored[Resource]:
    """The resource `name`. Raises `ConfigError` when there is none, or its file is broken."""
    if not os.path.exists(resource_path(folder, name)):
        raise _absent("resource", name, [found.name for found in list_resources(folder)])
    return _load_resource(folder, name)


def read_profile(folder: Path, resource: str, name: str) -> Stored[Profile]:
    """The profile `name` of a resource. Raises `ConfigError` when there is none, or its file is broken."""
    if not os.path.exists(resource_path(folder, resource)):
        raise _absent("resource", resource, [found.name for found in list_resources(folder)])
    if not os.path.exists(profile_path(folder, resource, name)):
        found = [profile.name for profile in list_profiles(folder, resource)]
        raise _absent(f"profile of the resource {shown(resource)}", name, found)
    return _load_profile(folder, resource, name)


def add_resource(folder: Path, name: str, resource: Resource) -> None:
    """Write a new resource.

    Raises `ConfigError`, and leaves nothing behind, when there is one of that name or it cannot be written.
    """
    target = resource_path(folder, name).parent
    if os.path.exists(target):
        raise ConfigError(f"There is already a resource {shown(name)}, in {shown(target)}.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".", suffix=".tmp", dir=folder))
        try:
            write_whole(unfinished / "resource.json", _to_json(resource), None)
            # Onto a folder with anything in it a rename fails: whoever is first has added it.
            unfinished.rename(target)
        except BaseException:
            shutil.rmtree(unfinished)
            raise
        sync_folder(folder)
    except OSError as error:
        raise ConfigError(
            f"Cannot add the resource in {shown(target)} ({error.strerror or error})."
        ) from error


def write_resource(folder: Path, name: str, resource: Resource, read: str) -> None:
    """Write a resource that was read before, with the fingerprint that it had then.

    Raises `ConfigError` when the file is another one by now, or cannot be written.
    """
    write_whole(resource_path(folder, name), _to_json(resource), read)


def write_profile(folder: Path, resource: str, name: str, profile: Profile, read: str | None) -> None:
    """Write a profile, with the fingerprint it had when it was read; None for a new one.

    Raises `ConfigError` when it is for another kind of resource, the file is another one by now (or there is
    one already), or it cannot be written.
    """
    path = profile_path(folder, resource, name)
    _check_kind(read_resource(folder, resource).value.type, profile, path)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"Cannot make the folder {shown(path.parent)} ({error.strerror or error})."
        ) from error
    write_whole(path, _to_json(profile), read)


def remove_resource(folder: Path, name: str) -> None:
    """Remove a resource with its profiles, broken or not.

    Raises `ConfigError` when there is none, or it cannot be removed.
    """
    target = resource_path(folder, name).parent
    if not os.path.isdir(target):
        raise _absent("resource", name, [found.name for found in list_resources(folder)])
    try:
        # First out of sight in one step: nobody finds half a resource.
        bin_folder = Path(tempfile.mkdtemp(prefix=".", suffix=".tmp", dir=folder))
        target.rename(bin_folder / name)
        shutil.rmtree(bin_folder)
    except OSError as error:
        raise ConfigError(f"Cannot remove {shown(target)} ({error.strerror or error}).") from error


def remove_profile(folder: Path, resource: str, name: str) -> None:
    """Remove a profile, broken or not. Raises `ConfigError` when there is none, or it cannot."""
    path = profile_path(folder, resource, name)
    try:
        path.unlink()
        path.with_name(path.name + "~").unlink(missing_ok=True)
    except FileNotFoundError as error:
        found = [profile.name for profile in list_profiles(folder, resource)]
        raise _absent(f"profile of the resource {shown(resource)}", name, found) from error
    except OSError as error:
        raise ConfigError(f"Cannot remove {shown(path)} ({error.strerror or error}).") from error


def ensure_local_resource(folder: Path, data: Path) -> None:
    """Make the resource `local` where there is none: a slot for each usable core, files below `data`.

    One that is there stays as it is, also when it is broken. Raises `ConfigError` when it cannot be made.
    """
    if os.path.exists(folder / LOCAL):
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    resource = parse_resource(
        {
            "type": "local",
            "name": LOCAL,
            "tasks_python_config": {
                "default_version": version,
                "versions": {version: os.path.normpath(sys.executable)},
            },
            "tasks_pixi_config": {},
            "tasks_local_dir": str(data / "tasks"),
            "jobs_local_dir": str(data / "jobs"),
            "jobs_runner_config": {"parallel_tasks_per_job": len(os.sched_getaffinity(0))},
        }
    )
    try:
        add_resource(folder, LOCAL, resource)
    except ConfigError:
        # Two may start at once: then the other one has made it.
        if not os.path.exists(folder / LOCAL):
            raise


def resource_path(folder: Path, name: str) -> Path:
    """The file of a resource. Raises `ConfigError` for a name that is no folder's name."""
    return folder / _checked(name, "resource") / "resource.json"


def profile_path(folder: Path, resource: str, name: str) -> Path:
    """The file of a profile. Raises `ConfigError` for names that are no folder's or file's name."""
    profiles = resource_path(folder, resource).with_name("profiles")
    return profiles / f"{_checked(name, 'profile')}.json"


def from_json(data: bytes, where: str) -> object:
    """The JSON document in `data`. Raises `ConfigError`, whose sentence begins with `where`."""
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} in line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError:
        reason = "its text is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError:
        reason = "it holds a number that is too long"
    raise ConfigError(f"{where}: this is not valid JSON: {reason}.")


def read_file(path: Path) -> bytes:
    """The content of a file. Raises `ConfigError` when it cannot be read, or is no ordinary file."""
    try:
        if os.path.exists(path) and not path.is_file():
            raise ConfigError(f"Cannot read {shown(path)} (it is not an ordinary file).")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"Cannot read {shown(path)} ({error.strerror or error}).") from error


def _checked(name: str, what: str) -> str:
    reason = None
    if not name.strip():
        reason = "it is empty"
    elif not name.isprintable():
        reason = "it holds a line break or another character that cannot be shown"
    elif name != name.strip():
        reason = "it begins or ends with a space"
    elif "/" in name:
        reason = "it holds a /"
    elif name.startswith("."):
        reason = "it begins with a dot"
    elif len(name.encode()) > _LONGEST_NAME:
        reason = f"it is longer than {_LONGEST_NAME} bytes"
    if reason:
        raise ConfigError(f"A {what} cannot be named {name[:_LONGEST_NAME]!r}: {reason}.", [("name", reason)])
    return name


def _names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"Cannot read the folder {shown(folder)} ({error.strerror or error}).") from error


def _load_resource(folder: Path, name: str) -> Stored[Resource]:
    path = resource_path(folder, name)
    data = read_file(path)
    return Stored(name, path, parse_resource(from_json(data, shown(path)), shown(path)), fingerprint(data))


def _load_profile(folder: Path, resource: str, name: str) -> Stored[Profile]:
    path = profile_path(folder, resource, name)
    data = read_file(path)
    profile = parse_profile(from_json(data, shown(path)), shown(path))
    try:
        kind = _load_resource(folder, resource).value.type
    except ConfigError:
        # A broken resource has its own message; it does not make its profiles broken.
        kind = profile.resource_type
    _check_kind(kind, profile, path)
    return Stored(name, path, profile, fingerprint(data))


def _check_kind(kind: str, profile: Profile, path: Path) -> None:
    if profile.resource_type != kind:
        raise ConfigError.at(shown(path), [("resource_type", f"must be {kind}, like its resource")])


def _to_json(model: Resource | Profile) -> bytes:
    data = model.model_dump(mode="json", exclude_unset=True)
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()


def _absent(what: str, name: str, there: list[str]) -> ConfigError:
    known = f"there are: {', '.join(map(shown, there))}" if there else "there are none yet"
    return ConfigError(f"There is no {what} named {shown(name)}; {known}.")
