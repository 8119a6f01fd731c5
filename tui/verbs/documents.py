"""What `runyard resource` and `runyard profile` do to JSON documents: edit, set, diff, remove and so on.

Both have the same verbs; a profile is named by its resource and its own name.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from runners.config.errors import shown
from runners.config.home import Home
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.opening import add_json, example

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from runners.config.documents import Document

_SET = """\
Set fields of a document. PATH is the field's name as errors tell it, with dots between; an item of a list \
is told by its number, and the number after the last makes a new one. VALUE is JSON (2, true, null, ["a"]) \
if it can be read as that, else a text. The difference is shown. What is not valid, or was changed elsewhere \
meanwhile, is not written."""


def describe(verbs: _SubParsersAction[argparse.ArgumentParser], *, profile: bool) -> None:
    """Add the verbs to those of `runyard resource`, or of `runyard profile`."""
    what, example_name = ("profile", "uzh me") if profile else ("resource", "uzh")
    named = "RESOURCE PROFILE" if profile else "RESOURCE"

    def add(verb: str, about: str) -> argparse.ArgumentParser:
        parser = verbs.add_parser(verb, help=about, formatter_class=argparse.RawDescriptionHelpFormatter)
        if profile:
            parser.add_argument("resource", metavar="RESOURCE")
        parser.add_argument("name", metavar=what.upper())
        return parser

    export = add("export", "print its JSON as it is kept, unknown keys too")
    example(
        export,
        f"Print the JSON of the {what} unchanged: as it was imported or edited. `show` fills in defaults.",
        f"runyard {what} export {example_name} > {what}.json",
    )
    add_json(export)
    edit = add("edit", "edit its JSON in $VISUAL or $EDITOR")
    example(
        edit,
        f"Edit the JSON of the {what} in your editor, also a broken one. It is checked when you leave the "
        "editor; what is wrong is marked, and you get it again. Nothing is written before it is valid; what "
        "was changed is shown then. An edit that was not saved, because you gave up or the terminal died, is "
        "opened again the next time.",
        f"runyard {what} edit {example_name}",
        f"EDITOR='code --wait' runyard {what} edit {example_name}",
    )
    edit.add_argument(
        "--fresh", action="store_true", help="begin with what is saved; drop edits that were not"
    )
    change = add("set", "set fields, as PATH=VALUE")
    change.usage = f"{change.prog} [-h] [--unset PATH] [--dry-run]\n{' ' * 12}{named} [PATH=VALUE ...]"
    # Not "*": that would be content with nothing where an option comes before the first.
    sets = change.add_argument("assignments", metavar="PATH=VALUE", nargs="+", default=[], help="what to set")
    sets.required = False
    change.add_argument(
        "--unset", metavar="PATH", action="append", default=[], help="take the field out: its default holds"
    )
    change.add_argument("--dry-run", action="store_true", help="show the difference, and change nothing")
    config = "jobs_runner_config.default_slurm_config"
    examples = (
        ("username=bob", "ssh_key_path=/home/bob/.ssh/id_ed25519")
        if profile
        else (f"{config}.mem=3G", f"{config}.time=2:00:00 --dry-run", f"--unset {config}.constraint")
    )
    example(change, _SET, *(f"runyard {what} set {example_name} {each}" for each in examples))
    diff = add("diff", "show what a file, or the last save, changes")
    diff.add_argument(
        "file", metavar="FILE", nargs="?", type=Path, help="compare with this (default: the version before)"
    )
    add_json(diff)
    example(
        diff,
        f"Show the difference between the {what} and the one in a file; without a file, what the last save "
        "has changed. No difference prints nothing.",
        f"runyard {what} diff {example_name}",
        f"runyard {what} diff {example_name} {what}.json",
    )
    for verb, about in (("rename", "give it another name"), ("duplicate", "make another one like it")):
        moved = add(verb, about)
        moved.add_argument("new", metavar="NEW")
        note = "Runyard goes by this name; the `name` in the JSON follows, unless it was another one."
        example(moved, f"{about.capitalize()}. {note}", f"runyard {what} {verb} {example_name} new")
        if verb == "duplicate" and not profile:
            moved.add_argument("--without-profiles", action="store_true", help="the resource alone")
    remove = add("remove", "remove one" if profile else "remove one, with its profiles")
    remove.add_argument("--yes", action="store_true", help="don't ask")
    also = "" if profile else ", with its profiles"
    example(
        remove,
        f"Remove the {what}{also}, which can't be undone: its backup goes too. You are asked first; where "
        "there is no terminal, it takes --yes. One that runs are on is kept.",
        f"runyard {what} remove {example_name}",
        f"runyard {what} remove {example_name} --yes",
    )


def execute(args: argparse.Namespace, home: Home, resource: str, profile: str | None) -> int:
    """Do what was asked for, to a document that is there."""
    words = f"The resource {shown(resource)}"
    if profile is not None:
        words = f"The profile {shown(profile)} of the resource {shown(resource)}"
    match args.what:
        case "export":
            return _export(home, resource, profile, as_json=args.json)
        case "edit":
            from tui.verbs.editing import edit

            return edit(home, resource, profile, words, fresh=args.fresh)
        case "set":
            return _set(home, resource, profile, words, args)
        case "diff":
            return _diff(home, resource, profile, args.file, as_json=args.json)
        case "rename":
            return _rename(home, resource, profile, args.new, words)
        case "remove":
            return _remove(home, resource, profile, words, asks=not args.yes)
    return _duplicate(home, resource, profile, args, words)


