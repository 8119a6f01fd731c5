"""All that is known of one field, as paragraphs for a panel. Pure."""

from __future__ import annotations

import json

from runners.states import State
from tui.forms.draft import MISSING, Draft
from tui.forms.spec import FieldSpec, Kind, Path
from tui.signs import sign
from tui.text import plain
from tui.widgets.form.sheet import NOT_GIVEN, default_of, is_empty
from tui.widgets.line_view import Piece
from tui.widgets.paragraphs import Facts, Paragraph, Passage, facts

_LONGEST = 400
"""Characters of a value that are told."""

_WHOLE = 9
"""Lines that an error and a description get, if they want them, before what comes behind them gets any."""


def about(draft: Draft, path: Path) -> list[Paragraph]:
    """Name and how it stands, what is wrong, and the description: in three lines, where it must be."""
    path = _there(draft, path)
    spec = draft.spec(path)
    name: Piece = (plain(draft.dotted(path)) or "the document", "strong")
    states = facts(
        ("now", _state(draft, path, spec)),
        ("was", _was(draft, path)),
        ("default", default_of(spec).partition(": ")[2]),
        ("unit", spec.unit),
    )
    told: list[Paragraph] = [Facts([[name], *states.facts])]
    for end in range(len(path), -1, -1):
        if error := draft.errors.get(path[:end]):
            whose = _word(draft, path[:end])
            told.append(
                Passage(
                    [(f"{sign(State.FAILED).glyph} ", "failed")], [plain(f"{whose} {error}")], least=_WHOLE
                )
            )
    if spec.kind.strange:
        words = "" if draft.errors.get(path) else "The schema does not know this key: it has no effect. "
        return [*told, Passage([], [f"{words}ctrl+l removes it."], least=_WHOLE)]
    # Items and entries have no description of their own: their list has.
    described = spec.about or (draft.spec(path[:-1]).about if path else "")
    if described:
        told.append(Passage([], [plain(described)], least=_WHOLE))
    if spec.kind is Kind.JSON:
        told.append(Passage([], ["It is typed as JSON."]))
    if spec.nullable and spec.kind is not Kind.GROUP:
        words = "ctrl+n takes the none back." if draft.is_none(path) else "ctrl+n says that there is none."
        told.append(Passage([], [words]))
    elif spec.blank:
        words = (
            "ctrl+n takes the empty text back." if is_empty(draft, path) else "ctrl+n says that it is empty."
        )
        told.append(Passage([], [words]))
    return told


def _there(draft: Draft, path: Path) -> Path:
    """The path, or of what is around it: a field may be gone by now."""
    try:
        draft.spec(path)
    except KeyError:
        return _there(draft, path[:-1])
    return path


def _word(draft: Draft, path: Path) -> str:
    """What an error is said of."""
    if not path:
        return "The document"
    if isinstance(path[-1], str):
        return path[-1]
    if draft.spec(path[:-1]).kind is Kind.MAP and draft.key(path):
        return draft.key(path)
    return f"{path[-2]} {path[-1] + 1}"


def _state(draft: Draft, path: Path, spec: FieldSpec) -> str:
    if draft.is_none(path):
        return "none, as said here"
    if not draft.given(path):
        if spec.required:
            return "not given, but required"
        return NOT_GIVEN if spec.default is None else "not given: the default holds"
    if spec.kind is Kind.GROUP:
        return "given"
    if spec.kind in (Kind.LIST, Kind.MAP):
        return f"{draft.size(path):,} given"
    echo = draft.echo(path)
    shown = plain(draft.text(path), _LONGEST)
    return f"{shown} (= {plain(echo)})" if echo else shown


def _was(draft: Draft, path: Path) -> str:
    """What is saved, where that is something else."""
    if not path or not draft.changed(path):
        return ""
    saved = draft.saved(path)
    if saved is MISSING:
        return "not given"
    return plain(saved if isinstance(saved, str) else json.dumps(saved), _LONGEST)
