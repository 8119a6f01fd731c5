"""A form in sections, and the lines of a section: what is shown of a draft, and where. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from tui.forms.draft import Draft
from tui.forms.spec import FieldSpec, Kind, Path

GENERAL: Final = "general"
"""The section of the fields that are in no group."""

TITLES: Final = {
    "jobs_runner_config": "runner",
    "default_slurm_config": "default",
    "gpu_slurm_config": "GPU",
    "batching_config": "batching",
    "user_local_exports": "exports",
    "tasks_python_config": "python",
    "tasks_pixi_config": "pixi",
    "SLURM_CONFIG": "pixi SLURM",
}
"""Shorter names of sections, in the order in which they are shown. Others are called by their key."""

_ORDER: Final = ("", *TITLES)
_ROWED: Final = (Kind.LIST, Kind.MAP)


class Part(StrEnum):
    """What a line of a section edits."""

    FIELD = "field"
    """One value."""
    GROUP = "group"
    """Whether an optional group is there."""
    HEAD = "head"
    """The head of a list or a map."""
    ITEM = "item"
    """One of a list."""
    ENTRY = "entry"
    """One of a map."""


class Place(NamedTuple):
    """One line of a section."""

    part: Part
    path: Path


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that are shown together."""

    path: Path
    """Of the group, list or map that it shows; () is the document."""
    title: str
    spec: FieldSpec

    @property
    def optional(self) -> bool:
        """Whether all of it may be missing."""
        spec = self.spec
        may_be_none = spec.nullable or not spec.required or spec.none is not None
        return bool(self.path) and spec.kind is Kind.GROUP and may_be_none


def sections_of(draft: Draft) -> list[Section]:
    """The sections of a draft as it stands; there is at least one."""
    found = list(_sections((), draft.root, draft))
    # What most people change comes first; the order of those without a name here is the schema's.
    last = len(_ORDER)
    names = [str(section.path[-1]) if section.path else "" for section in found]
    ranks = [_ORDER.index(name) if name in _ORDER else last for name in names]
    return [section for _, section in sorted(zip(ranks, found, strict=True), key=lambda pair: pair[0])]


def _sections(path: Path, spec: FieldSpec, draft: Draft) -> Iterator[Section]:
    title = TITLES.get(spec.name, spec.name) if path else GENERAL
    section = Section(path, title, spec)
    fields, strange = (draft.fields(path), draft.strangers(path)) if spec.kind is Kind.GROUP else ((), [])
    # A group without values of its own is no section: its parts are.
    own = spec.kind is not Kind.GROUP or section.optional or not path or _has_values(fields) or strange
    if own:
        yield section
    if section.optional and not draft.present(path):
        return
    for field in fields:
        if field.kind is Kind.GROUP or (field.kind in _ROWED and not _has_values(fields)):
            yield from _sections((*path, field.name), field, draft)


def _has_values(fields: Sequence[FieldSpec]) -> bool:
    return any(field.kind not in (Kind.GROUP, Kind.NOTHING, *_ROWED) for field in fields)


def has_group_row(section: Section, draft: Draft) -> bool:
    """Whether a section begins with a line for the group itself: it may be missing, or it is and must not."""
    if not section.path or section.spec.kind is not Kind.GROUP:
        return False
    return section.optional or not draft.present(section.path)


def places_of(section: Section, draft: Draft) -> list[Place]:
    """The lines of a section, from its top."""
    if section.spec.kind in _ROWED:
        return list(_rowed(section.path, section.spec, draft))
    places: list[Place] = []
    if has_group_row(section, draft):
        places.append(Place(Part.GROUP, section.path))
        if section.optional and not draft.present(section.path):
            return places
    fields = draft.fields(section.path)
    for field in fields:
        path = (*section.path, field.name)
        if field.kind in _ROWED and _has_values(fields):
            places += _rowed(path, field, draft)
        elif field.kind not in (Kind.GROUP, Kind.NOTHING, *_ROWED):
            places.append(Place(Part.FIELD, path))
    return [*places, *(Place(Part.FIELD, path) for path in draft.strangers(section.path))]


def _rowed(path: Path, spec: FieldSpec, draft: Draft) -> Iterator[Place]:
    yield Place(Part.HEAD, path)
    part = Part.ITEM if spec.kind is Kind.LIST else Part.ENTRY
    for row in range(draft.size(path)):
        yield Place(part, (*path, row))


def owner(sections: Sequence[Section], path: Path) -> Section:
    """The section in which a field is shown; where it is shown in none, the one that is nearest."""
    paths = {section.path: section for section in sections}
    for end in range(len(path), 0, -1):
        if path[:end] in paths:
            return paths[path[:end]]
        below = [section for section in sections if section.path[:end] == path[:end]]
        if below:
            return below[0]
    return paths.get((), sections[0])
