"""`runyard resource template`: a document to begin a new resource or profile with, and what it lacks."""

from __future__ import annotations

import sys
from collections.abc import Callable

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
    document = new_resource_document(kind, home)
    python = document["tasks_python_config"]
    if isinstance(python, dict) and not python["versions"]:
        # Nobody has seen the cluster's, but that there must be one is to be seen.
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        document["tasks_python_config"] = {"default_version": version, "versions": {version: ""}}
    runner = document["jobs_runner_config"]
    if isinstance(runner, dict) and kind != "local":
        # The schema can do without, but no run can.
        runner["default_slurm_config"] = {"partition": "", **runner["default_slurm_config"]}
    _offer(document, name, parse_resource, "resource", as_json=as_json)
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
    _offer(new_profile_document(kind), name, parse_profile, "profile", as_json=as_json)
    return ExitCode.OK


def _offer(
    document: dict[str, object],
    name: str | None,
    parse: Callable[[object, str], object],
    what: str,
    *,
    as_json: bool,
) -> None:
    """Print the document, with an empty text for all that is to be filled in, and note what that is.

    No schema takes an empty one: what was overlooked is told when it is validated or added.
    """
    # In front, behind what tells the kind.
    (kind, value), *others = document.items()
    missing = [path for path, _ in _faults(document, parse) if path.split(".")[0] not in document]
    document = {kind: value, **dict.fromkeys(missing, ""), **dict(others)}
    if name is not None:
        document["name"] = name
    (output.data if as_json else output.document)(document)
    output.flush()
    if lacking := _faults(document, parse):
        fields = ", ".join(path for path, _ in lacking)
        output.note(
            f"What only you know is to be filled in, between the quotes: {fields}. "
            f"`runyard {what} validate FILE` tells what is still wrong."
        )


def _faults(document: object, parse: Callable[[object, str], object]) -> list[tuple[str, str]]:
    try:
        parse(document, "The template")
    except ConfigError as error:
        return error.fields
    return []
