"""Trials of saving with processes that are killed, or come at the same moment.

Each runs in a process of its own (`python -m` of this), without threads, so that it can fork. What a trial
finds wrong is an AssertionError, which ends the process with exit code 1.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runners.config.documents import add_document, read_document, save_document
from runners.config.errors import ConfigError
from runners.config.files import Broken, list_profiles, list_resources
from runners.config.folders import (
    duplicate_profile,
    duplicate_resource,
    remove_profile,
    remove_resource,
    rename_profile,
    rename_resource,
)
from runners.config.inner_name import PREPARED
from runners.config.places import backup_path, document_path, profile_names
from runners.config.wholefile import TEMPORARY

PYTHON = {"default_version": "3.12", "versions": {"3.12": "/usr/bin/python3"}}


def resource(generation: int) -> dict[str, Any]:
    """A document that is large enough for many writes of the system, and tells its generation."""
    return {
        "type": "local",
        "name": f"generation {generation}",
        "tasks_python_config": PYTHON,
        "tasks_pixi_config": {},
        "tasks_local_dir": "/tasks",
        "jobs_local_dir": "/jobs",
        "jobs_runner_config": {"parallel_tasks_per_job": 1},
        "note": [f"{generation} " * 50] * 2000,
    }


def profile(generation: int) -> dict[str, Any]:
    """As :func:`resource`."""
    return {"resource_type": "local", "name": f"generation {generation}"}


def generation_of(folder: Path, name: str, of: str | None = None) -> int:
    """Of the document, which must be whole and valid."""
    read = read_document(folder, name, of)
    assert read.error is None, read.error
    assert isinstance(read.data, dict)
    generation = int(read.data["name"].split()[1])
    assert read.data == (resource(generation) if of is None else profile(generation))
    return generation


def set_up(folder: Path) -> None:
    """A resource `a` with a profile `me`, both saved once."""
    shutil.rmtree(folder, ignore_errors=True)
    add_document(folder, "a", None, resource(0))
    add_document(folder, "a", "me", profile(0))
    save_document(folder, read_document(folder, "a"), resource(1))
    save_document(folder, read_document(folder, "a", "me"), profile(1))


def child(act: Callable[[], int]) -> int:
    """A process that does `act`, and ends with what it returns."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os._exit(act())
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(99)


