"""What was typed into a form and not saved, kept for when the terminal or the dashboard dies.

Reads and writes files below the state folder, which only their owner can read: for threads. Imports no
textual.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

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
    """Where the draft of a form is kept: a file that is the form's own as long as that is open.

    Other dashboards see it by the lock, which goes when we go, however we do. All is done in turn, and
    nothing once it is given up or let go.
    """

    def __init__(self, home: Home, subject: Subject) -> None:
        self.kept: Kept | None = None
        """What was typed the last time and not saved, where that was found."""
        self.elsewhere = False
        """Whether another dashboard that is running has something typed of it that is not saved."""
        self._home = home
        self._subject = subject
        self._turn = asyncio.Lock()
        # A thread goes on when who waits for it is gone.
        self._writing = threading.Lock()
        self._held: _Held | None = None
        self._over = False

    def open(self, *, hold: bool = True) -> None:
        """Find what was typed and not saved the last time: of several the newest, which is ours from now on.

        Without *hold* all stays as it is. Blocks, briefly.
        """
        dead: list[_Held] = []
        for folder in _folders(self._home):
            try:
                dead.append(_claimed(_path(folder, self._subject)))
            except BlockingIOError:
                self.elsewhere = True
            except (OSError, ConfigError):
                continue
        for held in sorted(dead, key=lambda held: held.written, reverse=True):
            if self.kept is None and (kept := _read(held, self._subject)) is not None:
                self.kept = kept
                if hold:
                    self._held = held
                    continue
            elif self.kept is None and hold:
                # It was saved elsewhere by now, just as it was typed.
                held.remove()
            held.lock.close()

    async def follow(self, subject: Subject, draft: Draft, text: str) -> None:
        """Keep what is typed now; where nothing would be lost, what was kept before is dropped.

        *text* is what stands in the JSON where that is none, or else empty.
        """
        document = draft.document
        begun = subject.new and document != subject.document
        lost = draft.changed() or begun or bool(text)
        async with self._turn:
            if lost:
                await asyncio.to_thread(self.keep, subject, document, text)
            else:
                await asyncio.to_thread(self._drop)

    def keep(self, subject: Subject, document: object, text: str = "") -> None:
        """Keep what is typed now, in place of what was kept before. Blocks.

        Raises nothing: a disk that is full is no reason not to go on typing.
        """
        with self._writing, contextlib.suppress(OSError, ConfigError):
            if self._over:
                return
            base = {} if subject.new else {"base": subject.document}
            content = to_json({"document": document, "text": text, **base})
            if self._held is None:
                self._held = self._put_beside(content)
            else:
                before, self._held = self._held, _put(self._held.path, content, os.replace)
                before.lock.close()

    async def give_up(self) -> None:
        """It is not wanted any more."""
        async with self._turn:
            await asyncio.to_thread(self._drop, over=True)

    def let_go(self) -> None:
        """The form is gone: what is kept is for whoever opens it next. Blocks, briefly."""
        with self._writing:
            self._over = True
            if self._held is not None:
                self._held.lock.close()
                self._held = None

    def _drop(self, *, over: bool = False) -> None:
        with self._writing:
            self._over = self._over or over
            if self._held is not None:
                self._held.remove()
                self._held.lock.close()
                self._held = None

    def _put_beside(self, content: bytes) -> _Held:
        """Keep it in a file of our own, beside those in which others keep theirs."""
        for number in itertools.count(1):
            with contextlib.suppress(FileExistsError):
                # Unlike a rename, it never takes the place of another.
                return _put(_path(_folder(self._home, number), self._subject), content, os.link)
        raise AssertionError("there is always another number")


@dataclass(frozen=True, slots=True)
class _Held:
    """A draft that is ours."""

    path: Path
    lock: BinaryIO
    """The file, opened; it is locked as long as that is."""

    @property
    def written(self) -> float:
        """When, in seconds since the epoch."""
        return os.fstat(self.lock.fileno()).st_mtime

    def remove(self) -> None:
        """Nobody needs it any more."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def _claimed(path: Path) -> _Held:
    """The draft at *path*, which is ours from now on.

    Raises:
        BlockingIOError: it is somebody's who is running.
        OSError: there is none.
    """
    while True:
        lock = path.open("r+b")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # It may have been replaced or removed before it was locked.
            if os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                return _Held(path, lock)
        except BaseException:
            lock.close()
            raise
        lock.close()


