"""`runyard resource`: the places that run work."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runners.config.home import Home
from runners.states import State
from tui import output
from tui.failure import ExitCode
from tui.output import Column
from tui.verbs import checking, documents
from tui.verbs.opening import add_json, example

if TYPE_CHECKING:
    from runners.config.files import Broken, Stored
    from runners.config.resource import Resource

_COLUMNS = (Column("resource"), Column("type"), Column("file, or what is wrong with it"))


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "Resources are JSON files in the schema of fractal-server. To write one, begin with a template.",
        "runyard resource list",
        "runyard resource template slurm_ssh > cluster.json",
        "runyard resource validate cluster.json",
        "runyard resource add cluster.json --name uzh",
        "runyard resource edit uzh",
        "runyard resource set uzh jobs_runner_config.default_slurm_config.mem=3G",
        "runyard resource connect uzh --profile me",
        "runyard resource check uzh --tasks 2000 --mem 4G",
    )
    verbs = parser.add_subparsers(
        dest="what",
        required=True,
        metavar="list|show|template|add|remove|validate|edit|set|check|...",
    )
    every = verbs.add_parser(
        "list",
        help="list them, broken ones too",
        description="List the resources, each with its file. What is wrong with a broken one is told.",
    )
    add_json(every)
    show = verbs.add_parser(
        "show",
        help="print one as JSON, defaults filled in",
        description="Print a resource as JSON, with the defaults of all that it does not set. `export` "
        "prints it as it is kept.",
    )
    show.add_argument("name", metavar="RESOURCE")
    add_json(show)
    template = verbs.add_parser(
        "template",
        help="print one to begin with, of a kind",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    example(
        template,
        "Print the JSON that a new resource begins with: local, a cluster that you log in to (slurm_ssh), or "
        "one that this machine belongs to (slurm_sudo). What holds on most systems is there; what only you "
        "can know is an empty text, and is told on standard error.",
        "runyard resource template slurm_ssh --name uzh > uzh.json",
        "nano uzh.json",
        "runyard resource validate uzh.json",
        "runyard resource add uzh.json",
    )
    template.add_argument("kind", metavar="KIND", help="local, slurm_ssh or slurm_sudo")
    template.add_argument("--name", metavar="N", help="the name that it gets")
    add_json(template)
    add = verbs.add_parser(
        "add",
        help="add the one in a file",
        description="Add the resource in a file. To write one, begin with a template: "
        "`runyard resource template slurm_ssh > FILE`. It is kept as it is, with keys that the schema does "
        "not know.",
    )
    add.add_argument("file", metavar="FILE", type=Path)
    add.add_argument("--name", metavar="N", help="the name it goes by (default: the one in the file)")
    validate = verbs.add_parser(
        "validate",
        help="tell all that is wrong with one",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    example(
        validate,
        "Tell all that is wrong with the resource in a file, or with one that is there, a line for each "
        "fault, and which of its keys have no effect. The exit code is 2 where there are faults. `check` "
        "asks the cluster whether what is valid works there.",
        "runyard resource validate uzh.json",
        "runyard resource validate uzh",
    )
    validate.add_argument("file", metavar="FILE", help="a file, or the name of a resource that is there")
    validate.add_argument("--name", metavar="N", help="the name that it would be added by")
    add_json(validate)
    documents.describe(verbs, profile=False)
    connect = verbs.add_parser(
        "connect",
        help="try to reach one, and answer what it asks",
        description="Try to reach a cluster. What it asks (whether its key is the right one, the passphrase "
        "of a key, a code) is asked here. The connection stays with the engine, for all runs.",
    )
    connect.add_argument("name", metavar="RESOURCE")
    connect.add_argument("--profile", metavar="P", help="the profile, where there are several")
    checking.describe(verbs.add_parser("check", help="ask a cluster whether runs can work there"))


def execute(args: argparse.Namespace, home: Home) -> int:
    """Do what was asked for."""
    match args.what:
        case "list":
            return _list(home, as_json=args.json)
        case "show":
            return _show(home, args.name, as_json=args.json)
        case "add":
            return _add(home, args.file, args.name)
        case "template":
            from tui.verbs.templates import resource_template

            return resource_template(home, args.kind, args.name, as_json=args.json)
        case "connect":
            return _connect(home, args.name, args.profile)
        case "check":
            make_home(home)
            refuse_unknown(home, args.name)
            return checking.check(args, home)
        case "validate":
            return _validate(home, args.file, args.name, as_json=args.json)
    make_home(home)
    refuse_unknown(home, args.name)
    return documents.execute(args, home, args.name, None)


def make_home(home: Home) -> None:
    """Make the folders of *home*, and the resource `local`, where they are missing.

    Raises:
        ConfigError: they can't be made.
    """
    from runners.config.files import ensure_local_resource

    home.make()
    ensure_local_resource(home.resources, home.jobs.parent)


def refuse_unknown(home: Home, resource: str) -> None:
    """Refuse a name that no resource has, broken ones included.

    Raises:
        ConfigError: there is no such resource, or it is no name of one.
    """
    from runners.config.places import has_resource, no_resource

    if not has_resource(home.resources, resource):
        raise no_resource(home.resources, resource)


def _list(home: Home, *, as_json: bool) -> int:
    from runners.config.files import list_resources

    make_home(home)
    found = list_resources(home.resources)
    if as_json:
        output.array(map(_object, found))
    else:
        objects = [_object(resource) for resource in found]
        output.table(
            _COLUMNS,
            [
                (
                    each["name"],
                    each["type"] or f"{output.state(State.FAILED)[0]} broken",
                    output.path(each["error"] or each["path"]),
                )
                for each in objects
            ],
        )
    return ExitCode.OK


def _object(resource: Stored[Resource] | Broken) -> dict[str, Any]:
    from runners.config.files import Broken

    broken = isinstance(resource, Broken)
    return {
        "name": resource.name,
        "type": None if isinstance(resource, Broken) else resource.value.type,
        "path": str(resource.path),
        "error": str(resource.error) if isinstance(resource, Broken) else None,
        "valid": not broken,
    }


def _show(home: Home, name: str, *, as_json: bool) -> int:
    from runners.config.files import read_resource

    make_home(home)
    refuse_unknown(home, name)
    (output.data if as_json else output.document)(
        read_resource(home.resources, name).value.model_dump(mode="json")
    )
    return ExitCode.OK


def _add(home: Home, file: Path, name: str | None) -> int:
    from runners.config.documents import add_document
    from runners.config.errors import shown
    from runners.config.json_text import from_json, read_file
    from runners.config.resource import parse_resource
    from tui.verbs.faults import tell_unknown, with_name

    data = with_name(from_json(read_file(file), shown(file)), name)
    resource = parse_resource(data, shown(file))
    make_home(home)
    name = resource.name if name is None else name
    add_document(home.resources, name, None, data)
    output.line(f"The resource {name} has been added.")
    tell_unknown(data, None, profile=False)
    return ExitCode.OK


def _validate(home: Home, named: str, name: str | None, *, as_json: bool) -> int:
    from runners.config.resource import parse_resource
    from tui.verbs.faults import validate, with_name

    def parse(data: object, where: str) -> object:
        return parse_resource(with_name(data, name), where)

    return validate(_file(home, named), parse, profile=False, as_json=as_json)


def _file(home: Home, named: str) -> Path:
    """The file of that name, or where there is none, that of the resource of that name."""
    from runners.config.places import resource_names, resource_path

    if not os.path.lexists(named) and named in resource_names(home.resources):
        return resource_path(home.resources, named)
    return Path(named)


def _connect(home: Home, name: str, profile: str | None) -> int:
    from tui.verbs.connecting import connect

    make_home(home)
    refuse_unknown(home, name)
    return connect(home, name, profile)
