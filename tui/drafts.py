"""What was typed into a form and not saved, kept for when the terminal or the dashboard dies.

Reads and writes files below the state folder, which only their owner can read: for threads. Imports no
textual.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from runners.config.errors import ConfigError
from runners.config.home import Home
from runners.config.json_text import from_json, to_json
from runners.config.wholefile import unfinished_file
from tui.forms.draft import Draft
from tui.subject import Subject


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft that was left behind."""

    document: object
    text: str
    """What stood in the JSON where that was none, or else empty."""
    written: float
    """When, in seconds since the epoch."""


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
        content = to_json({"document": document, "text": text})
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
    kept = Kept(found["document"], str(found.get("text", "")), written)
    same = json.dumps(kept.document, sort_keys=True) == json.dumps(subject.document, sort_keys=True)
    return None if same and not kept.text else kept


def drop_draft(home: Home, subject: Subject) -> None:
    """It is saved, or was given up."""
    with contextlib.suppress(OSError):
        _path(home, subject).unlink(missing_ok=True)


def _path(home: Home, subject: Subject) -> Path:
    # Names of resources and profiles are names of files, and none begins with a dot.
    folder = home.state / "drafts"
    if subject.profile is None:
        return folder / f"{subject.resource}.json"
    return folder / subject.resource / f"{subject.profile}.json"
