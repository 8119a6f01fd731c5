"""The folder of resources: making, moving and removing what is in it, each in one step.

What the files hold is not looked at, but for the name that a document tells, which follows the name that it
goes by. Whether something is in use is not known here: see `runners.in_use`.
Everything here blocks, briefly; `folder` is that of all resources.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from runners.config.errors import ConfigError, shown
from runners.config.inner_name import prepared, renamed_inside, settle
from runners.config.json_text import read_file
from runners.config.places import (
    has_resource,
    is_there,
    no_profile,
    no_resource,
    profile_names,
    profile_path,
    resource_path,
)
from runners.config.wholefile import (
    backup_beside,
    rights_of,
    sync_folder,
    unfinished_file,
    unfinished_folder,
    write_whole,
)
from runners.config.writing import told, writing


def make_resource(folder: Path, name: str, files: Mapping[str, bytes]) -> None:
    """Make the folder of a new resource with `files`, which are named by their paths in it.

    Raises `ConfigError`, and leaves nothing behind, when there is one of that name or it cannot be written.
    """
    target = resource_path(folder, name).parent
    with told(f"Cannot add the resource in {shown(target)}"), writing(folder):
        _make(folder, name, files)


def make_profile(folder: Path, resource: str, name: str, content: bytes) -> None:
    """Write the file of a new profile; raises as `make_resource`, and where there is no such resource."""
    path = profile_path(folder, resource, name)
    with _resource(folder, resource, f"Cannot write {shown(path)}"):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _write_profile(path, content)


def rename_resource(folder: Path, name: str, new: str) -> None:
    """Give a resource another name, with all that is in its folder, valid or not.

    Where the document told the old name, it tells the new one; all else that the files hold stays. Raises
    `ConfigError`, and changes nothing, when there is none, the new name is taken, or it cannot.
    """
    source, target = (resource_path(folder, each) for each in (name, new))
    with _resource(folder, name, f"Cannot rename {shown(source.parent)}"):
        _refuse_taken(folder, new)
        with prepared(source, name, new):
            source.parent.rename(target.parent)
        settle(target, new)
        sync_folder(folder)


def duplicate_resource(folder: Path, name: str, new: str, *, profiles: bool) -> None:
    """Make another resource like one that is there, with its profiles or without; valid or not.

    Where the document tells the name that it goes by, the other one tells its own. Raises `ConfigError`, and
    leaves nothing behind, when there is none, the new name is taken, or it cannot be done.
    """
    path = resource_path(folder, name)
    resource_path(folder, new)
    with _resource(folder, name, f"Cannot duplicate {shown(path.parent)}"):
        copied = [path]
        if profiles:
            copied += [profile_path(folder, name, profile) for profile in profile_names(folder, name)]
        files = {str(each.relative_to(path.parent)): read_file(each) for each in copied}
        files[path.name] = renamed_inside(files[path.name], name, new)
        _make(folder, new, files)


def remove_resource(folder: Path, name: str) -> None:
    """Remove a resource with its profiles, broken or not.

    Raises `ConfigError` when there is none, or it cannot be removed.
    """
    target = resource_path(folder, name).parent
    with _resource(folder, name, f"Cannot remove {shown(target)}") as hidden:
        # First out of sight in one step: nobody finds half a resource.
        bin_folder = unfinished_folder(folder)
        hidden.append(bin_folder)
        target.rename(bin_folder / name)
        sync_folder(folder)


def rename_profile(folder: Path, resource: str, name: str, new: str) -> None:
    """Give a profile another name; as `rename_resource`."""
    source, target = (profile_path(folder, resource, each) for each in (name, new))
    with _resource(folder, resource, f"Cannot rename {shown(source)}"):
        if not os.path.lexists(source):
            raise no_profile(folder, resource, name)
        if os.path.lexists(target):
            raise _profile_taken(resource, new)
        with prepared(source, name, new), _backup_at(target, source):
            source.rename(target)
        backup_beside(source).unlink(missing_ok=True)
        settle(target, new)
        sync_folder(source.parent)


def duplicate_profile(folder: Path, resource: str, name: str, new: str) -> None:
    """Make another profile like one that is there; as `duplicate_resource`."""
    source, target = (profile_path(folder, resource, each) for each in (name, new))
    with _resource(folder, resource, f"Cannot duplicate {shown(source)}"):
        if not is_there(source):
            raise no_profile(folder, resource, name)
        if os.path.lexists(target):
            raise _profile_taken(resource, new)
        _write_profile(target, renamed_inside(read_file(source), name, new))


def remove_profile(folder: Path, resource: str, name: str) -> None:
    """Remove a profile, broken or not. Raises `ConfigError` when there is none, or it cannot."""
    path = profile_path(folder, resource, name)
    with _resource(folder, resource, f"Cannot remove {shown(path)}"):
        if not os.path.lexists(path):
            raise no_profile(folder, resource, name)
        path.unlink()
        backup_beside(path).unlink(missing_ok=True)
        sync_folder(path.parent)


@contextmanager
def _resource(folder: Path, name: str, cannot: str) -> Iterator[list[Path]]:
    """Until it ends, the resource is there and nobody else writes. Yields what `writing` does."""
    # Before the lock too, which would make the folder.
    if not has_resource(folder, name):
        raise no_resource(folder, name)
    with told(cannot), writing(folder) as hidden:
        if not has_resource(folder, name):
            raise no_resource(folder, name)
        yield hidden


def _write_profile(path: Path, content: bytes) -> None:
    """Write the file of a new profile."""
    if not os.path.lexists(path):
        # A backup is of an earlier one, which was removed by hand, or by somebody who was killed at it.
        backup_beside(path).unlink(missing_ok=True)
    write_whole(path, content, None)


@contextmanager
def _backup_at(target: Path, source: Path) -> Iterator[None]:
    """Put what the backup of the profile `source` holds beside `target` too, unless the block fails.

    A backup beside a file that a link leads to stays there, with the file.
    """
    kept, copy = backup_beside(source), backup_beside(target)
    # Of an earlier profile.
    copy.unlink(missing_ok=True)
    if kept.is_file():
        with unfinished_file(copy, kept.read_bytes(), *rights_of(kept)) as made:
            os.replace(made, copy)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            copy.unlink(missing_ok=True)
        raise


def _make(folder: Path, name: str, files: Mapping[str, bytes]) -> None:
    _refuse_taken(folder, name)
    unfinished = unfinished_folder(folder)
    try:
        for file, content in files.items():
            path = unfinished / file
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_whole(path, content, None)
        unfinished.rename(resource_path(folder, name).parent)
    except BaseException:
        _remove(unfinished)
        raise
    sync_folder(folder)


def _remove(unfinished: Path) -> None:
    # What stays is hidden, and goes with the next write.
    shutil.rmtree(unfinished, ignore_errors=True)


def _refuse_taken(folder: Path, name: str) -> None:
    target = resource_path(folder, name).parent
    if os.path.lexists(target):
        raise ConfigError(f"There is already a resource {shown(name)}, in {shown(target)}.")


def _profile_taken(resource: str, name: str) -> ConfigError:
    return ConfigError(f"The resource {shown(resource)} has a profile {shown(name)} already.")
