"""What a check is asked about: the documents of a resource and a profile. Reads files; imports no textual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from runners.config.documents import read_document
from runners.config.errors import ConfigError, shown
from runners.config.files import list_profiles, read_profile, read_resource
from runners.config.home import Home
from runners.config.places import resource_path
from runners.config.profile import Profile, parse_profile
from runners.config.resource import LocalResource, Resource, parse_resource
from tui.subject import Unsaved


@dataclass(frozen=True, slots=True)
class CheckDocuments:
    """What is checked."""

    resource: object
    """As its schema reads it, so that what is typed can be told from what a file holds: see `asks_as`."""
    profile: object
    """The same of the profile; None where the resource needs none."""
    acts_as: str | None
    """The name of the profile."""
    profiles: tuple[str, ...]
    """Those that the resource has, in files or as they are typed."""
    local: bool
    """It is this machine."""
    resource_saved: bool
    """It is what its file holds."""
    profile_saved: bool
    """The same of the profile; also where there is none."""

    def asks_as(self, other: CheckDocuments) -> bool:
        """Whether a check of *other* asks the same, be it saved or not."""
        return (self.resource, self.profile) == (other.resource, other.profile)


class NeedsProfileError(Exception):
    """Several profiles could be meant: `names`."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__("Several profiles could be meant.")
        self.names = names


def documents_of(
    home: Home, resource: str, profile: str | None, unsaved: Unsaved | None = None
) -> CheckDocuments:
    """The documents to be checked: those that are *unsaved*, and of the rest what the files hold. Blocks.

    Args:
        home: where the files are.
        resource: the name that it goes by.
        profile: the name of one of its profiles; None: the only one.
        unsaved: what is typed of them.

    Raises:
        NeedsProfileError: there are several profiles, and none was named.
        ConfigError: there is no such resource or profile, or it is broken.
    """
    folder, unsaved = home.resources, unsaved or Unsaved()
    value, document, saved = _standing(
        unsaved.resource,
        parse_resource,
        lambda: read_resource(folder, resource).value,
        lambda: read_document(folder, resource, None).data,
    )
    local = isinstance(value, LocalResource)
    names = tuple(sorted({*(found.name for found in list_profiles(folder, resource)), *unsaved.profiles}))
    if profile is None and not local:
        profile = _only_profile(home, resource, names)
    if profile is None:
        return CheckDocuments(document, None, None, names, local, saved, True)
    name = profile
    _, acting, acting_saved = _standing(
        unsaved.profiles.get(name),
        parse_profile,
        lambda: read_profile(folder, resource, name).value,
        lambda: read_document(folder, resource, name).data,
    )
    return CheckDocuments(document, acting, name, names, local, saved, acting_saved)


def _only_profile(home: Home, resource: str, names: tuple[str, ...]) -> str:
    """The one that is meant where none is named; raises as `documents_of`."""
    if len(names) > 1:
        raise NeedsProfileError(names)
    if names:
        return names[0]
    if not resource_path(home.resources, resource).parent.is_dir():
        raise ConfigError(
            f"The resource {shown(resource)} is not saved yet, so it has no profile to act as: save it, "
            "and add one (p in the list of resources)."
        )
    raise ConfigError(
        f"The resource {shown(resource)} has no profile yet, and nobody can act without: add one (p in the "
        f"list of resources, or runyard profile add)."
    )


_Model = TypeVar("_Model", Resource, Profile)


def _standing(
    typed: object,
    parse: Callable[[object], _Model],
    read: Callable[[], _Model],
    stored: Callable[[], object],
) -> tuple[_Model, object, bool]:
    """What is *typed*, or what *read* finds in its file where that is None.

    With its document, and whether the file says the same: key by key, also those that have no effect.
    """
    model = read() if typed is None else parse(typed)
    try:
        saved = typed is None or typed == stored()
    except ConfigError:
        saved = False
    return model, model.model_dump(mode="json", exclude_unset=True), saved
