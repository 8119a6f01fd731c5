"""`runyard resource`: the places that run work."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runners.config.home import Home
from runners.states import State
from tui import output
from tui.failure import ExitCode, Failure
from tui.output import Column
from tui.verbs import checking, documents
from tui.verbs.opening import add_json, example

if TYPE_CHECKING:
    from runners.config.files import Broken, Stored
    from runners.config.resource import Resource

_COLUMNS = (Column("resource"), Column("type"), Column("file, or what is wrong with it", stretches=True))


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
    add_json(verbs.add_parser("list", help="list them, broken ones too"))
    show = verbs.add_parser("show", help="print one as JSON, defaults filled in")
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
        "can know is not, and is told on standard error.",
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
    validate = verbs.add_parser("validate", help="tell all that is wrong with the one in a file")
    validate.add_argument("file", metavar="FILE", type=Path)
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
            from tui.verbs.faults import validate

            return validate(args.file, profile=False, as_json=args.json)
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
        Failure: there is no such resource.
        ConfigError: it is no name of a resource.
    """
    from runners.config.files import list_resources
    from runners.config.places import resource_path

    if not resource_path(home.resources, resource).parent.is_dir():
        names = ", ".join(found.name for found in list_resources(home.resources))
        raise Failure(f"There is no resource {resource!r}; there are: {names}.", ExitCode.NOT_FOUND)


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
                    each["error"] or each["path"],
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

    data = from_json(read_file(file), shown(file))
    if name is not None and isinstance(data, dict):
        # The name inside may be another one, but must be there.
        data.setdefault("name", name)
    resource = parse_resource(data, shown(file))
    make_home(home)
    name = resource.name if name is None else name
    add_document(home.resources, name, None, data)
    output.line(f"The resource {name} has been added.")
    return ExitCode.OK


def _connect(home: Home, name: str, profile: str | None) -> int:
    from tui.verbs.connecting import connect

    make_home(home)
    refuse_unknown(home, name)
    return connect(home, name, profile)
