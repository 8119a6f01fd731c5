"""What resources and profiles there are, row by row, as a screen shows them. Reads files.

Imports no textual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from runners.config.errors import shown
from runners.config.files import Broken, Stored, list_profiles, list_resources
from runners.config.home import Home
from runners.config.profile import Profile
from runners.config.resource import LocalResource, Resource, SlurmSSHResource
from tui.drafts import LeftDraft, left_drafts
from tui.subject import key_of
from tui.text import as_typed


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource, or one of its profiles. The texts are as they stand in files: untrusted."""

    resource: str
    """The name that it goes by, or that of the resource that the profile belongs to."""
    profile: str | None
    """None: it is the resource itself."""
    kind: str
    """Of resource; empty where that can't be told."""
    where: str
    """What it leads to: a host, or a user."""
    partition: str
    """Of SLURM, where one is set."""
    problem: str
    """Why it can't be used, in one sentence; empty where it can."""
    paused: bool
    """It takes nothing new."""
    path: Path
    bare: bool = False
    """It is a cluster without a profile: nobody can act there."""
    typed: float | None = None
    """When something was typed in its form last that is not saved; None where all is."""
    new: bool = False
    """There is only what was typed, and no file as yet."""

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return key_of(self.resource, self.profile)

    @property
    def file(self) -> str:
        """Its file, as a person would type it: with ~ for the own home."""
        return as_typed(str(self.path))

    @property
    def name(self) -> str:
        """What it is called."""
        return self.resource if self.profile is None else self.profile


def read_inventory(home: Home) -> tuple[Entry, ...]:
    """All resources by name, each with its profiles behind it, also such as were typed only. Blocks.

    Raises:
        ConfigError: the folder can't be read.
    """
    left = left_drafts(home)
    entries = {entry.key: entry for entry in _entries(home.resources)}
    for draft in left:
        if (entry := entries.get(draft.key)) is not None:
            entries[draft.key] = replace(entry, typed=draft.written)
        elif draft.profile is None or draft.resource in entries:
            entries[draft.key] = _of_draft(draft, entries.get(draft.resource))
    return tuple(sorted(entries.values(), key=lambda entry: (entry.resource, entry.profile or "")))


def _entries(folder: Path) -> Iterator[Entry]:
    for resource in list_resources(folder):
        kind = "" if isinstance(resource, Broken) else resource.value.type
        profiles = list_profiles(folder, resource.name)
        yield _of_resource(resource, bare=not profiles)
        for profile in profiles:
            yield _of_profile(resource.name, kind, profile)


def _of_draft(draft: LeftDraft, resource: Entry | None) -> Entry:
    kind = resource.kind if resource is not None else draft.kind
    return Entry(
        draft.resource, draft.profile, kind, "", "", "", False, draft.path, typed=draft.written, new=True
    )


def _of_resource(found: Stored[Resource] | Broken, *, bare: bool) -> Entry:
    if isinstance(found, Broken):
        return Entry(found.name, None, "", "", "", _problem(found), False, found.path)
    resource = found.value
    paused, kind = resource.prevent_new_submissions, resource.type
    if isinstance(resource, LocalResource):
        slots = resource.jobs_runner_config.parallel_tasks_per_job
        where = "this machine, no limit" if slots is None else f"this machine, {slots} at a time"
        return Entry(found.name, None, kind, where, "", "", paused, found.path)
    partition = resource.jobs_runner_config.default_slurm_config.partition or ""
    where = resource.host if isinstance(resource, SlurmSSHResource) else "this cluster"
    return Entry(found.name, None, kind, where, partition, "", paused, found.path, bare)


def _of_profile(resource: str, kind: str, found: Stored[Profile] | Broken) -> Entry:
    if isinstance(found, Broken):
        return Entry(resource, found.name, kind, "", "", _problem(found), False, found.path)
    user = found.value.username
    acts = f"as {user}" if user else "as yourself"
    return Entry(resource, found.name, kind, acts, "", "", False, found.path)


def _problem(found: Broken) -> str:
    # Without the file, which is told beside it.
    faults = [f"{path} {message}".strip() for path, message in found.error.fields]
    text = f"{'; '.join(faults)}." if faults else str(found.error).removeprefix(f"{shown(found.path)}: ")
    return f"{text[:1].upper()}{text[1:]}" if not faults else text