def _export(home: Home, resource: str, profile: str | None, *, as_json: bool) -> int:
    from runners.config.places import profile_names

    (output.data if as_json else output.document)(_json(home, resource, profile).data)
    output.flush()
    if profile is None and (names := profile_names(home.resources, resource)):
        others = ", ".join(map(shown, names))
        command = shlex.join(["runyard", "profile", "export", resource, names[0]])
        output.note(f"Its profiles are not in it: {others}; `{command}` prints one.")
    return ExitCode.OK


def _json(home: Home, resource: str, profile: str | None) -> Document:
    """The document, which may have faults but has to be JSON."""
    from runners.config.documents import read_document
    from runners.config.json_text import NOTHING

    read = read_document(home.resources, resource, profile)
    if read.data is NOTHING and read.error is not None:
        raise read.error
    return read


def _set(home: Home, resource: str, profile: str | None, words: str, args: argparse.Namespace) -> int:
    from runners.config.documents import save_document, validate_document
    from runners.config.json_text import difference
    from tui.forms.spec import PROFILE_SPEC, RESOURCE_SPEC
    from tui.verbs.assigning import assign, is_assignment, unset
    from tui.verbs.faults import tell_unknown
    from tui.verbs.reaching import tell_live

    if not args.assignments and not args.unset:
        raise Failure(f"Nothing to set: name fields as PATH=VALUE, or with --unset PATH; {_usage(profile)}")
    for assignment in args.assignments:
        if not is_assignment(assignment):
            raise Failure(
                f"{shown(assignment)} is no assignment: it must be PATH=VALUE, as in host=login.uzh.ch; "
                f"{_usage(profile)}"
            )
    read = _json(home, resource, profile)
    spec = RESOURCE_SPEC if profile is None else PROFILE_SPEC
    data = read.data
    for path in args.unset:
        data = unset(spec, data, path)
    for assignment in args.assignments:
        data = assign(spec, data, assignment)
    validate_document(home.resources, resource, profile, data)
    lines = difference(read.data, data, read.name)
    if not lines:
        output.line(f"{words} is like that already.")
        return ExitCode.OK
    if not args.dry_run:
        save_document(home.resources, read, data)
    for line in lines:
        output.line(line)
    output.line(f"{words} {'is as it was: this was a dry run' if args.dry_run else 'has been saved'}.")
    tell_unknown(data, read.data, profile=profile is not None)
    tell_live(home, resource, profile)
    return ExitCode.OK


def _usage(profile: str | None) -> str:
    what = "resource" if profile is None else "profile"
    return f"`runyard {what} set --help` shows how it is used."


def _diff(home: Home, resource: str, profile: str | None, file: Path | None, *, as_json: bool) -> int:
    from runners.config.documents import read_backup, read_document
    from runners.config.json_text import NOTHING, from_json, read_file, text_difference, to_json

    read = read_document(home.resources, resource, profile)
    # One that is no JSON is compared as the text that it is; of others, layout is no difference.
    present = read.text if read.data is NOTHING else to_json(read.data).decode()
    if file is None:
        before, after = to_json(read_backup(home.resources, resource, profile)).decode(), present
    else:
        before, after = present, to_json(from_json(read_file(file), shown(file))).decode()
    lines = text_difference(before, after, read.name)
    if as_json:
        output.data({"different": bool(lines), "difference": lines})
        return ExitCode.OK
    for line in lines:
        output.line(line)
    return ExitCode.OK


def _rename(home: Home, resource: str, profile: str | None, new: str, words: str) -> int:
    from tui.renaming import rename_document

    rename_document(home, resource, profile, new)
    output.line(f"{words} is called {new} from now on.")
    return ExitCode.OK


def _remove(home: Home, resource: str, profile: str | None, words: str, *, asks: bool) -> int:
    from runners.config.places import profile_names
    from runners.in_use import out_of_use
    from tui.renaming import remove_document

    names = [] if profile is not None else profile_names(home.resources, resource)
    also = f"{'profile' if len(names) == 1 else 'profiles'} {', '.join(map(shown, names))}" if names else ""
    if asks:
        # Nobody is asked about what is refused anyway; nor is the store held while they think.
        with out_of_use(home, resource, profile, done="removed"):
            pass
        what = f"{words[0].lower()}{words[1:]}{also and f' and its {also}'}"
        if not output.can_ask():
            raise Failure(
                f"Nobody can be asked here whether to remove {what}, which can't be undone; --yes removes "
                "without asking."
            )
        if not output.agreed(f"Remove {what}? This can't be undone."):
            raise Failure(f"{words} is as it was.")
    remove_document(home, resource, profile)
    output.line(f"{words} has been removed{also and f', with its {also}'}.")
    return ExitCode.OK


def _duplicate(home: Home, resource: str, profile: str | None, args: argparse.Namespace, words: str) -> int:
    from runners.config.folders import duplicate_profile, duplicate_resource

    if profile is None:
        duplicate_resource(home.resources, resource, args.new, profiles=not args.without_profiles)
        also = " without its profiles" if args.without_profiles else " with its profiles"
    else:
        duplicate_profile(home.resources, resource, profile, args.new)
        also = ""
    output.line(f"{words} is there as {args.new} too{also and ','}{also}.")
    return ExitCode.OK
