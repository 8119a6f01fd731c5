"""A draft as a form shows it: which of its errors are told by now, and what is said of each field. Pure."""

from __future__ import annotations

import json
from typing import Final

from runners.states import State
from tui.forms.draft import Draft
from tui.forms.spec import FieldSpec, Kind, Path
from tui.signs import sign
from tui.text import plain
from tui.widgets.form.sections import Section, owner, sections_of
from tui.widgets.line_view import Piece

NOT_GIVEN: Final = "not given"


class Sheet:
    """A draft and what its person has done with it so far.

    A new form is not full of red: what is missing is an error only when somebody was at it, or when all
    errors are asked for. What stands there and is wrong is told at once.
    """

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.touched: set[Path] = set()
        self.asked = False
        """Whether all errors are told."""
        self.sections = sections_of(draft)

    def error(self, path: Path) -> str:
        """What is wrong at *path*, if that is to be told by now; else nothing."""
        error = self.draft.errors.get(path, "")
        return error if error and self._told(path) else ""

    def _told(self, path: Path) -> bool:
        if self.asked or path in self.touched or not path:
            return True
        draft = self.draft
        if draft.is_none(path):
            return True
        kind = draft.spec(path).kind
        return draft.given(path) and (kind is Kind.GROUP or kind.strange or draft.text(path) != "")

    def errors_by_section(self) -> dict[Path, tuple[int, int]]:
        """For each section that has any: how many errors are told, and how many are not yet."""
        counts: dict[Path, tuple[int, int]] = {}
        for path in self.draft.errors:
            section = owner(self.sections, path).path
            told, untold = counts.get(section, (0, 0))
            counts[section] = (told + 1, untold) if self.error(path) else (told, untold + 1)
        return counts

    def changed_in(self, section: Section) -> bool:
        """Whether a section differs from what is saved, without the sections inside of it."""
        draft = self.draft
        inside = {other.path for other in self.sections if other.path != section.path}
        if section.spec.kind is not Kind.GROUP:
            return draft.changed(section.path)
        if section.optional and not draft.present(section.path):
            return draft.changed(section.path)
        fields = (((*section.path, field.name), field) for field in draft.fields(section.path))
        own = [path for path, field in fields if path not in inside and field.kind is not Kind.GROUP]
        strange = (*draft.strangers(section.path), *draft.strangers(section.path, saved=True))
        return any(draft.changed(path) for path in (*own, *strange))

    def third(self, path: Path) -> Piece:
        """What stands beside a field: its error, what its value means, or that it is needed."""
        if error := self.error(path):
            return f"{sign(State.FAILED).glyph} {plain(error)}", "failed"
        draft = self.draft
        spec = draft.spec(path)
        if spec.kind is Kind.STRANGER:
            return "no effect", "warning"
        if is_empty(draft, path):
            return '= ""', "muted"
        if draft.is_none(path):
            return f"= {'null' if draft.raw(path) is None else '{}'}", "muted"
        if echo := draft.echo(path):
            return f"= {plain(echo)}", "muted"
        if not draft.given(path):
            return ("required" if spec.required else "", "muted")
        return spec.unit if draft.text(path) else "", "muted"


def is_empty(draft: Draft, path: Path) -> bool:
    """Whether a text is given that is empty, where that says something else than nothing at all."""
    return draft.spec(path).blank and draft.given(path) and draft.raw(path) == ""


def default_of(spec: FieldSpec) -> str:
    """What holds where nothing is given, such as `default: 5`; "" where there must be something."""
    if spec.required:
        return ""
    if spec.default in (None, [], {}):
        return NOT_GIVEN if spec.default is None else "none"
    if isinstance(spec.default, bool):
        return f"default: {'yes' if spec.default else 'no'}"
    shown = spec.default if isinstance(spec.default, str) else json.dumps(spec.default)
    return plain(f"default: {shown} {spec.unit}".rstrip())
