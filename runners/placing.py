"""Where a launch goes: the resource and the profile, and the folders that its tasks start in and write to.

Reads files, and blocks.
"""

from __future__ import annotations

import os
from pathlib import Path

from runners.config.errors import ConfigError, shown
from runners.config.files import list_profiles, read_profile, read_resource
from runners.config.resource import LocalResource, Resource, SlurmSSHResource
from runners.config.types import has_control
from runners.environment import is_text
from runners.explanation import About


def open_resource(folder: Path, name: str) -> Resource:
    """The resource *name* in the *folder* of resources, for something new to start on.

    Raises:
        ConfigError: there is none, its file is broken, or it takes nothing new.
    """
    resource = read_resource(folder, name).value
    if resource.prevent_new_submissions:
        raise ConfigError(
            f"The resource {shown(name)} takes no new runs: prevent_new_submissions is set "
            f"({About(resource=name).setting('prevent_new_submissions', 'false')} lets them in again)."
        )
    return resource


def choose_profile(folder: Path, name: str, resource: Resource, given: str | None) -> str | None:
    """The profile to be on the resource *name*: the *given* one, or its only one; None where it needs none.

    Raises:
        ConfigError: there is no such profile, several could be meant, or its file is broken.
    """
    if given is None:
        if isinstance(resource, LocalResource):
            return None
        names = [profile.name for profile in list_profiles(folder, name)]
        if len(names) != 1:
            if not names:
                raise ConfigError(f"The resource {shown(name)} has no profile yet; add one first.")
            there = ", ".join(map(shown, names))
            raise ConfigError(
                f"Name a profile for the resource {shown(name)} with --profile: there are {there}."
            )
        (given,) = names
    return read_profile(folder, name, given).name


def start_folder(resource: Resource, given: Path | None) -> str:
    """The folder that tasks start in; empty for one behind SSH where none is *given*: the run's own.

    Raises:
        ConfigError: it is not there, or, where that can't be seen from here, it can't be a folder's path.
    """
    if not isinstance(resource, SlurmSSHResource):
        return str(folder_here(given))
    return "" if given is None else _absolute(given, "to work in", "on the cluster")


def folder_here(given: Path | None) -> Path:
    """The folder *given*, or else the current one, as an absolute path of this machine.

    Raises:
        ConfigError: it is not there.
    """
    try:
        folder = Path(os.path.abspath(given or "."))
    except FileNotFoundError:
        raise ConfigError("The current folder is not there any more; go to another one.") from None
    if not folder.is_dir():
        raise ConfigError(f"The folder to work in, {shown(folder)}, is not there.")
    if not is_text(str(folder)):
        raise ConfigError(f"The folder to work in, {shown(folder)}, has a name that is not UTF-8.")
    return folder


def project_folder(resource: Resource, given: Path | None) -> str | None:
    """The folder that the run's own folder is to be made in, where one is *given*.

    Raises:
        ConfigError: it can't be a folder's path.
    """
    if given is None:
        return None
    return _absolute(given, "for the run", "on the cluster" if isinstance(resource, SlurmSSHResource) else "")


def _absolute(given: Path, purpose: str, where: str) -> str:
    path = str(given)
    why = ""
    if not path.startswith("/"):
        why = f"must be an absolute path {where}".rstrip()
    elif ".." in given.parts:
        why = 'must not have a ".." in its path'
    elif has_control(path) or not is_text(path):
        why = "must be one line of UTF-8 text"
    if why:
        raise ConfigError(f"The folder {purpose}, {shown(path)}, {why}.")
    return path
