"""Two edits of the same document, made at the same time, in one. Pure; imports no textual."""

from __future__ import annotations

from typing import Any, Final

from tui.forms.tree import MISSING, same

_PLACE: Final = "."


def merged(base: Any, mine: Any, theirs: Any) -> tuple[Any, list[str]]:
    """*theirs* with what *mine* has changed of *base*, and the dotted paths of what both have changed.

    What both have changed differently stays as in *mine*. Lists are changed as a whole.
    """
    clashes: list[str] = []
    return _merged(base, mine, theirs, (), clashes), clashes


def _merged(base: Any, mine: Any, theirs: Any, path: tuple[str, ...], clashes: list[str]) -> Any:
    if same(mine, base) or same(mine, theirs):
        return theirs
    if same(theirs, base):
        return mine
    if isinstance(mine, dict) and isinstance(theirs, dict):
        before = base if isinstance(base, dict) else {}
        found = {}
        for key in {**theirs, **mine}:
            old, ours, others = (each.get(key, MISSING) for each in (before, mine, theirs))
            value = _merged(old, ours, others, (*path, str(key)), clashes)
            if value is not MISSING:
                found[key] = value
        return found
    clashes.append(_PLACE.join(path))
    return mine
