"""What a check is asked about: the documents of a resource and a profile. Reads files; imports no textual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runners.config.errors import ConfigError, shown
from runners.config.files import list_profiles, read_profile, read_resource
from runners.config.home import Home
from runners.config.places import resource_path
from runners.config.profile import Profile, parse_profile
from runners.config.resource import LocalResource, Resource, parse_resource


@dataclass(frozen=True, slots=True)
class CheckDocuments:
    """What is checked."""

    resource: object
    profile: object
    """None where the resource needs none."""
    acts_as: str | None
    """The name of the profile."""
    profiles: tuple[str, ...]
    """Those that the resource has in files."""
    local: bool
    """It is this machine."""
    saved: bool
    """They are what the files hold."""


class NeedsProfileError(Exception):
    """Several profiles could be meant: `names`."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__("Several profiles could be meant.")
        self.names = names


def documents_of(
    home: Home, resource: str, profile: str | None, *, given: object = None, given_profile: object = None
) -> CheckDocuments:
    """The documents to be checked: those that are given, and where one is not, what its file holds. Blocks.

    Args:
        home: where the files are.
        resource: the name that it goes by.
        profile: the name of one of its profiles; None: the only one.
        given: the document of the resource, if it is not the one in its file.
        given_profile: the same of the profile.

    Raises:
        NeedsProfileError: there are several profiles, and none was named.
        ConfigError: there is no such resource or profile, or it is broken.
    """
    value = read_resource(home.resources, resource).value if given is None else parse_resource(given)
    document = _document(value) if given is None else given
    saved = given is None or _document(value) == _saved(lambda: read_resource(home.resources, resource).value)
    names = tuple(found.name for found in list_profiles(home.resources, resource))
    local = isinstance(value, LocalResource)
    if given_profile is not None:
        acting = parse_profile(given_profile)
        name = profile or acting.name
        kept = _saved(lambda: read_profile(home.resources, resource, name).value)
        return CheckDocuments(
            document, given_profile, name, names, local, saved and _document(acting) == kept
        )
    if profile is None and local:
        return CheckDocuments(document, None, None, names, True, saved)
    if profile is None:
        if len(names) > 1:
            raise NeedsProfileError(names)
        if not names and not resource_path(home.resources, resource).parent.is_dir():
            raise ConfigError(
                f"The resource {shown(resource)} is not saved yet, so it has no profile to act as: save it, "
                "and add one."
            )
        if not names:
            raise ConfigError(
                f"The resource {shown(resource)} has no profile yet: add one, since nobody can act without."
            )
        (profile,) = names
    acting = read_profile(home.resources, resource, profile).value
    return CheckDocuments(document, _document(acting), profile, names, local, saved)


def _document(model: Resource | Profile) -> object:
    return model.model_dump(mode="json", exclude_unset=True)


def _saved(read: Callable[[], Resource | Profile]) -> object:
    """The document that *read* finds in a file; None where it finds none that is valid."""
    try:
        return _document(read())
    except ConfigError:
        return None
