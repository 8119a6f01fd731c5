"""The dashboard's one reader of the store: it looks four times a second and hands on whole pictures.

A picture is immutable and complete, so that a newer one may replace one that nobody has looked at yet. Only
what has changed is read anew (`since=` revisions); the rest is carried over. Imports no textual.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runners.store.database import StoreError, connect
from runners.store.reader import COMMANDS_KEPT, Reader, UnknownRunError
from runners.store.rows import BatchRow, CommandRow, Counts, PlaceRow, RunRow, SlotRow, StepRow, TaskRow
from tui.pace import Load

INTERVAL_S = 0.25
"""Seconds between two looks at the store."""

FIRST_TASKS = 250
"""Tasks in the first picture of a run: more than a screen shows, few enough to be there at once."""

_BUSY_MS = 500
"""How long one look waits for another process's transaction."""

_SLOW_LOOKS = 4
"""What changes rarely (the engine's life, the file's identity) is looked at once in this many looks."""


@dataclass(frozen=True, slots=True)
class RunPicture:
    """One run in full."""

    run: str
    folder: str = ""
    """The run's own, absolute."""
    workflow: Mapping[str, Any] = field(default_factory=dict)
    """What was launched, as `runners.workflow.Workflow` reads it; read once, since it never changes."""
    steps: tuple[StepRow, ...] = ()
    batches: tuple[BatchRow, ...] = ()
    slots: tuple[SlotRow, ...] = ()
    tasks: Mapping[int, TaskRow] = field(default_factory=dict)
    """By index, in order. A row that has not changed is the same object as in the picture before."""
    complete: bool = False
    """Whether `tasks` holds all of them; the first picture of a large run shows only its beginning."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the store said at one moment."""

    runs: Mapping[str, RunRow] = field(default_factory=dict)
    """By id, newest first. A row that has not changed is the same object as in the picture before."""
    slots: tuple[SlotRow, ...] = ()
    """The slots of all live batches."""
    loads: Mapping[str, Load] = field(default_factory=dict)
    """By id of the run, of those that are live."""
    batches: Mapping[str, Counts] = field(default_factory=dict)
    """How many batches have not ended, by id of the run; runs without any are left out."""
    places: Mapping[tuple[str, str], PlaceRow] = field(default_factory=dict)
    """How each resource could be reached, by its name and the profile's, which may be empty."""
    run: RunPicture | None = None
    """The run that is being watched."""
    commands: tuple[CommandRow, ...] = ()
    """What was run on the resources, oldest first, as long as somebody wants to see it."""
    engine: bool = False
    """Whether an engine is running."""
    heard_at: float = 0.0
    """Where none is: when one was last seen, or wrote something. What is said of live runs was true then."""
    problem: str = ""
    """Why the store can't be read at the moment, in one sentence; the rest is then what it said last."""
    read_at: float = 0.0
    """When the store was last looked at with success; 0 means never."""

    @property
    def live(self) -> bool:
        """Whether something can still happen to a run."""
        return any(not run.state.final for run in self.runs.values())

    def place_of(self, run: RunRow) -> PlaceRow | None:
        """How the resource of *run* could be reached; None where nobody has tried."""
        return self.places.get((run.resource, run.profile or ""))

    @property
    def on_clusters(self) -> bool:
        """Whether something can still happen to a run on a cluster: only this machine needs no profile."""
        return any(run.profile is not None and not run.state.final for run in self.runs.values())

    def live_on(self, resource: str, profile: str | None) -> int:
        """How many runs go on on that resource, with that profile if one is named."""
        return sum(
            not run.state.final and run.resource == resource and profile in (None, run.profile)
            for run in self.runs.values()
        )

    @property
    def stale(self) -> bool:
        """Whether what is said of live runs may have changed since, with nobody there to write it down."""
        return not self.engine and self.live


