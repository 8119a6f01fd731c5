"""Resources and profiles as the JSON documents that a person edits: also broken ones, and without loss.

A document is kept as it is given: values as they were typed, keys in their order, and keys that the schema
does not know, so that what was exported by the reference system is imported and exported unchanged.
Everything here blocks, briefly. `folder` is that of all resources; a document is a resource's, or where a
`profile` is named that profile's.
"""

from __future__ import annotations

from dataclasses import dataclass
from json import detect_encoding
from pathlib import Path
from typing import Literal

from runners.config.errors import ConfigError, shown
from runners.config.folders import make_profile, make_resource
from runners.config.json_text import NOTHING, from_json, read_file, to_json
from runners.config.places import (
    backup_path,
    document_path,
    has_resource,
    is_there,
    no_profile,
    no_resource,
    profile_names,
    profile_path,
    resource_path,
)
from runners.config.profile import Profile, parse_profile, refuse_other_kind
from runners.config.resource import RESOURCE_TYPES, Resource, parse_resource
from runners.config.wholefile import fingerprint, write_whole
from runners.config.writing import read_settled, told, writing


@dataclass(frozen=True, slots=True)
class Document:
    """The document of a resource or profile, as it was read."""

    resource: str
    profile: str | None
    """None: it is the resource's own."""
    path: Path
    content: bytes
    """Of the file; empty where a resource has none."""
    fingerprint: str | None
    """Of the file; None where a resource has none. Saving needs it."""
    data: object
    """The JSON value; `NOTHING` where the file holds none."""
    error: ConfigError | None
    """Why it can't be used, with the faulty fields if it is JSON; None for a valid one."""

    @property
    def what(self) -> Literal["resource", "profile"]:
        """Which of the two it is."""
        return "resource" if self.profile is None else "profile"

    @property
    def name(self) -> str:
        """What it goes by."""
        return self.resource if self.profile is None else self.profile

    @property
    def text(self) -> str:
        """The content as text, also where it is no JSON, with a sign in place of what is no text."""
        return self.content.decode(detect_encoding(self.content), "replace").removeprefix("\ufeff")


def read_document(folder: Path, resource: str, profile: str | None = None) -> Document:
    """The document as it is, valid or not. Raises `ConfigError` when there is none or it cannot be read."""
    path = document_path(folder, resource, profile)
    if not has_resource(folder, resource):
        raise no_resource(folder, resource)
    if not is_there(path):
        if profile is not None:
            raise no_profile(folder, resource, profile)
        missing = ConfigError(f"There is no file {shown(path)}, so the resource cannot be used.")
        return Document(resource, None, path, b"", None, NOTHING, missing)
    content = read_settled(folder, path, resource if profile is None else profile)
    data: object = NOTHING
    fault: ConfigError | None = None
    try:
        data = from_json(content, shown(path))
        validate_document(folder, resource, profile, data)
    except ConfigError as error:
        fault = error
    return Document(resource, profile, path, content, fingerprint(content), data, fault)


def read_backup(folder: Path, resource: str, profile: str | None = None) -> object:
    """The document that was there before the last save. Raises `ConfigError` when none is kept."""
    path = backup_path(document_path(folder, resource, profile))
    if not is_there(path):
        raise ConfigError(f"No version before the present one is kept: there is no file {shown(path)}.")
    return from_json(read_file(path), shown(path))


def validate_document(
    folder: Path, resource: str, profile: str | None, data: object, where: str | None = None
) -> Resource | Profile:
    """What a document means, as the one of that name. `where` begins the sentence; else the path does.

    Raises `ConfigError` with all faulty fields.
    """
    where = shown(document_path(folder, resource, profile)) if where is None else where
    if profile is None:
        return parse_resource(data, where)
    parsed = parse_profile(data, where)
    # Told from the document, so that a broken resource does not make its profiles broken.
    kind = resource_kind(folder, resource)
    if kind is not None:
        refuse_other_kind(parsed, kind, where)
    return parsed


def save_document(folder: Path, read: Document, data: object) -> Document:
    """Put `data` in place of the document that was read, and keep that one as backup; returns the new one.

    Raises `ConfigError`, and changes nothing, when `data` is not valid (with the faulty fields), when the
    file is another one by now, or when it cannot be written.
    """
    validate_document(folder, read.resource, read.profile, data)
    content = to_json(data)
    with told(f"Cannot write {shown(read.path)}"), writing(folder):
        # Also where its file is missing, which is no reason to make a folder anew.
        if not has_resource(folder, read.resource):
            raise ConfigError(
                f"The resource {shown(read.resource)} was removed or renamed elsewhere since it was read, so "
                "nothing was written."
            )
        if read.profile is None:
            _keep_profiles(folder, read, data)
        write_whole(read.path, content, read.fingerprint)
    return Document(read.resource, read.profile, read.path, content, fingerprint(content), data, None)


def add_document(folder: Path, resource: str, profile: str | None, data: object) -> Document:
    """Write a new resource or profile, as it is given.

    Raises `ConfigError`, and leaves nothing behind, when it is not valid, when there is one of that name, or
    when it cannot be written.
    """
    path = document_path(folder, resource, profile)
    if profile is not None and not has_resource(folder, resource):
        raise no_resource(folder, resource)
    validate_document(folder, resource, profile, data, "The resource" if profile is None else "The profile")
    content = to_json(data)
    if profile is None:
        make_resource(folder, resource, {path.name: content})
    else:
        make_profile(folder, resource, profile, content)
    return Document(resource, profile, path, content, fingerprint(content), data, None)


def resource_kind(folder: Path, resource: str) -> str | None:
    """The type that a resource says it has, also where it is broken otherwise; None where it tells none."""
    path = resource_path(folder, resource)
    try:
        data = from_json(read_file(path), shown(path))
    except ConfigError:
        return None
    kind = data.get("type") if isinstance(data, dict) else None
    return kind if isinstance(kind, str) and kind in RESOURCE_TYPES else None


def _keep_profiles(folder: Path, read: Document, data: object) -> None:
    """Refuse another type for a resource whose profiles would not fit it any more."""
    assert isinstance(data, dict)
    before = resource_kind(folder, read.resource)
    if before is None or before == data["type"]:
        return
    names = profile_names(folder, read.resource)
    lost = [name for name in names if _kind_of_profile(folder, read.resource, name) == before]
    if lost:
        reason = f"must stay {before} while there are profiles for that: {', '.join(map(shown, lost))}"
        raise ConfigError.at(shown(read.path), [("type", reason)])


def _kind_of_profile(folder: Path, resource: str, name: str) -> object:
    path = profile_path(folder, resource, name)
    try:
        data = from_json(read_file(path), shown(path))
    except ConfigError:
        return None
    return data.get("resource_type") if isinstance(data, dict) else None
