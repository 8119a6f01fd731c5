"""Preflight of the folder of a user whom we act for through sudo, of which only `ls` tells us anything."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from runners.checking.folders import space_here
from runners.checking.mounts import Mount, mounts
from runners.checking.places import Ground, Place, Space, ancestors, folder_finding, space_finding
from runners.checking.sentences import told_by
from runners.config.errors import shown
from runners.findings import Finding, FindingState
from runners.transport.base import ABSENT, Command, TransportError
from runners.transport.local import words
from runners.transport.sudo import SudoTransport

_ANSWER_S = 20.0


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of `ls -ldnL`."""

    mode: str
    uid: int
    gid: int
    line: str

    @property
    def has_acl(self) -> bool:
        return self.mode[10:11] == "+"


async def user_folder_findings(transport: SudoTransport, place: Place) -> AsyncIterator[Finding]:
    """Whether the user of *transport* can write to a folder of this machine, and how much."""
    try:
        ground = await _ground(transport, place.path)
    except (TransportError, KeyError) as error:
        detail, fix = told_by(error) if isinstance(error, TransportError) else ("The user is unknown.", "")
        yield Finding(place.check, FindingState.UNTOLD, detail, fix)
        return
    finding = folder_finding(place, ground)
    yield finding
    if finding.state is FindingState.OK:
        try:
            space = await asyncio.to_thread(_space, ground.path)
        except OSError as error:
            yield space_finding(place, None, words(error))
        else:
            yield space_finding(place, space)


async def _ground(transport: SudoTransport, path: str) -> Ground:
    """The nearest folder that is there, and whether the user can write to it."""
    refused = ""
    for above in ancestors(path):
        # Through the name, and, with the dot behind it, through the folder: may the user pass it?
        inside = "/." if above == "/" else f"{above}/."
        commands = [Command(("ls", "-ldnL", "--", name)) for name in (above, inside)]
        commands.append(Command(("ls", "-ldn", "--", above)))
        listed, entered, itself = (await transport.exchange(commands, timeout_s=_ANSWER_S)).replies
        if listed.code:
            if itself.code == 0 and listed.last_words.endswith(ABSENT):
                evidence = (
                    f"ls -ldn, as {transport.user}: {shown(itself.out.decode('utf-8', 'replace').strip())}"
                )
                return Ground(above, False, False, evidence=evidence, dangling=True)
            if not listed.last_words.endswith(ABSENT):
                refused = refused or listed.last_words
            continue
        line = listed.out.decode("utf-8", "surrogateescape").strip()
        entry = _entry(line)
        evidence = f"ls -ldnL, as {transport.user}: {shown(line)}"
        if entry is None:
            return Ground(above, True, None, "The answer of ls can't be read.", evidence)
        if not entry.mode.startswith("d"):
            return Ground(above, False, False, evidence=evidence)
        if entered.code:
            why = f"{shown(above)} is closed to {transport.user!r}."
            return Ground(above, True, False, why, f"{evidence}\n{shown(entered.last_words)}")
        return await asyncio.to_thread(_judged, transport.user, above, entry, evidence)
    return Ground("/", True, False, shown(refused))


def _judged(user: str, path: str, entry: _Entry, evidence: str) -> Ground:
    """Whether *user* can write to a folder, by its mode. To be called in a thread."""
    account = pwd.getpwnam(user)
    groups = set(os.getgrouplist(user, account.pw_gid))
    writable = _may_write(entry, account.pw_uid, groups)
    names = ", ".join(sorted(_group(number) for number in groups))
    evidence += f"\n{user} has the uid {account.pw_uid} and the groups {names}"
    if writable is None:
        return Ground(
            path, True, None, f"{shown(path)} has an access list, which ls does not show.", evidence
        )
    if writable and (mount := _read_only(path)):
        return Ground(path, True, False, f"{shown(mount)} is mounted for reading only.", evidence)
    owner = f"It has the mode {entry.mode[1:10]} and belongs to the uid {entry.uid} and the gid {entry.gid}."
    return Ground(path, True, writable, "" if writable else owner, evidence)


def _may_write(entry: _Entry, uid: int, groups: Collection[int]) -> bool | None:
    if entry.uid == uid:
        # The owner's rights are what they are, with or without an access list.
        return entry.mode[2] == "w"
    if entry.has_acl:
        return None
    return entry.mode[5 if entry.gid in groups else 8] == "w"


def _entry(line: str) -> _Entry | None:
    fields = line.split(maxsplit=4)
    if len(fields) < 5 or len(fields[0]) < 10 or not (fields[2].isdigit() and fields[3].isdigit()):
        return None
    return _Entry(fields[0], int(fields[2]), int(fields[3]), line)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _mount_of(path: str) -> Mount | None:
    """Where the file system of *path*, which we may not look at, is mounted; None: that is not told."""
    # The last one counts where there are several at one point.
    by_point = {mount.point: mount for mount in mounts()}
    return next((by_point[above] for above in ancestors(os.path.realpath(path)) if above in by_point), None)


def _read_only(path: str) -> str:
    """The mount point above *path* that nobody may write to; empty where there is none."""
    mount = _mount_of(path)
    return mount.point if mount is not None and "ro" in mount.options else ""


def _space(path: str) -> Space:
    """The file system of *path*. To be called in a thread.

    Raises:
        OSError: it can't be looked at.
    """
    try:
        return space_here(path)
    except PermissionError:
        # A home that is closed to others; the place where its disk is mounted is not.
        mount = _mount_of(path)
        return space_here("/" if mount is None else mount.point)
