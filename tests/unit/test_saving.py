"""Saving under real faults: no resource file is ever lost or half written, and each refusal is a sentence."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runners.config import writing
from runners.config.documents import add_document, read_backup, read_document, save_document
from runners.config.errors import ConfigError
from runners.config.folders import (
    duplicate_profile,
    duplicate_resource,
    remove_profile,
    rename_profile,
    rename_resource,
)
from runners.config.inner_name import PREPARED, prepared
from runners.config.places import document_path
from tests.unit.saving_trials import TRIALS, child, ended, generation_of, resource, set_up

REPOSITORY = Path(__file__).parents[2]
NOBODY = 65534


@pytest.mark.parametrize("trial", [trial.__name__ for trial in TRIALS])
def test_killed_or_at_the_same_moment(trial: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.saving_trials", trial, str(tmp_path / "resources")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "resources"
    set_up(made)
    return made


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    made = tmp_path / "disk"
    made.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(made)]
    if os.getuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small file system can be mounted only by root")
    yield made
    subprocess.run(["umount", "--lazy", str(made)], check=True)


def everything(folder: Path) -> dict[str, bytes]:
    """All files, but for the lock."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


CHANGES: dict[str, Callable[[Path], object]] = {
    "save": lambda folder: save_document(folder, read_document(folder, "a"), resource(2)),
    "add": lambda folder: add_document(folder, "b", None, resource(2)),
    "add profile": lambda folder: add_document(folder, "a", "b", {"resource_type": "local", "name": "b"}),
    "duplicate": lambda folder: duplicate_resource(folder, "a", "b", profiles=True),
}
RENAMES: dict[str, Callable[[Path], object]] = {
    "rename": lambda folder: rename_resource(folder, "a", "b"),
    "rename profile": lambda folder: rename_profile(folder, "a", "me", "you"),
}


def test_a_full_disk(disk: Path) -> None:
    folder = disk / "resources"
    set_up(folder)
    before = everything(folder)
    with (disk / "filling").open("wb", buffering=0) as file:
        # To the last byte: a write of less than what is left is done in part, and no error.
        with pytest.raises(OSError, match="No space left"):
            while True:
                file.write(b"x" * 65536)
    for change in CHANGES.values():
        with pytest.raises(ConfigError, match=r"^Cannot .* \(No space left on device\)\.$"):
            change(folder)
        assert everything(folder) == before
    (disk / "filling").unlink()
    for change in CHANGES.values():
        shutil.rmtree(folder / "b", ignore_errors=True)
        change(folder)


def test_room_for_the_document_but_not_for_the_backup(disk: Path) -> None:
    folder = disk / "resources"
    set_up(folder)
    before = everything(folder)
    read = read_document(folder, "a")
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    room = int(len(read.content) * 1.5)
    (disk / "filling").write_bytes(b"x" * (free - room))
    with pytest.raises(ConfigError, match=r"^Cannot write .*resource\.json \(No space left on device\)\.$"):
        save_document(folder, read, resource(2))
    assert everything(folder) == before


def test_a_disk_that_can_only_be_read(disk: Path) -> None:
    folder = disk / "resources"
    set_up(folder)
    before = everything(folder)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for change in (CHANGES | RENAMES).values():
        with pytest.raises(ConfigError, match=r"^Cannot .* \(Read-only file system\)\.$"):
            change(folder)
        assert everything(folder) == before


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """The folder of somebody who is not root, who is refused nothing."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user, and is refused nothing itself")
    # Others can't enter pytest's own folder.
    above = Path(tempfile.mkdtemp(prefix="runyard-saving-"))
    try:
        above.chmod(0o755)
        folder = above / "resources"
        set_up(folder)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        (folder / ".lock").unlink()
        yield folder
    finally:
        shutil.rmtree(above)


def as_nobody(act: Callable[[], object]) -> None:
    """Do it as that one, in a process that can't become root again."""

    def acted() -> int:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        act()
        return 0

    assert ended(child(acted)) == 0


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("which", [".", "a"])
def test_a_folder_that_can_only_be_read(which: str, nobodys_folder: Path) -> None:
    folder = nobodys_folder
    (folder / which).chmod(0o500)
    (folder / "a" / "profiles").chmod(0o500)
    before = everything(folder)

    def refused() -> None:
        changes = CHANGES | RENAMES if which == "." else {"save": CHANGES["save"]}
        for name, change in changes.items():
            try:
                change(folder)
            except ConfigError as error:
                assert str(error).startswith("Cannot "), error
                assert str(error).endswith("(Permission denied)."), error
            else:
                raise AssertionError(name)

    as_nobody(refused)
    assert everything(folder) == before


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_folder_that_can_be_written_and_not_listed(nobodys_folder: Path) -> None:
    """What was written is no failure, though nobody can say that its name outlasts a power cut."""
    folder = nobodys_folder
    (folder / "a").chmod(0o300)
    as_nobody(lambda: CHANGES["save"](folder))
    assert generation_of(folder, "a") == 2


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("which", [".", "a", "a/profiles"])
def test_a_folder_that_can_not_be_entered(which: str, nobodys_folder: Path) -> None:
    folder = nobodys_folder
    (folder / which).chmod(0o600)

    profile = "me" if which == "a/profiles" else None
    acts: dict[str, Callable[[Path], object]] = {
        "read": lambda folder: read_document(folder, "a", profile),
        "read backup": lambda folder: read_backup(folder, "a", profile),
    }
    acts |= CHANGES | RENAMES if which == "." else {}

    def refused() -> None:
        for name, act in acts.items():
            try:
                act(folder)
            except ConfigError as error:
                assert str(error).startswith("Cannot "), error
                assert str(error).endswith("(Permission denied)."), error
            else:
                raise AssertionError(name)

    as_nobody(refused)


