"""Check of a user whom we may only run five commands as: real users, modes, groups, mounts and rules."""

from __future__ import annotations

import grp
import os
import pwd
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.checking.places import Place
from runners.checking.sudo import sudo_findings, user_findings
from runners.checking.sudo_folders import _Entry, _may_write, user_folder_findings
from runners.findings import Finding, FindingState
from runners.transport.sudo import GRANTED, SudoTransport
from tests.transport.conftest import Acting

OK, WARNING, FAILURE, UNTOLD = FindingState


@pytest.fixture
def transport(acting: Acting) -> SudoTransport:
    return SudoTransport(acting.target, sudo=(*acting.as_operator, "sudo"), own=acting.as_operator)


@pytest.fixture
def group(acting: Acting) -> Iterator[int]:
    """A group that the target is in besides its own."""
    name = f"rygr{os.getpid()}"
    subprocess.run(["groupadd", name], check=True)
    subprocess.run(["usermod", "-aG", name, acting.target], check=True)
    yield grp.getgrnam(name).gr_gid
    subprocess.run(["groupdel", name], check=True)


async def look(transport: SudoTransport, path: Path) -> list[Finding]:
    place = Place("jobs folder", str(path), f"{transport.user!r}", "this machine", "profile", "username")
    return [finding async for finding in user_folder_findings(transport, place)]


async def state(transport: SudoTransport, path: Path) -> FindingState:
    """Of the folder; it is as the kernel has it."""
    folder = (await look(transport, path))[0]
    assert folder.check == "jobs folder"
    return folder.state


async def really(transport: SudoTransport, path: Path) -> FindingState:
    """What becomes of it when it is made."""
    reply = await transport.run(["mkdir", "-p", "--", str(path / "probe")], timeout_s=20)
    return FAILURE if reply.code else OK


async def test_modes_and_groups_count_as_they_do_for_the_kernel(
    acting: Acting, transport: SudoTransport, group: int
) -> None:
    target = pwd.getpwnam(acting.target)
    owners = [(target.pw_uid, 0), (0, target.pw_gid), (0, group), (0, 0)]
    seen = set()
    for uid, gid in owners:
        for mode in (0o700, 0o500, 0o770, 0o750, 0o720, 0o707, 0o070, 0o703, 0o702, 0o755):
            folder = acting.home / f"{uid}-{gid}-{mode:o}"
            os.mkdir(folder)
            os.chown(folder, uid, gid)
            os.chmod(folder, mode)
            told = await state(transport, folder / "runyard" / "runs")
            assert not os.listdir(folder)
            assert told is await really(transport, folder / "runyard" / "runs"), (uid, gid, oct(mode))
            seen.add(told)
    assert seen == {OK, FAILURE}


async def test_what_is_there_and_what_is_above_it(acting: Acting, transport: SudoTransport) -> None:
    closed = acting.home / "closed"
    (closed / "open").mkdir(parents=True)
    os.chmod(closed / "open", 0o777)
    os.chmod(closed, 0o700)
    (acting.home / "file").touch()
    (acting.home / "link").symlink_to(acting.home)
    finding, space = await look(transport, acting.home / "runyard")
    assert (finding.state, space.check, space.state) == (OK, "jobs folder space", OK)
    assert acting.target in finding.evidence
    assert await state(transport, acting.home) is OK
    assert await state(transport, acting.home / "link" / "runyard") is OK
    assert await state(transport, acting.home / "file") is FAILURE
    assert await state(transport, acting.home / "file" / "a") is FAILURE
    # Somebody else's, who lets nobody through.
    (finding,) = await look(transport, closed / "open" / "a")
    assert finding.state is FAILURE
    assert "closed" in finding.detail
    assert finding.fix


async def test_odd_names(acting: Acting, transport: SudoTransport) -> None:
    odd = acting.home / "a b'\"$(touch x)\\[red]\x1bé"
    odd.mkdir()
    acting.give(odd)
    finding, _ = await look(transport, odd / "runyard")
    assert finding.state is OK
    assert (finding.detail + finding.evidence.replace("\n", "")).isprintable()


