"""A person at a form, who has a JSON document in mind and enters it with the edits of a draft alone."""

from __future__ import annotations

from typing import Final

from tui.forms.draft import Draft
from tui.forms.spec import FieldSpec, Kind, Path

_YES: Final = frozenset({"true", "t", "yes", "y", "on", "1"})
_NO: Final = frozenset({"false", "f", "no", "n", "off", "0"})


class CannotBeEntered(Exception):
    """No edit of the form makes such a value: an object where a text belongs, or a key that is not known."""

    def __init__(self, path: Path, value: object) -> None:
        super().__init__(path, value)
        self.path = path


def enter(draft: Draft, value: object, path: Path = ()) -> None:
    """Enter *value*, group by group and letter by letter.

    Keys that the schema knows but wants null are left out, as they are not shown. Raises `CannotBeEntered`.
    """
    field = draft.spec(path)
    if path and (value is None or (field.empty_is_none and value == {})):
        if not field.nullable or value != field.none:
            raise CannotBeEntered(path, value)
        draft.nothing(path)
        return
    match field.kind:
        case Kind.GROUP:
            _enter_group(draft, value, path)
        case Kind.LIST if isinstance(value, list):
            draft.fill(path)
            for item in value:
                enter(draft, item, draft.add(path))
        case Kind.MAP if isinstance(value, dict):
            draft.fill(path)
            for key, part in value.items():
                row = draft.add(path)
                for end in range(1, len(key) + 1):
                    draft.rename(row, key[:end])
                enter(draft, part, row)
        case Kind.BOOL:
            draft.put(path, _switch(path, value))
        case Kind.CHOICE:
            if value not in field.choices:
                raise CannotBeEntered(path, value)
            draft.put(path, value)
        case Kind.LIST | Kind.MAP:
            raise CannotBeEntered(path, value)
        case _:
            _type(draft, field, path, value)


def _enter_group(draft: Draft, value: object, path: Path) -> None:
    if not isinstance(value, dict):
        raise CannotBeEntered(path, value)
    if path:
        draft.fill(path)
    tags = [key for key in value if (found := draft.root.field(key)) and found.kind is Kind.CHOICE]
    for key in dict.fromkeys([*tags, *value] if not path else value):
        found = draft.spec(path).field(key)
        if found is None:
            raise CannotBeEntered((*path, key), value[key])
        if found.kind is Kind.NOTHING:
            if value[key] is not None:
                raise CannotBeEntered((*path, key), value[key])
        else:
            enter(draft, value[key], (*path, key))


def _switch(path: Path, value: object) -> bool:
    text = str(value).lower().removesuffix(".0")
    if isinstance(value, (str, int, float)) and text in _YES | _NO:
        return text in _YES
    raise CannotBeEntered(path, value)


def _type(draft: Draft, field: FieldSpec, path: Path, value: object) -> None:
    numeric = field.kind in (Kind.INTEGER, Kind.MEMORY)
    if isinstance(value, bool) and field.kind is Kind.INTEGER:
        text = str(int(value))
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and numeric:
        text = str(int(value)) if value == int(value) else str(value)
    elif isinstance(value, str):
        text = value
    else:
        raise CannotBeEntered(path, value)
    if not text and isinstance(path[-1], str):
        if not field.blank:
            raise CannotBeEntered(path, value)
        draft.put(path, "")
    for end in range(1, len(text) + 1):
        draft.type(path, text[:end])
