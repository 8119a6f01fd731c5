"""What is found of a folder on some machine, and the findings that follow from it. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal

from runners.config.errors import shown
from runners.findings import Finding, FindingState

SPACE_FAILURE_MB = 50.0
"""With less than that nothing can be run that is worth it."""
SPACE_WARNING_MB = 1000.0
FILES_WARNING = 0.97
"""The share of the files that a file system can hold that are there."""

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})

_OF_THE_KERNEL = frozenset(
    "binfmt_misc bpf bpf_fs cgroup cgroup2 cgroup2fs cgroupfs configfs debugfs devpts efivarfs fusectl "
    "mqueue proc pstore pstorefs rpc_pipefs securityfs selinux selinuxfs sysfs tracefs".split()
)
"""Kinds of file systems that show what the kernel knows, by its names and those of stat: none holds files."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that runs are to write to."""

    check: str
    """`jobs folder` or `local folder`."""
    path: str
    who: str
    """Who writes there, as a sentence names them: `you`, `'ann'`."""
    where: str
    """On which machine, as a sentence names it: `this machine`."""
    of: Literal["resource", "profile"]
    field: str
    """Of the configuration."""

    def remedy(self, what: str) -> str:
        """*what* is to be done, or another folder named. Through sudo it is in the home: none can be."""
        if self.field == "username":
            return f"{what[:1].upper()}{what[1:]}."
        return f"Name another folder, or {what}."

    @property
    def elsewhere(self) -> str:
        """How else there may be room; as a part of a sentence."""
        return (
            "have the home on another disk" if self.field == "username" else "name a folder on another disk"
        )


@dataclass(frozen=True, slots=True)
class Ground:
    """What there is at the path of a place, or, if nothing, at the nearest folder above it."""

    path: str
    is_folder: bool
    writable: bool | None
    """Whether files can be made in it; None: it can't be told."""
    why: str = ""
    """Why it can't be told, or why not; as a sentence."""
    evidence: str = ""
    dangling: bool = False
    """It is no folder, but a link to what is not there."""
    kind: str = ""
    """Of its file system, such as `ext4`; empty: not known."""


@dataclass(frozen=True, slots=True)
class Space:
    """The file system that a place is on."""

    free_mb: float
    size_mb: float
    kind: str
    """Such as `ext4`; empty: not known."""
    files: int = 0
    """How many it can hold; 0: it has no such limit."""
    files_left: int = 0
    evidence: str = ""


def folder_finding(place: Place, ground: Ground) -> Finding:
    """Whether runs can write there."""
    path, above = shown(place.path), shown(ground.path)
    there = ground.path == place.path
    if not ground.is_folder:
        what = "a link that leads nowhere" if ground.dangling else "a file"
        so = "no folder" if there else f"so {path} can never be"
        detail = f"{above} on {place.where} is {what}, and {so}."
        fix = place.remedy(f"have the {what.split()[1]} moved away")
    elif ground.kind in _OF_THE_KERNEL:
        what = "is" if there else "would be"
        detail = (
            f"{path} {what} in a file system of the kernel's on {place.where} ({ground.kind}), which has no "
            "room for files."
        )
        fix = f"{place.elsewhere[:1].upper()}{place.elsewhere[1:]}."
    elif ground.writable is None:
        what = f"{path} is there" if there else f"{path} would be made in {above}"
        detail = f"{what}; whether {place.who} may write there can't be told. {ground.why}".strip()
        fix = f"See who may write there: getfacl {shlex.quote(ground.path)}"
        return Finding(
            place.check, FindingState.UNTOLD, detail, fix, ground.evidence, of=place.of, field=place.field
        )
    elif not ground.writable:
        detail = (
            f"{place.who[:1].upper()}{place.who[1:]} can't write to {path} on {place.where}."
            if there
            else f"{path} is not there, and {place.who} can't make it in {above} on {place.where}."
        )
        detail = f"{detail} {ground.why}".strip()
        fix = place.remedy(f"have {above} made writable for {place.who}")
    else:
        detail = (
            f"{path} can be written to by {place.who}."
            if there
            else f"{path} is not there yet, and can be made by {place.who}."
        )
        return Finding(place.check, FindingState.OK, detail, evidence=ground.evidence)
    return Finding(
        place.check, FindingState.FAILURE, detail, fix, ground.evidence, of=place.of, field=place.field
    )


def space_finding(place: Place, space: Space | None, why: str = "") -> Finding:
    """Whether what runs write has room; *why* there is no *space* known, if so."""
    check, path = f"{place.check} space", shown(place.path)
    if space is None:
        detail = f"How much room there is for {path} can't be told: {why or 'df gives no answer'}."
        return Finding(check, FindingState.UNTOLD, detail)
    # GNU's stat can't tell these apart.
    known = "ext2, ext3 or ext4" if space.kind == "ext2/ext3" else space.kind
    kind = f" ({shown(known)})" if known else ""
    if not space.size_mb:
        detail = f"The file system where {path} is{kind} does not say how much room it has."
        return Finding(check, FindingState.UNTOLD, detail, evidence=space.evidence)
    left = f"{megabytes(space.free_mb)} of {megabytes(space.size_mb)} are free where {path} is{kind}."
    state, detail, fix = FindingState.OK, left, ""
    if space.free_mb < SPACE_FAILURE_MB:
        state = FindingState.FAILURE
        detail = f"The disk is as good as full: {left}"
        fix = f"Make room there, or {place.elsewhere}."
    elif space.files and space.files_left < space.files * (1 - FILES_WARNING):
        state = FindingState.WARNING
        detail = f"Only {space.files_left:,} more files fit where {path} is, of {space.files:,} in all{kind}."
        fix = f"Remove files there, or {place.elsewhere}."
    elif space.free_mb < SPACE_WARNING_MB:
        state = FindingState.WARNING
        detail = f"Only {left}"
        fix = f"Make room there, or {place.elsewhere}."
    elif space.kind in _IN_MEMORY:
        state = FindingState.WARNING
        detail = f"{path} is in the memory of {place.where}{kind}: it is gone when that is started anew."
        fix = f"{place.elsewhere[:1].upper()}{place.elsewhere[1:]}."
    if state is FindingState.OK:
        return Finding(check, state, detail, evidence=space.evidence)
    return Finding(check, state, detail, fix, space.evidence, of=place.of, field=place.field)


def megabytes(amount: float) -> str:
    """MB as people read them."""
    return f"{amount / 1000:,.1f} GB" if amount >= 1000 else f"{amount:,.0f} MB"


def ancestors(path: str) -> list[str]:
    """*path* and the folders above it, the root last."""
    found = [path.rstrip("/") or "/"]
    while found[-1] != "/":
        found.append(found[-1].rpartition("/")[0] or "/")
    return found
