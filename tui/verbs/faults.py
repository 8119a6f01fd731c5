"""What is wrong with a document, told line by line: `validate`, and notes on keys that have no effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from runners.config.errors import ConfigError, shown
from runners.config.json_text import from_json, read_file
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.marking import repeated


def validate(file: Path, parse: Callable[[object, str], object], *, profile: bool, as_json: bool) -> int:
    """Print all faults of the document in a file, one on each line.

    Args:
        file: where it is.
        parse: makes a resource or a profile of it, or raises a `ConfigError` that begins with its text.
        profile: whether it is a profile.
        as_json: for a program.

    Raises:
        ConfigError: the file can't be read.
        Failure: there are faults; they have been printed.
    """
    content = read_file(file)
    name = output.path(str(file))
    what = "profile" if profile else "resource"
    data: object = None
    faults: list[tuple[str, str]] = []
    try:
        data = from_json(content, shown(file))
        text = content.decode(json.detect_encoding(content), "replace")
        faults = [(path, "is there twice") for path in repeated(text)]
        parse(data, shown(file))
    except ConfigError as error:
        faults += error.fields or [("", str(error).removeprefix(f"{shown(file)}: ").rstrip("."))]
    if as_json:
        told = [{"field": field, "message": message} for field, message in faults]
        strangers = list(unknown(data, profile=profile))
        output.data({"file": str(file), "valid": not faults, "faults": told, "unknown": strangers})
        return ExitCode.BAD_INPUT if faults else ExitCode.OK
    for field, message in faults:
        output.line(f"{name}: {f'{field} {message}'.strip()}")
    if faults:
        count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
        # The file may do without, where the command that adds it does not.
        more = "; --name N gives it one, here and when it is added" if faults[0][0] == "name" else ""
        raise Failure(f"{name} is not a valid {what}: {count}{more if len(faults) == 1 else ''}.")
    output.line(f"{name} is a valid {what}.")
    tell_unknown(data, None, profile=profile)
    return ExitCode.OK


def with_name(document: object, name: str | None) -> object:
    """The document that is added by that name: the one inside may be another, but must be there."""
    if name is None or not isinstance(document, dict) or document.get("name"):
        return document
    return {**document, "name": name}


def unknown(document: object, *, profile: bool) -> tuple[str, ...]:
    """The dotted paths of keys that the schema does not know, which are kept and have no effect."""
    # Here, so that commands that need no forms don't read them.
    from tui.forms.draft import Draft
    from tui.forms.spec import PROFILE_SPEC, RESOURCE_SPEC

    return Draft(PROFILE_SPEC if profile else RESOURCE_SPEC, document).unknown


def tell_unknown(document: object, before: object, *, profile: bool) -> None:
    """Note the keys without effect that were not in the document *before*: one may be a slip."""
    known = unknown(before, profile=profile) if isinstance(before, dict) else ()
    found = [path for path in unknown(document, profile=profile) if path not in known]
    if found:
        have, they = ("has", "It is") if len(found) == 1 else ("have", "They are")
        output.note(
            f"{', '.join(map(shown, found))} {have} no effect, since the schema does not know such a key. "
            f"{they} kept."
        )
