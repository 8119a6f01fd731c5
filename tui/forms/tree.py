"""A JSON document as a form edits it. Pure; imports no textual.

A tree is the document itself, with two differences: the rows of a map are a list while they are edited, so
that a key may be empty or there twice as long as it is being typed; and an optional group that was filled is
there also while it is empty. Trees are never changed: an edit makes a new one, which shares what stays.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from runners.config.errors import ConfigError
from runners.config.json_text import from_json
from tui.forms.spec import FieldSpec, Kind, Path


class Missing(Enum):
    """What stands where nothing does, because null is a value of its own."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

_WHOLE: Final = re.compile(r"\s*[+-]?[0-9]{1,18}\s*", re.ASCII)


class Rows(list[tuple[str, object]]):
    """The rows of a map: its keys with their values."""


class Filled(dict[str, object]):
    """A group whose none is `{}`, and that is there although it may hold nothing yet."""


def grown(spec: FieldSpec, value: object) -> object:
    """The tree of a JSON value."""
    spec = spec.variant(value)
    if spec.kind is Kind.GROUP and isinstance(value, dict):
        group = {
            key: part if (found := spec.field(key)) is None else grown(found, part)
            for key, part in value.items()
        }
        return Filled(group) if group and spec.empty_is_none else group
    return Rows(value.items()) if spec.kind is Kind.MAP and isinstance(value, dict) else value


def plain(spec: FieldSpec, tree: object) -> Any:
    """The JSON value of a tree: keys in the schema's order, what the schema does not know at the end.

    Of rows with the same key the first one counts.
    """
    spec = spec.variant(tree)
    if spec.kind is Kind.GROUP and isinstance(tree, dict):
        known = {found.name: plain(found, tree[found.name]) for found in spec.fields if found.name in tree}
        return known | {key: part for key, part in tree.items() if key not in known}
    if isinstance(tree, Rows):
        values: dict[str, object] = {}
        for key, part in tree:
            values.setdefault(key, part)
        return values
    return tree


def at(tree: object, path: Path) -> object:
    """What is at a path, `MISSING` if nothing is."""
    for part in path:
        if isinstance(part, str):
            tree = tree.get(part, MISSING) if isinstance(tree, dict) else MISSING
        elif isinstance(tree, Rows):
            tree = tree[part][1] if part < len(tree) else MISSING
        else:
            tree = tree[part] if isinstance(tree, list) and part < len(tree) else MISSING
    return tree


def counterpart(tree: object, path: Path, other: object) -> object:
    """What *other* has where *tree* has *path*: the row with the same key, whichever row that is."""
    for part in path:
        mine, tree = tree, at(tree, (part,))
        if isinstance(mine, Rows) and isinstance(part, int) and part < len(mine):
            rows = other if isinstance(other, Rows) else Rows()
            other = next((value for key, value in rows if key == mine[part][0]), MISSING)
        else:
            other = at(other, (part,))
    return other


def spec_at(spec: FieldSpec, tree: object, path: Path) -> FieldSpec:
    """The field at a path, of a union the union itself.

    Raises `KeyError` where the schema has none, and the tree no key either.
    """
    for index, part in enumerate(path):
        group = spec.variant(tree)
        found = group.field(part) if isinstance(part, str) else group.item
        if found is None:
            if part not in strangers(group, tree):
                raise KeyError(path[: index + 1])
            found = FieldSpec(str(part), Kind.STRANGER, "", False, None, False)
        spec, tree = found, at(tree, (part,))
    return spec


def planted(spec: FieldSpec, tree: object, path: Path, value: object) -> object:
    """The tree with *value* at *path*; with `MISSING` the key is gone.

    Groups on the way are made where there are none. Raises `IndexError` for an item or row that is not there.
    """
    if not path:
        return value
    part, rest = path[0], path[1:]
    spec = spec.variant(tree)
    if isinstance(part, str):
        group: dict[str, object] = dict(tree) if isinstance(tree, dict) else {}
        within = planted(spec.field(part) or spec, group.get(part, MISSING), rest, value)
        if within is MISSING:
            group.pop(part, None)
        else:
            group[part] = within
        return Filled(group) if spec.empty_is_none else group
    if isinstance(tree, Rows):
        rows = Rows(tree)
        rows[part] = (rows[part][0], value)
        return rows
    items = list(tree) if isinstance(tree, list) else []
    items[part] = value
    return items


def empty(spec: FieldSpec) -> object:
    """What a new item, row or group begins with."""
    match spec.kind:
        case Kind.GROUP | Kind.UNION:
            return Filled() if spec.empty_is_none else {}
        case Kind.LIST:
            return []
        case Kind.MAP:
            return Rows()
        case Kind.BOOL:
            return False
    return ""


def same(one: object, other: object) -> bool:
    """Whether two trees say the same, with the same types: `1` is not `true`, nor `"1"`.

    The order of rows and items counts, that of keys does not.
    """
    pairs = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys() or isinstance(left, Filled) != isinstance(right, Filled):
                return False
            pairs += [(part, right[key]) for key, part in left.items()]
        elif isinstance(left, list) and isinstance(right, list):
            # A row is a tuple, its key and its value.
            if len(left) != len(right) or isinstance(left, Rows) != isinstance(right, Rows):
                return False
            pairs += zip(left, right, strict=True)
        elif isinstance(left, tuple) and isinstance(right, tuple):
            pairs += zip(left, right, strict=True)
        elif type(left) is not type(right) or (left != right and not (left != left and right != right)):
            return False
    return True


def text_of(value: object) -> str:
    """A value as a field for text shows it: nothing for null, JSON for what is no text."""
    if value is MISSING or value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(dict(value) if isinstance(value, Rows) else value, ensure_ascii=False)


def value_of(spec: FieldSpec, text: str) -> object:
    """The JSON value that is meant by what is typed in a field: a text, where it can be no other."""
    if spec.kind is Kind.INTEGER and _WHOLE.fullmatch(text):
        return int(text)
    if spec.kind is Kind.JSON:
        with contextlib.suppress(ConfigError):
            value = from_json(text.encode("utf-8", "surrogatepass"), "", once=True)
            return value if isinstance(value, (dict, list)) else text
    return next((choice for choice in spec.choices if text_of(choice) == text), text)


def unknown(spec: FieldSpec, tree: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The dotted paths of keys that the schema does not know and drops."""
    spec = spec.variant(tree)
    if spec.kind is Kind.GROUP and isinstance(tree, dict) and spec.model is not None:
        for key, part in tree.items():
            found = spec.field(key)
            if found is not None:
                yield from unknown(found, part, (*path, key))
            elif not spec.closed:
                yield ".".join((*path, key))


def strangers(group: FieldSpec, tree: object) -> list[str]:
    """The keys of a group that do not belong into it: the schema does not know them, or wants them null."""
    if group.model is None or not isinstance(tree, dict):
        return []
    known = {found.name: found for found in group.fields}
    return [
        key
        for key, part in tree.items()
        if key not in known or (known[key].kind is Kind.NOTHING and part is not None)
    ]