def test_a_writer_that_hangs_is_not_waited_for_for_ever(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_PATIENCE_S", 0.1)
    read = read_document(folder, "a")
    with (folder / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(
            ConfigError, match=r"Another Runyard is writing to .*/resources and does not come to"
        ):
            save_document(folder, read, resource(2))
        # Reading goes on.
        assert generation_of(folder, "a") == 1
    save_document(folder, read, resource(2))
    assert generation_of(folder, "a") == 2


def test_a_file_system_without_locks_still_has_fingerprints(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A fake: such mounts (NFS without its lock daemon) can't be had here.
    def flock(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    read = read_document(folder, "a")
    save_document(folder, read, resource(2))
    with pytest.raises(ConfigError, match="changed elsewhere"):
        save_document(folder, read, resource(3))
    assert generation_of(folder, "a") == 2


def names_inside(folder: Path, name: str, of: str | None = None) -> object:
    """The name that a document tells, as readers get it and as its file has it."""
    data = read_document(folder, name, of).data
    on_disk = json.loads(document_path(folder, name, of).read_bytes())
    assert isinstance(data, dict)
    return data["name"] if data["name"] == on_disk["name"] else (data["name"], on_disk["name"])


def cut_off(folder: Path, *, renamed: bool) -> None:
    """Begin to rename a profile that tells its name, and be killed before or after the renaming outside."""
    add_document(folder, "a", "mine", {"resource_type": "local", "name": "mine"})
    path = document_path(folder, "a", "mine")

    def act() -> int:
        with prepared(path, "mine", "yours"):
            if renamed:
                path.rename(path.with_name("yours.json"))
            os.kill(os.getpid(), 9)
        return 0

    assert ended(child(act)) == -9
    assert list(folder.rglob(PREPARED)) != []


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_without_locks_a_renaming_that_was_cut_off_is_in_nobodys_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    cut_off(folder, renamed=True)
    assert names_inside(folder, "a", "yours") == "yours"
    # What was not to be is not taken for another profile that gets the name.
    remove_profile(folder, "a", "yours")
    cut_off(folder, renamed=False)
    other = {"resource_type": "local", "name": "mine", "jobs_remote_dir": None}
    read = add_document(folder, "a", "yours", other)
    assert names_inside(folder, "a", "yours") == "mine"
    save_document(folder, read, other | {"name": "other"})
    assert (names_inside(folder, "a", "yours"), names_inside(folder, "a", "mine")) == ("other", "mine")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_renaming_that_was_cut_off_is_brought_to_its_end_by_whoever_reads_or_writes(folder: Path) -> None:
    cut_off(folder, renamed=True)
    read = read_document(folder, "a", "yours")
    assert list(folder.rglob(PREPARED)) == []
    # And what was read can be saved.
    save_document(folder, read, {"resource_type": "local", "name": "other"})
    remove_profile(folder, "a", "yours")
    cut_off(folder, renamed=False)
    assert names_inside(folder, "a", "mine") == "mine"
    add_document(folder, "next", None, resource(3))
    assert list(folder.rglob(PREPARED)) == []


def test_a_renaming_that_fails_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = read_document(folder, "a")
    save_document(folder, read, resource(2) | {"name": "a"})
    before = everything(folder)

    def rename(self: Path, target: Path) -> None:
        raise OSError(5, "Input/output error")

    # A fake: a disk that fails at just this can't be had here.
    with monkeypatch.context() as failing:
        failing.setattr(Path, "rename", rename)
        for change in RENAMES.values():
            with pytest.raises(ConfigError, match=r"^Cannot rename .* \(Input/output error\)\.$"):
                change(folder)
            assert everything(folder) == before
    rename_resource(folder, "a", "b")
    assert names_inside(folder, "b") == "b"


def test_a_new_profile_has_no_backup_of_an_earlier_one(folder: Path) -> None:
    path = document_path(folder, "a", "me")
    kept = path.with_name("me.json~")
    with pytest.raises(ConfigError, match="exists already"):
        add_document(folder, "a", "me", {"resource_type": "local", "name": "x"})
    assert kept.exists()
    # Removed by hand.
    path.unlink()
    assert kept.exists()
    add_document(folder, "a", "me", {"resource_type": "local", "name": "x"})
    assert not kept.exists()
    for renames in (rename_profile, duplicate_profile):
        stray = path.with_name("you.json~")
        stray.write_text("{}")
        renames(folder, "a", "me", "you")
        assert not stray.exists()
        if renames is rename_profile:
            rename_profile(folder, "a", "you", "me")
            assert not kept.exists()
