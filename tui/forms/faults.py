"""What is wrong with a draft, beside the field that a person sees. Imports no textual."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from runners.config.errors import KEY, located_faults
from tui.forms.naming import nearest
from tui.forms.spec import FieldSpec, Kind, Path
from tui.forms.tree import MISSING, Filled, Rows, at

_MISSING = "is missing"
_NO_NAME = "needs a name"


def validated(spec: FieldSpec, tree: object, document: object) -> tuple[dict[Path, str], BaseModel | None]:
    """The errors of a document by field, or the model that it makes if there are none.

    A message completes a sentence that begins with the name of the field; `()` is the document as a whole.
    """
    group = spec.variant(tree)
    errors: dict[Path, list[str]] = {}
    model = None
    if not isinstance(tree, dict):
        errors[()] = ["must be an object (names with values)"]
    elif group.model is None:
        errors[(spec.tag,)] = [_one_of(spec)]
    else:
        try:
            model = group.model.model_validate(document)
        except ValidationError as error:
            for location, message in located_faults(error):
                path, told = _placed(group, tree, location, message)
                errors.setdefault(path, []).append(told)
        # What the document can't say, because it holds no key twice and no group that is only opened.
        for path, told in _unsaid(group, tree, ()):
            errors.setdefault(path, []).append(told)
    # Of an item of a union every member may say the same.
    joined = {path: "; ".join(dict.fromkeys(told)) for path, told in errors.items()}
    return joined, None if joined else model


def _placed(spec: FieldSpec, tree: object, location: tuple[str | int, ...], message: str) -> tuple[Path, str]:
    """Where a person sees what pydantic locates, and what is said there."""
    path: Path = ()
    of_key = bool(location) and location[-1] == KEY
    for index, part in enumerate(location):
        if spec.kind is Kind.GROUP:
            found = spec.field(part)
            if found is None:
                if not (isinstance(tree, dict) and part in tree):
                    # The tag of a union, or the name of a wrapper: a person sees neither.
                    continue
                close = nearest(spec, str(part))
                return (*path, part), f"{message}; did you mean {close}?" if close else message
            step: str | int = found.name
        elif isinstance(tree, Rows):
            row = next((index for index, (key, _) in enumerate(tree) if key == str(part)), None)
            if row is None or spec.item is None:
                continue
            if of_key and not tree[row][0].strip():
                message = _NO_NAME
            found, step = spec.item, row
        elif spec.kind is Kind.LIST and isinstance(part, int) and at(tree, (part,)) is not MISSING:
            if spec.item is None:
                continue
            found, step = spec.item, part
        else:
            # Deeper than any field: an object where a text belongs, or what is wrong in one that does.
            inner = ".".join(str(each) for each in location[index:] if each != KEY)
            return path, f"{inner} {message}" if spec.kind is Kind.JSON else message
        path = (*path, step)
        tree = at(tree, (step,))
        spec = found.variant(tree)
        if found.kind is Kind.UNION and spec.model is None and isinstance(tree, dict):
            return (*path, found.tag), _one_of(found)
    return path, message


def _one_of(union: FieldSpec) -> str:
    return f"must be one of {', '.join(union.variants)}"


def _unsaid(spec: FieldSpec, tree: object, path: Path) -> Iterator[tuple[Path, str]]:
    spec = spec.variant(tree)
    if isinstance(tree, Filled) and not tree:
        for found in spec.fields:
            if found.required:
                yield (*path, found.name), _MISSING
    elif isinstance(tree, dict) and spec.kind is Kind.GROUP:
        for found in spec.fields:
            if found.name in tree:
                yield from _unsaid(found, tree[found.name], (*path, found.name))
    elif isinstance(tree, Rows):
        seen = set()
        for index, (key, _) in enumerate(tree):
            if key in seen:
                yield (*path, index), "has the name of another row" if key.strip() else _NO_NAME
            seen.add(key)
