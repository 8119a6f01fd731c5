"""What a person can have done to resources and profiles, from their table or from the command palette.

What can't be undone is asked about first; files are written beside all else; the answer is one sentence.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runners.batches import Line
from runners.config.documents import read_document
from runners.config.errors import ConfigError, shown
from runners.config.folders import duplicate_profile, duplicate_resource
from runners.config.json_text import from_json, read_file
from runners.config.places import LOCAL, document_path
from runners.config.resource import RESOURCE_TYPES
from runners.config.templates import new_profile_document, new_resource_document
from tui.drafts import drop_drafts
from tui.inventory import Entry
from tui.messages import OpenCheck
from tui.open_pages import form_of, new_form, open_forms, to_front
from tui.renaming import remove_document, rename_document
from tui.screens.choose import Choice, Choose
from tui.screens.confirm import Confirm
from tui.screens.line import AskLine, Attempt
from tui.subject import Subject, key_of
from tui.text import plain

if TYPE_CHECKING:
    from tui.screens.resources import ResourcesPage

_KINDS = (
    Choice("local", "local", "This machine's own cores."),
    Choice("slurm_ssh", "slurm_ssh", "A SLURM cluster that you log in to over SSH."),
    Choice(
        "slurm_sudo",
        "slurm_sudo",
        "A SLURM cluster that this machine belongs to, as other users through sudo.",
    ),
)


def new_resource(page: ResourcesPage) -> None:
    """A new resource from a template: its kind, its name, then the form. Nothing is written as yet."""

    def chosen(kind: str | None) -> None:
        if kind is not None:
            _ask_name(
                page,
                f"New resource: {kind}",
                "The name that it goes by here, and that --resource takes.",
                None,
                lambda name: _edit_new(page, name, None, kind),
            )

    page.app.push_screen(Choose("New resource", _KINDS, more="What kind of place is it?"), chosen)


def new_profile(page: ResourcesPage, entry: Entry) -> None:
    """A new profile from a template; nothing is written before it is saved."""
    if not entry.kind:
        page.dashboard.tell("Mend the resource first: what kind it is can't be told.", wrong=True)
        return
    _ask_name(
        page,
        f"New profile of {entry.resource}",
        "The name that it goes by here, and that --profile takes.",
        entry.resource,
        lambda name: _edit_new(page, entry.resource, name, entry.kind),
    )


def duplicate(page: ResourcesPage, entry: Entry) -> None:
    """The same again under another name; a resource with its profiles."""
    folder = page.dashboard.home.resources

    async def copy(name: str) -> None:
        if entry.profile is None:
            await asyncio.to_thread(duplicate_resource, folder, entry.resource, name, profiles=True)
        else:
            await asyncio.to_thread(duplicate_profile, folder, entry.resource, entry.profile, name)

    def done(name: str) -> None:
        if entry.profile is None:
            page.dashboard.tell(f"{name} is a copy of {entry.resource}, with its profiles.")
        else:
            page.dashboard.tell(f"The profile {name} is a copy of {entry.profile}.")
        page.go_to(name if entry.profile is None else f"{entry.resource}/{name}")

    more = "Its profiles are copied too." if entry.profile is None else "The name of the copy."
    owner = None if entry.profile is None else entry.resource
    _ask_name(page, f"Duplicate {entry.name}", more, owner, done, f"{entry.name}-copy", copy)


def rename(page: ResourcesPage, entry: Entry) -> None:
    """Another name; not while runs go on under this one."""
    home = page.dashboard.home
    if _is_open(page, entry):
        return

    async def move(name: str) -> None:
        await asyncio.to_thread(rename_document, home, entry.resource, entry.profile, name)

    def done(name: str) -> None:
        page.dashboard.tell(f"{entry.name} is called {name} from now on.")
        page.go_to(name if entry.profile is None else f"{entry.resource}/{name}")

    owner = None if entry.profile is None else entry.resource
    about = "Runs that have ended keep the name that they were launched with."
    _ask_name(page, f"Rename {entry.name}", about, owner, done, entry.name, move, entry.name)


def remove(page: ResourcesPage, entry: Entry) -> None:
    """Away with it, once the person has confirmed; not while runs use it."""
    home = page.dashboard.home
    if _is_open(page, entry):
        return

    def question() -> str:
        if entry.new:
            return f"Drop what was typed of {plain(entry.key)} and never saved?"
        if entry.profile is not None:
            return f"Remove the profile {plain(entry.profile)} of {plain(entry.resource)}?"
        profiles = sum(
            other.resource == entry.resource and other.profile is not None and not other.new
            for other in page.entries.values()
        )
        also = {0: "", 1: " and its profile"}.get(profiles, f" and its {profiles} profiles")
        return f"Remove the resource {plain(entry.resource)}{also}?"

    def answered(yes: bool | None) -> None:
        if yes:
            told = f"What was typed of {entry.key} was" if entry.new else f"{entry.name} has been"
            done = asyncio.to_thread(
                drop_drafts if entry.new else remove_document, home, entry.resource, entry.profile
            )
            _do(page, done, f"{told} {'dropped' if entry.new else 'removed'}.")

    more = (
        "This can't be undone."
        if entry.new
        else "This can't be undone: its backup goes too. Export (o) keeps a copy. Runs that have ended stay."
    )
    page.app.push_screen(Confirm(question, yes="Remove", no="Keep", more=more), answered)


def bring_in(page: ResourcesPage, entry: Entry | None) -> None:
    """Take a resource or a profile from a JSON file to the form; nothing is written before it is saved."""

    found: list[_Import] = []

    async def read(text: str) -> None:
        found[:] = [await asyncio.to_thread(_read_import, _path(text), entry)]

    def typed(text: str | None) -> None:
        if text is not None:
            _bring_in(page, found[0])

    about = (
        "A JSON file of a resource or a profile, as fractal-server has them. It opens in the form; nothing "
        "is written before you save it."
    )
    page.app.push_screen(AskLine("Import", about=about, attempt=read), typed)


class _Import(NamedTuple):
    """What was read from a file."""

    document: dict[str, Any]
    name: str
    resource: str | None
    """Of a profile: the resource that it is for."""


def _read_import(path: Path, entry: Entry | None) -> _Import:
    """Raises ConfigError where there is nothing to be imported."""
    document = from_json(read_file(path), shown(path), once=True)
    if not isinstance(document, dict):
        raise ConfigError(f"{shown(path)}: it must be a JSON object.")
    name = document.get("name")
    name = name.strip() if isinstance(name, str) else path.stem
    if "resource_type" not in document:
        return _Import(document, name, None)
    if entry is None:
        raise ConfigError(f"{shown(path)} holds a profile: put the cursor on the resource that it is for.")
    return _Import(document, name, entry.resource)


def _bring_in(page: ResourcesPage, found: _Import) -> None:
    title = "Import a resource" if found.resource is None else f"Import a profile for {found.resource}"

    def named(name: str) -> None:
        if found.resource is None:
            _edit(page, name, None, found.document)
        else:
            _edit(page, found.resource, name, found.document)

    _ask_name(page, title, "The name that it goes by here.", found.resource, named, found.name)


def bring_out(page: ResourcesPage, entry: Entry) -> None:
    """Write the JSON as it is to a file that must be new."""
    home = page.dashboard.home

    def work(path: Path) -> None:
        content = read_document(home.resources, entry.resource, entry.profile).content
        try:
            with open(path, "xb") as file:
                file.write(content)
        except OSError as error:
            raise ConfigError(f"Cannot write {shown(path)} ({error.strerror or error}).") from error

    async def write(text: str) -> None:
        await asyncio.to_thread(work, _path(text))

    def typed(text: str | None) -> None:
        if text is not None:
            page.dashboard.tell(f"{entry.name} was written to {_path(text)}.")

    about = "The file to write its JSON to, exactly as it stands; it must be new."
    begin = f"{entry.name if entry.profile is None else f'{entry.resource}-{entry.profile}'}.json"
    page.app.push_screen(AskLine(f"Export {entry.name}", about=about, value=begin, attempt=write), typed)


def check(page: ResourcesPage, entry: Entry) -> None:
    """Ask the cluster whether it can work, as its file is."""
    page.dashboard.post_message(OpenCheck(entry.resource, entry.profile))


def connect(page: ResourcesPage, entry: Entry) -> None:
    """Try to reach a cluster now. What it asks meanwhile is asked in the dashboard."""
    if entry.kind in ("", "local") or page.dashboard.refuses_changes():
        return
    profile = entry.profile or page.first_profile(entry.resource)
    if profile is None:
        page.dashboard.tell(f"{entry.resource} has no profile yet: p makes one.", wrong=True)
        return
    who = f"{entry.resource} as {profile}"

    async def attempt() -> None:
        client = page.dashboard.client
        await client.ensure_running()
        line: Line = await client.connect(entry.resource, profile)
        if line.up:
            trip = "" if line.round_trip_s is None else f", {line.round_trip_s * 1000:.0f} ms"
            page.dashboard.tell(f"{who} is up{trip}.")
        else:
            page.dashboard.tell(f"{who} can't be reached: {line.trouble}", wrong=True)

    page.dashboard.tell(f"Trying to reach {who}…")
    page.run_worker(attempt(), group="connect", exit_on_error=False)


# In common


def _is_open(page: ResourcesPage, entry: Entry) -> bool:
    """Whether it, or a profile of it, is open in a form below, which would go on with what it was: told."""
    forms = open_forms(page.dashboard, entry.resource, entry.profile)
    if forms:
        page.dashboard.tell(f"The form of {forms[0].subject.words} is open: leave it first.", wrong=True)
    return bool(forms)


def _ask_name(
    page: ResourcesPage,
    title: str,
    about: str,
    resource: str | None,
    then: Callable[[str], object],
    value: str = "",
    attempt: Attempt | None = None,
    own: str = "",
) -> None:
    """Ask for a name that is free: a resource's, or that of a profile of *resource*.

    *then* is done with it, after *attempt* if there is one; if that fails, it is asked for again. *own* is
    the name that it has.
    """
    folder = page.dashboard.home.resources

    def fault(name: str) -> str:
        try:
            document_path(folder, resource or name, None if resource is None else name)
        except ConfigError as error:
            return str(error)
        key = name if resource is None else f"{resource}/{name}"
        there = page.entries.get(key)
        # With a name that was typed and never saved one goes on, but nothing else gets it.
        if key == LOCAL or (there is not None and (attempt is not None or not there.new)):
            return "That is its name." if name == own else f"There is {name!r} already; choose another name."
        return ""

    def typed(name: str | None) -> None:
        if name is not None:
            then(name)

    page.app.push_screen(AskLine(title, about=about, value=value, fault=fault, attempt=attempt), typed)


def edit_typed(page: ResourcesPage, entry: Entry) -> None:
    """Go on with what was typed of a resource or profile that was never saved."""
    if entry.kind in RESOURCE_TYPES:
        _edit_new(page, entry.resource, entry.profile, entry.kind)
    else:
        _edit(page, entry.resource, entry.profile, {})


def _edit_new(page: ResourcesPage, resource: str, profile: str | None, kind: str) -> None:
    home = page.dashboard.home

    async def begin() -> None:
        # A template looks at this machine: which keys there are in the user's home, say.
        if profile is None:
            document = await asyncio.to_thread(new_resource_document, kind, home)
        else:
            document = await asyncio.to_thread(new_profile_document, kind)
        _edit(page, resource, profile, {**document, "name": resource if profile is None else profile})

    page.run_worker(begin(), group="files", exit_on_error=False)


def _edit(page: ResourcesPage, resource: str, profile: str | None, document: object) -> None:
    if (form := form_of(page.dashboard, resource, profile)) is not None:
        to_front(page.dashboard, form)
        return
    subject = Subject(resource, profile, document)

    async def begin() -> None:
        form = await new_form(page.dashboard, subject)
        # Back in the table, it is the one under the cursor, if it was saved.
        page.app.push_screen(form, lambda _: page.go_to(key_of(resource, profile)))

    page.run_worker(begin(), group="files", exit_on_error=False)


def _path(text: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(text)))


def _do(page: ResourcesPage, work: Coroutine[Any, Any, Any], told: str, then: str = "") -> None:
    """Have *work* done, say *told*, and go to the row *then*."""

    async def done() -> None:
        await work
        page.dashboard.tell(told)
        page.go_to(then)

    page.run_worker(done(), group="files", exit_on_error=False)
