"""`runyard resource template`: a document to begin a new resource or profile with, and what it lacks."""

from __future__ import annotations

from typing import Any

from runners.config.documents import resource_kind
from runners.config.errors import ConfigError, shown
from runners.config.home import Home
from runners.config.profile import parse_profile
from runners.config.resource import RESOURCE_TYPES, parse_resource
from runners.config.templates import new_profile_document, new_resource_document
from tui import output
from tui.failure import ExitCode, Failure


def resource_template(home: Home, kind: str, name: str | None, *, as_json: bool) -> int:
    """Print what a new resource of that kind begins with; what only a person can know is told beside it.

    Raises:
        Failure: there is no such kind.
    """
    if kind not in RESOURCE_TYPES:
        kinds = ", ".join(RESOURCE_TYPES)
        raise Failure(f"There is no kind of resource {shown(kind)}; there are: {kinds}.", ExitCode.NOT_FOUND)
    document = _named(new_resource_document(kind, home), name)
    python = document["tasks_python_config"]
    if not python["versions"]:
        # An empty one is of no use, but nobody would be told that it is to be filled in.
        del python["versions"]
    _print(document, as_json=as_json)
    try:
        parse_resource(document, "The template")
    except ConfigError as error:
        _tell(error, "runyard resource validate FILE")
    return ExitCode.OK


def profile_template(home: Home, resource: str, name: str | None, *, as_json: bool) -> int:
    """Print what a new profile of that resource begins with; as :func:`resource_template`.

    Raises:
        Failure: what kind the resource is can't be told.
    """
    kind = resource_kind(home.resources, resource)
    if kind is None:
        raise Failure(
            f"What kind the resource {shown(resource)} is can't be told, so neither what its profiles need; "
            "mend it first."
        )
    document = _named(new_profile_document(kind), name)
    _print(document, as_json=as_json)
    try:
        parse_profile(document, "The template")
    except ConfigError as error:
        _tell(error, "runyard profile validate FILE")
    return ExitCode.OK


def _named(document: dict[str, Any], name: str | None) -> dict[str, Any]:
    """The document with a name, behind what tells its kind."""
    (kind, value), *others = document.items()
    return {kind: value, **({} if name is None else {"name": name}), **dict(others)}


def _print(document: dict[str, Any], *, as_json: bool) -> None:
    (output.data if as_json else output.document)(document)
    output.flush()


def _tell(error: ConfigError, validate: str) -> None:
    """Note what is to be filled in."""
    fields = ", ".join(path for path, _ in error.fields)
    output.note(f"What only you know is to be filled in: {fields}. `{validate}` tells what is still wrong.")