class Gatherer:
    """Looks at the store and says what is new. Blocking; belongs to one thread."""

    def __init__(
        self,
        database: Path,
        engine_alive: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._engine_alive = engine_alive
        self._clock = clock
        self._reader: Reader | None = None
        self._identity: tuple[int, int] | None = None
        self._version: int | None = None
        self._revision: int | None = None
        self._look = 0
        self._alive_at = 0.0
        self._added_up = False
        self._with_commands = False
        self._wall_times: dict[str, tuple[int, float]] = {}
        """Of live runs, how many tasks ended by themselves and their seconds: added up as they end."""
        self.picture = Picture()

    def look(self, watched: str | None = None, *, commands: bool = False) -> Picture | None:
        """The new picture, with the run *watched* in full, or None where nothing has changed.

        With *commands* it tells what was run on the resources.

        Never raises for a store that is locked, damaged or gone: the picture then carries the problem, and
        it is tried again once a second.
        """
        old = self.picture
        slow = self._look % _SLOW_LOOKS == 0
        self._look += 1
        if old.problem and not slow:
            return None
        try:
            if slow and self._reader is not None and self._identity != _identity(self._database):
                self._forget()
            new = self._read(watched, commands)
        except (sqlite3.Error, StoreError, OSError) as error:
            self._forget()
            new = replace(old, problem=_sentence(self._database, error))
        if slow:
            alive = self._engine_alive()
            if alive:
                self._alive_at = self._clock()
            heard_at = new.heard_at if alive else max(self._alive_at, new.heard_at)
            new = replace(new, engine=alive, heard_at=heard_at)
        # Compared without the time: a picture that says the same is not worth a message.
        if _same(new, old):
            return None
        self.picture = new
        return new

    def close(self) -> None:
        """Let the store go."""
        self._forget()

    def _read(self, watched: str | None, commands: bool) -> Picture:
        reader = self._open()
        old = self.picture
        shown = old.run.run if old.run is not None else None
        version = reader.data_version()
        whole = self._added_up and (old.run is None or old.run.complete) and commands == self._with_commands
        if version == self._version and watched == shown and whole and not old.problem:
            return old
        with reader.snapshot():
            since = self._revision
            revision = reader.revision()
            if since is None or revision < since:
                since, old = 0, Picture(engine=old.engine)
                self._wall_times.clear()
            changed = {row.id: row for row in reader.runs(since=since)}
            runs = _merged_runs(old.runs, changed)
            live = [run for run, row in runs.items() if not row.state.final]
            # Not for the first picture, which somebody waits for: 20,000 tasks take some milliseconds.
            self._added_up = bool(old.read_at) or not live
            if self._added_up:
                self._add_wall_times(reader, live, changed, since)
            slots = tuple(reader.slots())
            picture = Picture(
                runs=runs,
                slots=slots,
                loads={run: _load(each, slots, run) for run, each in self._wall_times.items()},
                batches=reader.open_batches() if live else {},
                places={(row.resource, row.profile): row for row in reader.places()},
                commands=_commands(reader, old.commands) if commands else (),
                run=None if watched is None else _run_picture(reader, watched, old.run, since),
                engine=old.engine,
                heard_at=max(self._alive_at, reader.heard()),
                read_at=self._clock(),
            )
        self._version, self._revision, self._with_commands = version, revision, commands
        return picture

    def _add_wall_times(
        self, reader: Reader, live: Iterable[str], changed: Container[str], since: int
    ) -> None:
        known = self._wall_times
        self._wall_times = {}
        for run in live:
            number, seconds = known.get(run, (0, 0.0))
            if run in changed or run not in known:
                more = reader.wall_times(run, since=since if run in known else 0)
                number, seconds = number + more[0], seconds + more[1]
            self._wall_times[run] = (number, seconds)

    def _open(self) -> Reader:
        if self._reader is None:
            # One that was there and is gone is not made anew: the person should hear of it.
            if self._identity is not None and not self._database.exists():
                raise StoreError(f"The store {self._database} is gone.")
            connection = connect(self._database)
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
            self._reader = Reader(connection)
            self._version = None
            identity = _identity(self._database)
            if identity != self._identity:
                # Another store has taken the place of the one we knew: nothing of that is carried over.
                self._identity, self._revision = identity, None
        return self._reader

    def _forget(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            # Closing a connection to a damaged file may fail once more; there is nothing left to save.
            with contextlib.suppress(sqlite3.Error):
                reader.close()


class Feed:
    """The thread that looks at the store and delivers pictures, until it is closed."""

    def __init__(self, gatherer: Gatherer, deliver: Callable[[Picture], object]) -> None:
        """*deliver* is called in the feed's own thread, with every new picture."""
        self._gatherer = gatherer
        self._deliver = deliver
        self._watched: tuple[str | None, bool] = (None, False)
        self._closing = False
        self._wake = threading.Event()
        # A daemon: a store on a network file system that hangs must not keep the terminal from its owner.
        self._thread = threading.Thread(target=self._loop, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def watch(self, run: str | None, *, commands: bool = False) -> None:
        """Have *run* in full in the pictures from now on, or none; and what was run on the resources."""
        if (run, commands) != self._watched:
            self._watched = (run, commands)
            self._wake.set()

    def look_now(self) -> None:
        """Do not wait for the next turn: something was just asked for."""
        self._wake.set()

    def close(self) -> None:
        """Stop looking; returns within two seconds whatever the store does."""
        self._closing = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def _loop(self) -> None:
        while not self._closing:
            self._wake.clear()
            run, commands = self._watched
            picture = self._gatherer.look(run, commands=commands)
            if picture is not None:
                self._deliver(picture)
            # Also after a run's beginning: reading the rest at once would hold up the screen that shows it.
            self._wake.wait(INTERVAL_S)
        self._gatherer.close()


def _merged_runs(old: Mapping[str, RunRow], changed: Mapping[str, RunRow]) -> Mapping[str, RunRow]:
    if not changed:
        return old
    fresh = {run: row for run, row in changed.items() if run not in old}
    return fresh | {run: changed.get(run, row) for run, row in old.items()}


def _run_picture(reader: Reader, run: str, old: RunPicture | None, since: int) -> RunPicture:
    if old is not None and old.run != run:
        old = None
    try:
        folder = reader.run(run).folder
    except UnknownRunError:
        return RunPicture(run, complete=True)
    if old is None:
        first = reader.tasks(run, limit=FIRST_TASKS)
        tasks: Mapping[int, TaskRow] = {row.index: row for row in first}
        complete = len(first) < FIRST_TASKS
    elif not old.complete:
        tasks = {row.index: row for row in reader.tasks(run)}
        complete = True
    else:
        changed = {row.index: row for row in reader.tasks(run, since=since)}
        tasks = _merged_tasks(old.tasks, changed)
        complete = True
    return RunPicture(
        run=run,
        folder=folder,
        workflow=reader.launch_spec(run).get("workflow", {}) if old is None else old.workflow,
        steps=tuple(reader.steps(run)),
        batches=tuple(reader.batches(run)),
        slots=tuple(reader.slots(run)),
        tasks=tasks,
        complete=complete,
    )


def _commands(reader: Reader, old: tuple[CommandRow, ...]) -> tuple[CommandRow, ...]:
    new = reader.commands(old[-1].id if old else 0)
    return (*old, *new)[-COMMANDS_KEPT:] if new else old


def _load(wall_times: tuple[int, float], slots: Iterable[SlotRow], run: str) -> Load:
    number, seconds = wall_times
    # A slot that is lost or failed takes no task.
    able = [slot for slot in slots if slot.run == run and slot.state in ("ready", "busy")]
    return Load(
        seconds / number if number else None,
        len(able),
        tuple(slot.since for slot in able if slot.task is not None and slot.since is not None),
    )


def _merged_tasks(old: Mapping[int, TaskRow], changed: Mapping[int, TaskRow]) -> Mapping[int, TaskRow]:
    if not changed:
        return old
    # Tasks of a later step may be added while the run goes on; their indices come after the others.
    return {**old, **changed}


def _same(new: Picture, old: Picture) -> bool:
    # When it was read does not count; that it was read at all does: an empty store is news at first.
    return new is old or (bool(new.read_at) == bool(old.read_at) and replace(new, read_at=old.read_at) == old)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        return None
    return stat.st_dev, stat.st_ino


def _sentence(database: Path, error: Exception) -> str:
    if isinstance(error, StoreError):
        return str(error)
    return f"The store {database} can't be read: {error}."
