"""Dotted names of fields, as errors and findings have them, and the paths of a form. Imports no textual."""

from __future__ import annotations

from difflib import get_close_matches

from tui.forms.spec import FieldSpec, Kind, Path
from tui.forms.tree import Rows, at, spec_at, strangers


def dotted(tree: object, path: Path) -> str:
    """The name of a field: names of fields, keys of maps and indices of lists, with dots between."""
    parts = []
    for part in path:
        if isinstance(tree, Rows) and isinstance(part, int) and part < len(tree):
            parts.append(tree[part][0])
        else:
            parts.append(str(part))
        tree = at(tree, (part,))
    return ".".join(parts)


def names_in(spec: FieldSpec) -> list[str]:
    """The names of the fields of a group that are shown."""
    return [field.name for field in spec.fields if field.kind is not Kind.NOTHING]


def nearest(spec: FieldSpec, name: str) -> str:
    """The field of a group that was meant by *name*, which is none of them; "" where none is like it."""
    return next(iter(get_close_matches(name, names_in(spec), n=1)), "")


def path_of(spec: FieldSpec, tree: object, name: str) -> Path:
    """The field that a dotted name means, or the nearest one around it that a form shows.

    Keys of maps may hold dots themselves: the longest one that fits is meant.
    """
    path: Path = ()
    more = bool(name)
    while more:
        group = spec.variant(tree)
        step = _step(group, tree, name)
        if step is None:
            return path
        part, taken = step
        spec = spec_at(group, tree, (part,))
        tree = at(tree, (part,))
        path = (*path, part)
        # The key of a row may be empty: there is more where there is a dot.
        more, name = len(name) > taken, name[taken + 1 :]
    return path


def _step(spec: FieldSpec, tree: object, name: str) -> tuple[str | int, int] | None:
    """The first part of a dotted name, and how much of it that is."""
    head = name.partition(".")[0]
    if spec.kind is Kind.GROUP:
        found = spec.field(head)
        if found is not None and found.kind is not Kind.NOTHING:
            return head, len(head)
        strange = [key for key in strangers(spec, tree) if name == key or name.startswith(f"{key}.")]
        key = max(strange, key=len, default=None)
        return None if key is None else (key, len(key))
    if isinstance(tree, Rows):
        fitting = [
            (len(key), -index)
            for index, (key, _) in enumerate(tree)
            if name == key or name.startswith(f"{key}.")
        ]
        # Of rows with the same key the first one.
        length, index = max(fitting, default=(0, 0))
        return (-index, length) if fitting else None
    if spec.kind is Kind.LIST and isinstance(tree, list) and head.isdecimal() and int(head) < len(tree):
        return int(head), len(head)
    return None
