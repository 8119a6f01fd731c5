"""What was typed into a form and not saved, kept for when the terminal or the dashboard dies.

Reads and writes files below the state folder, which only their owner can read: for threads. Imports no
textual.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from runners.config.errors import ConfigError, shown
from runners.config.home import Home
from runners.config.json_text import from_json, to_json
from runners.config.places import document_path, profile_names, resource_names
from runners.config.wholefile import unfinished_file
from tui.forms.draft import Draft
from tui.forms.merging import merged
from tui.forms.tree import same
from tui.subject import Subject, key_of


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft that was left behind."""

    document: object
    """What was typed; joined with what was changed elsewhere since, where that is so."""
    text: str
    """What stood in the JSON where that was none, or else empty."""
    written: float
    """When, in seconds since the epoch."""
    elsewhere: bool = False
    """Whether that is so. What was changed both here and there is as it was typed."""


@dataclass(frozen=True, slots=True)
class LeftDraft:
    """That something was typed and not saved, and of what."""

    resource: str
    profile: str | None
    """None: it is the resource itself."""
    kind: str
    """Of resource, as it was typed: untrusted; empty where that can't be told."""
    written: float
    """When, in seconds since the epoch."""
    path: Path

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return key_of(self.resource, self.profile)


class DraftFile:
    """Where the draft of a form is kept. All is done in turn, and nothing once it is given up."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._turn = asyncio.Lock()
        self._given_up = False

    async def follow(self, subject: Subject, draft: Draft, text: str) -> None:
        """Keep what is typed now; where nothing would be lost, what was kept before is dropped.

        *text* is what stands in the JSON where that is none, or else empty.
        """
        document = draft.document
        begun = subject.new and document != subject.document
        lost = draft.changed() or begun or bool(text)
        async with self._turn:
            if self._given_up:
                return
            if lost:
                await asyncio.to_thread(keep_draft, self._home, subject, document, text)
            else:
                await asyncio.to_thread(drop_draft, self._home, subject)

    async def give_up(self, subject: Subject) -> None:
        """It is not wanted any more."""
        self._given_up = True
        async with self._turn:
            await asyncio.to_thread(drop_draft, self._home, subject)


def keep_draft(home: Home, subject: Subject, document: object, text: str = "") -> None:
    """Keep what is typed now, in place of what was kept before.

    Raises nothing: a disk that is full is no reason not to go on typing.
    """
    path = _path(home, subject)
    with contextlib.suppress(OSError, ConfigError):
        base = {} if subject.new else {"base": subject.document}
        content = to_json({"document": document, "text": text, **base})
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with unfinished_file(path, content, 0o600) as temporary:
            os.replace(temporary, path)


def kept_draft(home: Home, subject: Subject) -> Kept | None:
    """What was typed and not saved the last time; None where there is nothing."""
    path = _path(home, subject)
    try:
        written = path.stat().st_mtime
        found = from_json(path.read_bytes(), str(path))
    except (OSError, ConfigError):
        return None
    if not isinstance(found, dict) or "document" not in found:
        return None
    now, text = subject.document, str(found.get("text", ""))
    base = found.get("base", now) if subject.joinable else now
    document, _ = merged(base, found["document"], now)
    if same(document, now) and not text:
        return None
    return Kept(document, text, written, not same(base, now))


def drop_draft(home: Home, subject: Subject) -> None:
    """It is saved, or was given up."""
    with contextlib.suppress(OSError):
        _path(home, subject).unlink(missing_ok=True)


def left_drafts(home: Home) -> tuple[LeftDraft, ...]:
    """All that was typed and not saved, in open forms as well; each resource before its profiles. Blocks."""
    folder = _folder(home)
    found: list[LeftDraft | None] = []
    with contextlib.suppress(ConfigError):
        for resource in resource_names(folder):
            found += [_left(home, resource, None)]
            found += [_left(home, resource, profile) for profile in profile_names(folder, resource)]
    return tuple(draft for draft in found if draft is not None)


def _left(home: Home, resource: str, profile: str | None) -> LeftDraft | None:
    with contextlib.suppress(OSError, ConfigError):
        path = document_path(_folder(home), resource, profile)
        found = path.stat()
        kind = _kind(path, found.st_ino, found.st_size, found.st_mtime_ns)
        return LeftDraft(resource, profile, kind, found.st_mtime, path)
    return None


@lru_cache(maxsize=256)
def _kind(path: Path, *_version: int) -> str:
    """Of the resource that was typed. All are asked for every few seconds: each version is read once."""
    match from_json(path.read_bytes(), str(path)):
        case {"document": {"type": str(kind)}} | {"document": {"resource_type": str(kind)}}:
            return kind
    return ""


def forget_drafts(home: Home, resource: str, profile: str | None) -> None:
    """What was typed of it is not wanted any more; with a resource goes what was typed of its profiles."""
    path = document_path(_folder(home), resource, profile)
    if profile is None:
        shutil.rmtree(path.parent, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def refuse_typed(home: Home, resource: str, profile: str | None) -> None:
    """Refuse a name under which something was typed that is not saved, for what is to get that name.

    Raises:
        ConfigError: it would be lost.
    """
    drafts = [draft for draft in left_drafts(home) if draft.resource == resource]
    if profile is not None:
        drafts = [draft for draft in drafts if draft.profile == profile]
    if drafts:
        raise ConfigError(
            f"Something was typed for {shown(drafts[0].key)} in a form and not saved: save or drop it first, "
            "or choose another name."
        )


def move_drafts(home: Home, resource: str, profile: str | None, name: str) -> None:
    """It is called *name* from now on, and so is what was typed of it; see :func:`refuse_typed`."""
    folder = _folder(home)
    old = document_path(folder, resource, profile)
    # Where nothing was typed there is nothing to move.
    with contextlib.suppress(OSError):
        if profile is None:
            new = document_path(folder, name, None).parent
            # An empty one may be left.
            shutil.rmtree(new, ignore_errors=True)
            old.parent.rename(new)
        else:
            old.rename(document_path(folder, resource, name))


def _path(home: Home, subject: Subject) -> Path:
    return document_path(_folder(home), subject.resource, subject.profile)


def _folder(home: Home) -> Path:
    """It is laid out as that of the resources is."""
    return home.state / "drafts"