def ended(pid: int) -> int:
    """How the child ended: its exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def dies_before(step: int, act: Callable[[], object]) -> int:
    """Carry out `act`, but be killed before what it asks of the system as the `step`th."""
    left = step

    def count(event: str, _: object) -> None:
        nonlocal left
        if event == "open" or event.startswith(("os.", "shutil.", "tempfile.", "fcntl.")):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    act()
    return 0


def killed_anywhere(
    folder: Path,
    act: Callable[[], object],
    look: Callable[[], str],
    outcomes: set[str],
    begin: Callable[[Path], object] = set_up,
) -> None:
    """Kill `act` before each of its steps, and see that each leaves one of `outcomes`, and all are seen."""
    seen = set()
    for step in range(1, 10_000):
        begin(folder)
        code = ended(child(lambda step=step: dies_before(step, act)))  # type: ignore[misc]
        seen.add(look())
        assert seen <= outcomes, (step, seen)
        assert {entry.name for entry in list_resources(folder)} <= {"a", "b"}
        # Whoever writes next finds no hindrance, and clears up.
        add_document(folder, "next", None, resource(5))
        left = [path for pattern in (TEMPORARY, PREPARED) for path in folder.rglob(pattern)]
        assert left == [], (step, left)
        if code == 0:
            break
        assert code == -signal.SIGKILL, code
    assert seen == outcomes, seen


def resources_there(folder: Path) -> str:
    """The resources with their generations and profiles, all of which must be valid."""
    told = []
    for found in list_resources(folder):
        profiles = [
            f"{each}{generation_of(folder, found.name, each)}" for each in profile_names(folder, found.name)
        ]
        told.append(f"{found.name}{generation_of(folder, found.name)}({','.join(profiles)})")
    return " ".join(told)


def killed_in_a_save(folder: Path) -> None:
    """The old document or the new one; the backup is the one before, or the present one."""

    def look() -> str:
        backup = backup_path(folder / "a" / "resource.json").read_bytes()
        (kept,) = [number for number in (0, 1) if f'"generation {number}"'.encode() in backup]
        return f"{resources_there(folder)} backup {kept}"

    killed_anywhere(
        folder,
        lambda: save_document(folder, read_document(folder, "a"), resource(2)),
        look,
        {"a1(me1) backup 0", "a1(me1) backup 1", "a2(me1) backup 1"},
    )


def killed_in_other_changes(folder: Path) -> None:
    """Before or after, nothing between."""
    changes: list[tuple[Callable[[], object], str]] = [
        (lambda: add_document(folder, "b", None, resource(3)), "a1(me1) b3()"),
        (lambda: duplicate_resource(folder, "a", "b", profiles=True), "a1(me1) b1(me1)"),
        (lambda: rename_resource(folder, "a", "b"), "b1(me1)"),
        (lambda: remove_resource(folder, "a"), ""),
        (lambda: add_document(folder, "a", "you", profile(3)), "a1(me1,you3)"),
        (lambda: save_document(folder, read_document(folder, "a", "me"), profile(2)), "a1(me2)"),
        (lambda: duplicate_profile(folder, "a", "me", "you"), "a1(me1,you1)"),
        (lambda: rename_profile(folder, "a", "me", "you"), "a1(you1)"),
        (lambda: remove_profile(folder, "a", "me"), "a1()"),
    ]
    for act, after in changes:
        killed_anywhere(folder, act, lambda: resources_there(folder), {"a1(me1)", after})


def killed_in_a_change_of_names(folder: Path) -> None:
    """The name inside, that outside and the backup are the old ones or the new ones, all of them."""

    def begin(folder: Path) -> None:
        set_up(folder)
        for of in (None, "me"):
            read = read_document(folder, "a", of)
            assert isinstance(read.data, dict)
            save_document(folder, read, read.data | {"name": of or "a"})

    def documents() -> str:
        told = []
        for found in list_resources(folder):
            for of in (None, *profile_names(folder, found.name)):
                read = read_document(folder, found.name, of)
                assert read.error is None and isinstance(read.data, dict)
                backup = backup_path(read.path)
                told.append(f"{read.name}={read.data['name']}{'~' if backup.exists() else ''}")
        return " ".join(told)

    def as_they_are_used() -> str:
        told = []
        for found in list_resources(folder):
            for each in (found, *list_profiles(folder, found.name)):
                assert not isinstance(each, Broken)
                backup = backup_path(each.path)
                told.append(f"{each.name}={each.value.name}{'~' if backup.exists() else ''}")
        return " ".join(told)

    def files_after_the_next_write() -> str:
        add_document(folder, "next", None, resource(5))
        told = []
        for found in list_resources(folder):
            for of in (None, *profile_names(folder, found.name)):
                path = document_path(folder, found.name, of)
                name = json.loads(path.read_bytes())["name"]
                told.append(f"{of or found.name}={name}{'~' if backup_path(path).exists() else ''}")
        remove_resource(folder, "next")
        told.remove("next=generation 5")
        return " ".join(told)

    before = "a=a~ me=me~"
    every = (documents, as_they_are_used, files_after_the_next_write)
    changes: list[tuple[Callable[[], object], str, Sequence[Callable[[], str]]]] = [
        (lambda: rename_resource(folder, "a", "b"), "b=b~ me=me~", every),
        (lambda: rename_profile(folder, "a", "me", "you"), "a=a~ you=you~", every),
        (lambda: remove_profile(folder, "a", "me"), "a=a~", every[:1]),
        (lambda: duplicate_resource(folder, "a", "b", profiles=True), f"{before} b=b me=me", every[:1]),
        (lambda: duplicate_profile(folder, "a", "me", "you"), f"{before} you=you", every[:1]),
    ]
    for act, after, looks in changes:
        for look in looks:
            killed_anywhere(folder, act, look, {before, after}, begin)


def killed_at_any_moment(folder: Path) -> None:
    """Processes that save all the time are killed at random; meanwhile someone reads all the time."""
    set_up(folder)
    for _ in range(40):
        pid = child(lambda: save_for_ever(folder))
        try:
            # It has begun once there is a newer one, however busy the machine is.
            begun = generation_of(folder, "a")
            until = time.monotonic() + 30
            while generation_of(folder, "a") == begun:
                assert time.monotonic() < until
            until = time.monotonic() + random.uniform(0, 0.04)
            while time.monotonic() < until:
                generation_of(folder, "a")
        finally:
            os.kill(pid, signal.SIGKILL)
        assert ended(pid) == -signal.SIGKILL
        generation_of(folder, "a")
    last = generation_of(folder, "a")
    assert last > 40
    save_document(folder, read_document(folder, "a"), resource(last + 1))
    there = sorted(path.name for path in (folder / "a").iterdir())
    assert there == ["profiles", "resource.json", "resource.json~"], there


def save_for_ever(folder: Path) -> int:
    """One generation after the other."""
    read = read_document(folder, "a")
    generation = generation_of(folder, "a")
    while True:
        generation += 1
        read = save_document(folder, read, resource(generation))


def at_the_same_moment(folder: Path) -> None:
    """Of several who edit the same version and save together, one wins; the others are told."""
    set_up(folder)
    people, rounds = 4, 40
    for first in range(10, 10 + people * rounds, people):
        read = read_document(folder, "a")
        ours, theirs = os.pipe()

        def save(person: int) -> int:
            os.close(theirs)  # noqa: B023 - called within the round
            os.read(ours, 1)  # noqa: B023
            try:
                save_document(folder, read, resource(person))  # noqa: B023
            except ConfigError as error:
                assert "was changed elsewhere since it was read, so nothing was written" in str(error), error
                return 1
            return 0

        pids = [child(lambda person=person: save(person)) for person in range(first, first + people)]  # type: ignore[misc]
        os.close(ours)
        os.close(theirs)
        codes = [ended(pid) for pid in pids]
        assert sorted(codes) == [0] + [1] * (people - 1), codes
        assert generation_of(folder, "a") == first + codes.index(0)


TRIALS = (
    killed_in_a_save,
    killed_in_other_changes,
    killed_in_a_change_of_names,
    killed_at_any_moment,
    at_the_same_moment,
)

if __name__ == "__main__":
    {trial.__name__: trial for trial in TRIALS}[sys.argv[1]](Path(sys.argv[2]))
