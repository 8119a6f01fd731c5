"""`runyard profile`: who we are on a resource."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from runners.config.errors import shown
from runners.config.home import Home
from tui import output
from tui.failure import ExitCode, Failure
from tui.output import Column
from tui.verbs import documents
from tui.verbs.opening import add_json, example
from tui.verbs.resource import make_home, refuse_unknown

_COLUMNS = (Column("resource"), Column("profile"), Column("file, or what is wrong with it"))


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "Profiles are JSON files in the schema of fractal-server; each belongs to a resource. To write one, "
        "begin with a template. `resource connect` and `resource check` try one, with --profile.",
        "runyard profile list",
        "runyard profile template uzh > me.json",
        "runyard profile add uzh me.json --name me",
        "runyard profile edit uzh me",
        "runyard profile set uzh me username=bob",
    )
    verbs = parser.add_subparsers(
        dest="what", required=True, metavar="list|show|template|add|remove|validate|edit|set|..."
    )
    every = verbs.add_parser(
        "list",
        help="list those of a resource, or of all",
        description="List the profiles of a resource, or of all, each with its file. What is wrong with a "
        "broken one is told.",
    )
    every.add_argument("resource", metavar="RESOURCE", nargs="?")
    add_json(every)
    show = verbs.add_parser(
        "show",
        help="print one as JSON, defaults filled in",
        description="Print a profile as JSON, with the defaults of all that it does not set. `export` prints "
        "it as it is kept.",
    )
    add_json(show)
    show.add_argument("resource", metavar="RESOURCE")
    show.add_argument("name", metavar="PROFILE")
    template = verbs.add_parser(
        "template", help="print one to begin with", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    example(
        template,
        "Print the JSON that a new profile of a resource begins with. What only you can know is an empty "
        "text, and is told on standard error.",
        "runyard profile template uzh --name me > me.json",
        "nano me.json",
        "runyard profile add uzh me.json",
    )
    template.add_argument("resource", metavar="RESOURCE")
    template.add_argument("--name", metavar="N", help="the name that it gets")
    add_json(template)
    add = verbs.add_parser(
        "add",
        help="add the one in a file",
        description="Add the profile in a file to a resource. To write one, begin with a template: `runyard "
        "profile template RESOURCE > FILE`. It is kept as it is, with keys that the schema does not know.",
    )
    add.add_argument("resource", metavar="RESOURCE")
    add.add_argument("file", metavar="FILE", type=Path)
    add.add_argument("--name", metavar="N", help="the name it goes by (default: the one in the file)")
    validate = verbs.add_parser(
        "validate",
        help="tell all that is wrong with one",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    example(
        validate,
        "Tell all that is wrong with the profile in a file, or with one that is there, a line for each "
        "fault, and which of its keys have no effect. The exit code is 2 where there are faults.",
        "runyard profile validate me.json",
        "runyard profile validate uzh me",
    )
    validate.usage = f"{validate.prog} [-h] [--json] [--name N] FILE | RESOURCE PROFILE"
    validate.add_argument("file", metavar="FILE", help="a file; where a PROFILE is named, its resource")
    validate.add_argument("name", metavar="PROFILE", nargs="?", help="a profile that is there")
    validate.add_argument("--name", metavar="N", dest="added_as", help="the name that it would be added by")
    add_json(validate)
    documents.describe(verbs, profile=True)


def execute(args: argparse.Namespace, home: Home) -> int:
    """Do what was asked for."""
    if args.what == "validate":
        return _validate(home, args.file, args.name, args.added_as, as_json=args.json)
    make_home(home)
    if args.resource is not None:
        refuse_unknown(home, args.resource)
    if args.what == "list":
        return _list(home, args.resource, as_json=args.json)
    if args.what == "template":
        from tui.verbs.templates import profile_template

        return profile_template(home, args.resource, args.name, as_json=args.json)
    if args.what == "add":
        return _add(home, args.resource, args.file, args.name)
    _refuse_unknown(home, args.resource, args.name)
    if args.what == "show":
        return _show(home, args.resource, args.name, as_json=args.json)
    return documents.execute(args, home, args.resource, args.name)


def _validate(home: Home, named: str, name: str | None, added_as: str | None, *, as_json: bool) -> int:
    from runners.config.documents import validate_document
    from runners.config.places import profile_names, profile_path, resource_names
    from runners.config.profile import parse_profile
    from tui.verbs.faults import validate, with_name

    if name is not None:
        refuse_unknown(home, named)
        _refuse_unknown(home, named, name)

        def parse_there(data: object, where: str) -> object:
            return validate_document(home.resources, named, name, data, where)

        return validate(profile_path(home.resources, named, name), parse_there, profile=True, as_json=as_json)
    if not os.path.lexists(named) and named in resource_names(home.resources):
        names = ", ".join(map(shown, profile_names(home.resources, named))) or "none yet"
        raise Failure(
            f"There is no file {shown(named)}; name a profile behind the resource {shown(named)} (there are: "
            f"{names})."
        )

    def parse(data: object, where: str) -> object:
        return parse_profile(with_name(data, added_as), where)

    return validate(Path(named), parse, profile=True, as_json=as_json)


def _show(home: Home, resource: str, name: str, *, as_json: bool) -> int:
    from runners.config.files import read_profile

    found = read_profile(home.resources, resource, name).value.model_dump(mode="json")
    (output.data if as_json else output.document)(found)
    return ExitCode.OK


def _add(home: Home, resource: str, file: Path, name: str | None) -> int:
    from runners.config.documents import add_document
    from runners.config.json_text import from_json, read_file
    from runners.config.profile import parse_profile
    from tui.verbs.faults import tell_unknown, with_name

    data = with_name(from_json(read_file(file), shown(file)), name)
    profile = parse_profile(data, shown(file))
    name = profile.name if name is None else name
    add_document(home.resources, resource, name, data)
    output.line(f"The profile {name} has been added to the resource {resource}.")
    tell_unknown(data, None, profile=True)
    return ExitCode.OK


def _refuse_unknown(home: Home, resource: str, name: str) -> None:
    from runners.config.places import is_there, no_profile, profile_path

    if not is_there(profile_path(home.resources, resource, name)):
        raise no_profile(home.resources, resource, name)


def _list(home: Home, resource: str | None, *, as_json: bool) -> int:
    from runners.config.files import Broken, list_profiles, list_resources

    resources = [found.name for found in list_resources(home.resources)] if resource is None else [resource]
    objects: list[dict[str, Any]] = []
    for owner in resources:
        for profile in list_profiles(home.resources, owner):
            broken = isinstance(profile, Broken)
            objects.append(
                {
                    "resource": owner,
                    "name": profile.name,
                    "path": str(profile.path),
                    "error": str(profile.error) if isinstance(profile, Broken) else None,
                    "valid": not broken,
                }
            )
    if as_json:
        output.array(objects)
    elif not objects:
        output.line("There are no profiles; the resource local needs none.")
    else:
        output.table(
            _COLUMNS,
            [
                (each["resource"], each["name"], output.path(each["error"] or each["path"]))
                for each in objects
            ],
        )
    return ExitCode.OK
