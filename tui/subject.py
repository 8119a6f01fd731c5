"""What is being edited: a resource or a profile, new or from its file. Reads and writes files: for threads.

Imports no textual.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from runners.config.documents import Document, add_document, read_document, save_document
from runners.config.errors import ConfigError
from runners.config.files import Broken, list_profiles, read_resource
from runners.config.home import Home
from runners.config.json_text import NOTHING, from_json, read_file
from runners.config.places import document_path
from runners.config.profile import LocalProfile, Profile, SlurmSSHProfile, SlurmSudoProfile, parse_profile
from runners.config.resource import (
    LocalResource,
    Resource,
    SlurmSSHResource,
    SlurmSudoResource,
    parse_resource,
)
from runners.config.wholefile import fingerprint


def key_of(resource: str, profile: str | None) -> str:
    """What tells a resource, or its profile where one is named, from all others: no name holds a `/`."""
    return resource if profile is None else f"{resource}/{profile}"


@dataclass(frozen=True, slots=True)
class Subject:
    """One resource or profile that is edited."""

    resource: str
    """The name that the resource goes by."""
    profile: str | None
    """The name of the profile; None: it is the resource itself."""
    document: object
    """What editing begins with."""
    read: Document | None = None
    """The file as it was read or written last; None where there is none yet."""
    text: str = ""
    """What the file holds where that is no JSON, or has a key twice in an object; else empty."""

    @property
    def new(self) -> bool:
        """Whether there is no file yet."""
        return self.read is None

    @property
    def joinable(self) -> bool:
        """Whether there is a file, and what it holds leaves no doubt: only with that can edits be joined."""
        return self.read is not None and self.read.data is not NOTHING and not self.text

    @property
    def words(self) -> str:
        """What a person calls it; untrusted."""
        if self.profile is None:
            return f"resource {self.resource}"
        return f"profile {self.profile} of {self.resource}"

    @property
    def fingerprint(self) -> str | None:
        """Of the file."""
        return None if self.read is None else self.read.fingerprint


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What counts of a resource and its profiles in place of their files: it is typed, and has no errors."""

    resource: object = None
    """The document of the resource; None: what its file holds."""
    profiles: Mapping[str, object] = field(default_factory=dict)
    """The documents of profiles by name; of others what their files hold."""


def open_subject(home: Home, resource: str, profile: str | None) -> Subject:
    """It, as its file is now; also a broken one.

    Raises:
        ConfigError: there is none, or it can't be read.
    """
    read = read_document(home.resources, resource, profile)
    return Subject(resource, profile, {} if read.data is NOTHING else read.data, read, _odd_text(read))


def opened_again(home: Home, subject: Subject) -> Subject | None:
    """It, as its file is now; None where it was removed, with what it stood in: it is as if it were new.

    Raises:
        ConfigError: it is there, but can't be read.
    """
    try:
        return open_subject(home, subject.resource, subject.profile)
    except ConfigError:
        if os.path.lexists(document_path(home.resources, subject.resource, subject.profile)):
            raise
        return None


def _odd_text(read: Document) -> str:
    """See :attr:`Subject.text`."""
    if read.content:
        try:
            from_json(read.content, "", once=True)
        except ConfigError:
            return read.text
    return ""


def current_fingerprint(home: Home, subject: Subject) -> str | None:
    """Of its file as it is now; None where there is none any more, or it can't be read."""
    path = document_path(home.resources, subject.resource, subject.profile)
    try:
        return fingerprint(read_file(path))
    except ConfigError:
        return None


def save_subject(home: Home, subject: Subject, data: object) -> Subject:
    """Write it; a file that there was stays as its backup.

    Raises:
        ConfigError: it is not valid, the file is another one by now, or it can't be written; nothing changes.
    """
    folder = home.resources
    if subject.read is None:
        written = add_document(folder, subject.resource, subject.profile, data)
    else:
        written = save_document(folder, subject.read, data)
    return replace(subject, document=data, read=written, text="")


def companions(
    home: Home, subject: Subject, model: object, unsaved: Unsaved
) -> tuple[Resource | None, Profile | None]:
    """The resource and the profile that *model*, which *subject* stands for as it is typed, goes with.

    A resource goes with its first profile that can be used, if any.
    """
    if isinstance(model, LocalResource | SlurmSudoResource | SlurmSSHResource):
        return model, next(_profiles(home, subject, unsaved), None)
    profile = model if isinstance(model, LocalProfile | SlurmSudoProfile | SlurmSSHProfile) else None
    if subject.profile is None:
        return None, None
    try:
        if unsaved.resource is not None:
            return parse_resource(unsaved.resource), profile
        return read_resource(home.resources, subject.resource).value, profile
    except ConfigError:
        return None, profile


def _profiles(home: Home, subject: Subject, unsaved: Unsaved) -> Iterator[Profile]:
    """Those of a resource that can be used, by name."""
    try:
        stored = [] if subject.new else list_profiles(home.resources, subject.resource)
    except ConfigError:
        stored = []
    saved = {each.name: each.value for each in stored if not isinstance(each, Broken)}
    for name in sorted(saved.keys() | unsaved.profiles.keys()):
        yield parse_profile(unsaved.profiles[name]) if name in unsaved.profiles else saved[name]
