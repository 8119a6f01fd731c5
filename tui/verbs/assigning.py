"""`path=value`: one field of a document set from the shell, and what the document is then."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from runners.config.errors import shown
from tui.failure import Failure
from tui.forms.naming import names_in, nearest
from tui.forms.spec import FieldSpec, Kind
from tui.forms.tree import at

_TOLD = 3
"""Of the fields that may be meant."""

_TEXTS = frozenset({Kind.TEXT, Kind.MEMORY, Kind.TIME, Kind.PATH, Kind.CHOICE})


def is_assignment(text: str) -> bool:
    """Whether it is `path=value`, be there such a field or not."""
    path, equals, _ = text.partition("=")
    return bool(path and equals)


def assign(spec: FieldSpec, document: object, assignment: str) -> object:
    """The document with a field set as *assignment* (`path=value`) says; the given one stays as it is.

    The value is JSON if it can be read as such, else a text; of a field for text, `123` is a text too. Groups
    on the way that are not there, or null, are made. The index after a list's last makes a new item.

    Raises:
        Failure: there is no such field.
    """
    path, _, value = assignment.partition("=")
    document = copy.deepcopy(document)
    holder, key, field = _place(spec, document, path, make=True)
    new = _value(field, value)
    if isinstance(holder, list) and key == len(holder):
        holder.append(new)
    else:
        holder[key] = new
    return document


def unset(spec: FieldSpec, document: object, path: str) -> object:
    """The document without a field, so that its default holds; as :func:`assign`.

    Raises:
        Failure: there is no such field, or it is not in the document.
    """
    document = copy.deepcopy(document)
    holder, key, _ = _place(spec, document, path, make=False)
    try:
        del holder[key]
    except (LookupError, TypeError) as error:
        raise Failure(f"{shown(path)} is not set, so it can't be unset.") from error
    return document


def _place(
    spec: FieldSpec | None, document: object, path: str, *, make: bool
) -> tuple[Any, str | int, FieldSpec | None]:
    """The object or list that a field is in, its key or index there, and what the schema says of it."""
    if not isinstance(document, dict):
        raise Failure(
            "It is no JSON object, so no field of it can be set; edit it, or put another in its place."
        )
    tree: Any = document
    rest = path
    while True:
        spec = spec.variant(tree) if spec else None
        key, rest = _step(spec, tree, path, rest)
        of_key = None
        if spec:
            of_key = spec.field(key) if spec.kind is Kind.GROUP else spec.item
        if not rest:
            return tree, key, of_key
        try:
            inner = tree[key]
        except LookupError:
            inner = None
        if not isinstance(inner, dict | list):
            opened: Any = [] if of_key and of_key.kind is Kind.LIST else {}
            if inner is not None or of_key is None or of_key.kind in _TEXTS:
                raise Failure(f"There is no field {shown(path)}: {shown(key)} holds no fields.")
            if not make:
                raise Failure(f"{shown(path)} is not set, so it can't be unset.")
            if isinstance(tree, list):
                tree.append(opened)
            else:
                tree[key] = opened
            inner = opened
        tree, spec = inner, of_key


def _step(spec: FieldSpec | None, tree: Any, path: str, rest: str) -> tuple[str | int, str]:
    """The next key or index on the path, and what of the path is behind it."""
    head, _, behind = rest.partition(".")
    if isinstance(tree, list):
        # Not everything that consists of digits is a number to Python: there is a limit.
        if not head.isascii() or not head.isdecimal() or len(head) > 9 or int(head) > len(tree):
            raise Failure(
                f"There is no field {shown(path)}: a list has numbers, here 0 to {len(tree)}, "
                f"not {shown(head)}."
            )
        return int(head), behind
    if spec and spec.kind is Kind.MAP:
        # Keys may hold dots, as 3.12 does, and what they name holds no fields.
        return rest, ""
    if spec and spec.field(head):
        return head, behind
    # What the schema does not know but the document has can be set too.
    known = [key for key in tree if rest == key or rest.startswith(f"{key}.")]
    if known:
        key = max(known, key=len)
        return key, rest[len(key) + 1 :]
    names = names_in(spec) if spec else []
    deeper = _ending_in(spec, tree, rest) if spec else []
    *others, last = [path.removesuffix(rest) + found for found in deeper[:_TOLD]] or [""]
    close = f"{', '.join(others)} or {last}" if others else last
    if spec and not close:
        close = nearest(spec, head)
    hint = f"did you mean {close}?" if close else f"there are: {', '.join(names) or 'none'}."
    raise Failure(f"There is no field {shown(path)}: {shown(head)} is not known here; {hint}")


def _ending_in(spec: FieldSpec, tree: object, end: str) -> list[str]:
    """The names of fields, however deep in a group, that end in *end*; first those whose group is set."""
    found = [name for name in _names(spec) if name.endswith(f".{end}")]
    return sorted(found, key=lambda name: not isinstance(at(tree, tuple(name.split(".")[:-1])), dict))


def _names(spec: FieldSpec) -> Iterator[str]:
    for field in spec.fields:
        if field.kind is not Kind.NOTHING:
            yield field.name
        yield from (f"{field.name}.{name}" for name in _names(field))


def _value(field: FieldSpec | None, text: str) -> object:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if field and field.kind in _TEXTS - {Kind.MEMORY} and not isinstance(value, str | None):
        return text
    return value
