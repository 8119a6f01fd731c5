"""From one variant of a union to another: what both have stays, and a change of mind loses nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui.forms.spec import FieldSpec, Kind


def changed_to(union: FieldSpec, tag: str, value: dict[str, Any], before: object) -> dict[str, Any]:
    """The JSON object *value* with *tag* as its tag.

    What only other variants have is left out; what no variant knows stays. Out of *before*, the object as it
    was when it last had this tag, comes what the variant that is left has no field for.
    """
    new = union.variant({union.tag: tag})
    kept = _adapted(new, list(union.variants.values()), value)
    if isinstance(before, dict):
        kept = _restored(union.variant(value), new, kept, before)
    return kept | {union.tag: tag}


def _adapted(new: FieldSpec, all_variants: Sequence[FieldSpec], value: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, part in value.items():
        found = new.field(key)
        elsewhere = [other for group in all_variants if (other := group.field(key))]
        if found is None:
            if not elsewhere:
                kept[key] = part
        elif part is None:
            # The null of a variant that must have none would be an error in one that must have some.
            if found.nullable or all(other.kind is not Kind.NOTHING for other in elsewhere):
                kept[key] = part
        elif found.kind is not Kind.NOTHING:
            is_group = found.kind is Kind.GROUP and isinstance(part, dict)
            kept[key] = _adapted(found, elsewhere, part) if is_group else part
    return kept


def _restored(old: FieldSpec, new: FieldSpec, kept: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    back = dict(kept)
    for key, part in before.items():
        found, left = new.field(key), old.field(key)
        if found is None or found.kind is Kind.NOTHING:
            continue
        if left is None or left.kind is Kind.NOTHING:
            back.setdefault(key, part)
        elif found.kind is Kind.GROUP and isinstance(part, dict) and isinstance(back.get(key), dict):
            back[key] = _restored(left, found, back[key], part)
    return back
