"""Where resources and profiles are: `<resource>/resource.json` and `<resource>/profiles/<profile>.json`.

A resource or profile goes by the name of its folder or file; the `name` in its JSON is for screens of the
reference system.
"""

from __future__ import annotations

import os
from pathlib import Path

from runners.config.errors import AbsentError, ConfigError, shown
from runners.config.wholefile import backup_beside

LOCAL = "local"
"""The resource that is made on first start."""

_LONGEST_NAME = 200


def resource_path(folder: Path, name: str) -> Path:
    """The file of a resource. Raises `ConfigError` for a name that is no folder's name."""
    return folder / _checked(name, "resource") / "resource.json"


def profile_path(folder: Path, resource: str, name: str) -> Path:
    """The file of a profile. Raises `ConfigError` for names that are no folder's or file's name."""
    profiles = resource_path(folder, resource).with_name("profiles")
    return profiles / f"{_checked(name, 'profile')}.json"


def document_path(folder: Path, resource: str, profile: str | None) -> Path:
    """The file of a resource, or of its profile where one is named; raises as they do."""
    return resource_path(folder, resource) if profile is None else profile_path(folder, resource, profile)


def backup_path(path: Path) -> Path:
    """Where what a file held before the last write to it is kept."""
    return backup_beside(Path(os.path.realpath(path)))


def resource_names(folder: Path) -> list[str]:
    """Of all resources, in order. Raises `ConfigError` when the folder is there and cannot be read."""
    return [name for name in _names(folder) if os.path.isdir(folder / name)]


def profile_names(folder: Path, resource: str) -> list[str]:
    """Of all profiles of a resource, in order; raises as `resource_names`."""
    profiles = resource_path(folder, resource).with_name("profiles")
    return [file.removesuffix(".json") for file in _names(profiles) if file.endswith(".json")]


def is_there(path: Path | str) -> bool:
    """Whether a file or folder is there, behind all links. Raises `ConfigError` where that can't be seen."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ConfigError(f"Cannot read {shown(path)} ({error.strerror or error}).") from error
    return True


def has_resource(folder: Path, name: str) -> bool:
    """Whether there is a resource of that name, also where its file is missing; raises as `is_there`."""
    # With the slash behind it, a file of that name is none.
    return is_there(f"{resource_path(folder, name).parent}/")


def no_resource(folder: Path, name: str) -> AbsentError:
    """What to raise where there is no resource of that name."""
    return _absent("resource", name, resource_names(folder))


def no_profile(folder: Path, resource: str, name: str) -> AbsentError:
    """What to raise where a resource has no profile of that name."""
    return _absent(f"profile of the resource {shown(resource)}", name, profile_names(folder, resource))


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


def _absent(what: str, name: str, there: list[str]) -> AbsentError:
    known = f"there are: {', '.join(map(shown, there))}" if there else "there are none yet"
    return AbsentError(f"There is no {what} named {shown(name)}; {known}.")