@pytest.fixture
def read_only(acting: Acting) -> Iterator[Path]:
    """A disk that nobody may write to, whatever its mode says."""
    disk = acting.home / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro,mode=777", "disk", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no mounts here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


async def test_a_disk_for_reading_only(transport: SudoTransport, read_only: Path) -> None:
    (finding,) = await look(transport, read_only / "runyard")
    assert finding.state is FAILURE
    assert "reading only" in finding.detail


def grant(path: Path, user: int) -> None:
    """What `setfacl -m u:USER:rwx` does; see acl(5)."""
    everyone = 2**32 - 1
    entries = [
        (0x01, 7, everyone),
        (0x02, 7, user),
        (0x04, 0, everyone),
        (0x10, 7, everyone),
        (0x20, 0, everyone),
    ]
    data = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(path, "system.posix_acl_access", data)
    except OSError as error:
        pytest.skip(f"no access lists here: {error}")


async def test_access_lists(acting: Acting, transport: SudoTransport) -> None:
    folder = acting.home / "folder"
    folder.mkdir(mode=0o700)
    grant(folder, pwd.getpwnam(acting.target).pw_uid)
    finding = (await look(transport, folder / "runyard"))[0]
    assert finding.state is UNTOLD
    assert "access list" in finding.detail
    assert finding.fix.endswith(f"getfacl {folder}")
    acting.give(folder)
    assert await state(transport, folder / "runyard") is OK


def test_access_lists_are_only_told_where_they_do_not_count() -> None:
    def may(mode: str, uid: int, gid: int) -> bool | None:
        return _may_write(_Entry(mode, uid, gid, ""), 5, {7, 8})

    assert may("drwxr-x---+", 5, 0) is True
    assert may("dr-xrwx---+", 5, 7) is False
    assert may("drwxrwx---+", 0, 7) is None
    assert may("drwxrwx---.", 0, 7) is True
    assert may("drwxr-xrwx", 0, 7) is False


async def test_who_is_no_user_and_who_is_root(acting: Acting) -> None:
    async def state_of(user: str) -> FindingState:
        (finding,) = [finding async for finding in user_findings(user)]
        return finding.state

    assert await state_of(acting.target) is OK
    assert await state_of("root") is FAILURE
    assert await state_of("no-such-user") is FAILURE
    assert await state_of("\x1b[31m") is FAILURE


async def test_sudo_as_it_is(
    acting: Acting, transport: SudoTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLURM_CONF", raising=False)

    async def found() -> list[tuple[str, FindingState]]:
        return [(finding.check, finding.state) async for finding in sudo_findings(transport)]

    grants = [f"sudo {name}" for name in GRANTED]
    assert await found() == [(check, OK) for check in ("sudo", *grants, "SLURM_CONF")]
    acting.allow(f"{acting.operator} ALL=({acting.target}) NOPASSWD: ALL")
    assert await found() == [(check, OK) for check in ("sudo", *grants, "SLURM_CONF")]
    acting.allow(f"{acting.operator} ALL=(root) NOPASSWD: ALL")
    assert await found() == [("sudo", FAILURE)]
    # Before anything is granted: is it the right user?
    (finding,) = [one async for one in sudo_findings(transport)]
    assert (finding.of, finding.field) == ("profile", "username")
    assert finding.fix.startswith(f"See first that '{acting.target}' is the user to act for (username ")
    assert f": {acting.operator} ALL=({acting.target}) NOPASSWD: " in finding.fix
    acting.allow(f"{acting.operator} ALL=({acting.target}) NOPASSWD: /usr/bin/sbatch, /usr/bin/ls")
    refused = {f"sudo {name}" for name in ("scancel", "cat", "mkdir")}
    assert await found() == [("sudo", OK), *((one, FAILURE if one in refused else OK) for one in grants)]
