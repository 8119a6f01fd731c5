"""What is mounted on this machine, and where. Reads a file of the kernel's: for threads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system, where it is mounted."""

    point: str
    kind: str
    """Such as `ext4`."""
    device: str
    """Its numbers, `8:1`."""
    options: Collection[str]


def mounts() -> Sequence[Mount]:
    """All of them, the last one on top.

    Raises:
        OSError: the kernel does not tell.
    """
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            before, _, after = line.partition(" - ")
            fields, more = before.split(" "), after.split(" ")
            point = fields[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
            options = {*fields[5].split(","), *more[2].strip().split(",")}
            found.append(Mount(point, more[0], fields[2], options))
    return found