def _put(path: Path, content: bytes, put: Callable[[str, Path], None]) -> _Held:
    """Have the file at *path* hold *content*, put there by *put*; it is ours from the beginning."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with unfinished_file(path, content, 0o600) as temporary:
        lock = open(temporary, "r+b")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            put(temporary, path)
        except BaseException:
            lock.close()
            raise
    return _Held(path, lock)


def _read(held: _Held, subject: Subject) -> Kept | None:
    """What was typed; None where it says nothing that the file does not say."""
    try:
        found = from_json(held.lock.read(), str(held.path))
    except (OSError, ConfigError):
        return None
    if not isinstance(found, dict) or "document" not in found:
        return None
    now, text = subject.document, str(found.get("text", ""))
    base = found.get("base", now) if subject.joinable else now
    document, _ = merged(base, found["document"], now)
    if same(document, now) and not text:
        return None
    return Kept(document, text, held.written, not same(base, now))


def left_drafts(home: Home) -> tuple[LeftDraft, ...]:
    """All that was typed and not saved, in open forms as well; each resource before its profiles. Blocks.

    Of what was typed in several places it is the newest.
    """
    newest: dict[str, LeftDraft] = {}
    for draft in _all(home):
        if draft.key not in newest or draft.written > newest[draft.key].written:
            newest[draft.key] = draft
    return tuple(sorted(newest.values(), key=lambda draft: (draft.resource, draft.profile or "")))


def _all(home: Home) -> Iterator[LeftDraft]:
    for folder in _folders(home):
        with contextlib.suppress(ConfigError):
            for resource in resource_names(folder):
                for profile in (None, *profile_names(folder, resource)):
                    if (found := _left(folder, resource, profile)) is not None:
                        yield found


def _left(folder: Path, resource: str, profile: str | None) -> LeftDraft | None:
    with contextlib.suppress(OSError, ConfigError):
        path = document_path(folder, resource, profile)
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


def drop_drafts(home: Home, resource: str, profile: str | None) -> None:
    """What was typed of it is not wanted any more; with a resource goes what was typed of its profiles.

    Raises:
        ConfigError: a dashboard that is running has it open; what is typed there stays.
    """
    if forget_drafts(home, resource, profile):
        raise ConfigError(
            f"{shown(key_of(resource, profile))} is open in another dashboard, with changes that are not "
            "saved there: leave it there first."
        )


def forget_drafts(home: Home, resource: str, profile: str | None) -> int:
    """As :func:`drop_drafts`, but says how many drafts of others stay."""
    others = 0
    for draft in _drafts_of(home, resource, profile):
        try:
            held = _claimed(draft.path)
        except BlockingIOError:
            others += 1
        except OSError:
            continue
        else:
            held.remove()
            held.lock.close()
    return others


def _drafts_of(home: Home, resource: str, profile: str | None) -> list[LeftDraft]:
    return [each for each in _all(home) if each.resource == resource and profile in (None, each.profile)]


def refuse_typed(home: Home, resource: str, profile: str | None) -> None:
    """Refuse a name under which something was typed that is not saved, for what is to get that name.

    Raises:
        ConfigError: it would be lost.
    """
    drafts = _drafts_of(home, resource, profile)
    if drafts:
        raise ConfigError(
            f"Something was typed for {shown(drafts[0].key)} in a form and not saved: save or drop it first, "
            "or choose another name."
        )


def move_drafts(home: Home, resource: str, profile: str | None, name: str) -> None:
    """It is called *name* from now on, and so is what was typed of it; see :func:`refuse_typed`.

    What is typed in a dashboard that is running stays what it is called there.
    """
    for draft in _drafts_of(home, resource, profile):
        folder = draft.path.parents[1 if draft.profile is None else 2]
        new = document_path(folder, *((name, draft.profile) if profile is None else (resource, name)))
        # Where it can't be moved it stays.
        with contextlib.suppress(OSError):
            held = _claimed(draft.path)
            try:
                new.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                draft.path.rename(new)
            finally:
                held.lock.close()


def _path(folder: Path, subject: Subject) -> Path:
    return document_path(folder, subject.resource, subject.profile)


def _folder(home: Home, number: int = 1) -> Path:
    """It is laid out as that of the resources is. Those after the first are for what is typed in several."""
    return home.state / ("drafts" if number == 1 else f"drafts.{number}")


def _folders(home: Home) -> list[Path]:
    """All that there are."""
    return [_folder(home), *home.state.glob("drafts.*")]
