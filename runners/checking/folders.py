"""Preflight of the folders that runs write to: on this machine, and over SSH. Nothing is made or changed."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from dataclasses import replace

from runners.checking.mounts import mounts
from runners.checking.places import Ground, Place, Space, ancestors, folder_finding, space_finding
from runners.checking.sentences import told_by
from runners.config.errors import shown
from runners.findings import Finding, FindingState
from runners.transport.base import ABSENT, Command, Reply, Transport, TransportError
from runners.transport.local import words

_ANSWER_S = 20.0

_BLOCK = 1024


async def own_folder_findings(place: Place) -> AsyncIterator[Finding]:
    """Whether we can write to a folder of this machine, and how much: its check, and that of its space."""
    ground = await asyncio.to_thread(_ground_here, place.path)
    finding = folder_finding(place, ground)
    yield finding
    if finding.state is FindingState.OK:
        yield await _space_here_finding(place, ground.path)


async def _space_here_finding(place: Place, path: str) -> Finding:
    """How much room there is at *path*, which is there, on this machine."""
    try:
        space = await asyncio.to_thread(space_here, path)
    except OSError as error:
        return space_finding(place, None, words(error))
    return space_finding(place, space)


def space_here(path: str) -> Space:
    """The file system of *path*. To be called in a thread.

    Raises:
        OSError: it can't be looked at.
    """
    found = os.statvfs(path)
    kind = _kind_here(path)
    free, size = found.f_bavail * found.f_frsize / 1e6, found.f_blocks * found.f_frsize / 1e6
    evidence = (
        f"statvfs({shown(path)}): {free:,.0f} of {size:,.0f} MB, {found.f_favail} of {found.f_files} files"
    )
    return Space(free, size, kind, found.f_files, found.f_favail, evidence)


def _ground_here(path: str) -> Ground:
    """To be called in a thread."""
    for above in ancestors(path):
        try:
            found = os.stat(above)
        except (FileNotFoundError, NotADirectoryError):
            if os.path.islink(above):
                return Ground(above, False, False, evidence=f"lstat: a link {shown(above)}", dangling=True)
            continue
        except OSError as error:
            why = f"{shown(above)} can't be looked at: {words(error)}."
            return Ground(above, True, False, why)
        is_folder = stat.S_ISDIR(found.st_mode)
        writable = os.access(above, os.W_OK | os.X_OK, effective_ids=True)
        owner = f"{stat.filemode(found.st_mode)} uid {found.st_uid} gid {found.st_gid} {shown(above)}"
        return Ground(above, is_folder, writable, evidence=owner, kind=_kind_here(above))
    return Ground("/", True, False)


def _kind_here(path: str) -> str:
    """The kind of file system that *path* is on; empty where that can't be told."""
    try:
        device = os.stat(path).st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        return next((mount.kind for mount in mounts() if mount.device == wanted), "")
    except OSError:
        return ""


_LOOK = r"""
p=$1
while [ ! -e "$p" ] && [ ! -h "$p" ] && [ "$p" != / ]; do
  p=${p%/*}
  [ -n "$p" ] || p=/
done
d=no w=no
[ -d "$p" ] && d=yes
[ -e "$p" ] || d=link
[ -w "$p" ] && [ -x "$p" ] && w=yes
k=$(stat -f -c %T -- "$p" 2>/dev/null | tr -d ' ')
printf '%s %s %s %s\n' "$d" "$w" "${k:--}" "$p"
"""
"""What looks over there: nothing in it is from outside, the path is an argument."""

_SPACE = r"""
df -P -k -- "$1" | tail -n 1
printf '@\n'
df -P -i -- "$1" | tail -n 1
printf '@\n'
stat -f -c '%T' -- "$1"
"""


async def far_folder_findings(transport: Transport, place: Place) -> AsyncIterator[Finding]:
    """Whether the user of *transport* can write to a folder over there, and how much."""
    path = place.path.rstrip("/") or "/"
    try:
        reply = await transport.run(("sh", "-c", _LOOK, "sh", path), timeout_s=_ANSWER_S)
        ground = _ground_there(path, reply)
        if ground is not None and ground.path != "/":
            listed = await transport.run(("ls", "-ldL", "--", ground.path), timeout_s=_ANSWER_S)
            evidence = shown(listed.out.decode("utf-8", "replace").strip() or listed.last_words)
            ground = replace(ground, evidence=f"ls -ldL: {evidence}")
            if ground.dangling and not listed.last_words.endswith(ABSENT):
                # There may be something behind the link, that is closed to the user.
                ground = replace(ground, is_folder=True, dangling=False)
    except TransportError as error:
        detail, fix = told_by(error)
        yield Finding(place.check, FindingState.UNTOLD, detail, fix)
        return
    if ground is None:
        detail = f"{shown(path)} can't be looked at: {shown(reply.last_words)}."
        yield Finding(place.check, FindingState.UNTOLD, detail)
        return
    finding = folder_finding(place, ground)
    yield finding
    if finding.state is FindingState.OK:
        yield await _space_there(transport, place, ground.path)


def _ground_there(path: str, reply: Reply) -> Ground | None:
    found = reply.out.decode("utf-8", "surrogateescape").removesuffix("\n").split(" ", 3)
    if reply.code or len(found) < 4:
        return None
    is_folder, writable, kind, above = found
    return Ground(above, is_folder == "yes", writable == "yes", dangling=is_folder == "link", kind=kind)


async def _space_there(transport: Transport, place: Place, path: str) -> Finding:
    try:
        exchange = await transport.exchange([Command(("sh", "-c", _SPACE, "sh", path))], timeout_s=_ANSWER_S)
    except TransportError as error:
        return space_finding(place, None, told_by(error)[0])
    (reply,) = exchange.replies
    said = reply.out.decode("utf-8", "replace")
    space = _space_of(said.split("@\n"), said)
    return space_finding(place, space, shown(reply.last_words))


def _space_of(parts: list[str], said: str) -> Space | None:
    """What df, df -i and stat -f say."""
    if len(parts) != 3:
        return None
    blocks, files, kind = (part.strip() for part in parts)
    size, _, free = _figures(blocks)
    most, _, left = _figures(files)
    if size is None or free is None:
        return None
    lines = "\n".join(map(shown, said.replace("@\n", "").splitlines()))
    mb = _BLOCK / 1e6
    return Space(free * mb, size * mb, kind, most or 0, left or 0, f"df -Pk; df -Pi; stat -f:\n{lines}")


def _figures(line: str) -> tuple[int | None, int | None, int | None]:
    """The three figures of a line of df, which stand behind the name of a device that may hold blanks."""
    words_of = line.split()
    place = next((number for number, word in enumerate(words_of) if word.endswith("%") or word == "-"), 0)
    figures = [int(word) if word.isdigit() else None for word in words_of[max(0, place - 3) : place]]
    return (figures[0], figures[1], figures[2]) if len(figures) == 3 else (None, None, None)
