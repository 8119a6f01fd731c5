"""Placeholders in commands: `{item}` and its relatives become values. Pure.

The rule, for any text of a command:

* `{x}` where x is a known name becomes its value;
* `{{x}}` stands for a literal `{x}`;
* `{x}` where x looks like a name and is not known is an error, since it is mostly a slip;
* every other brace is left alone: `awk '{print $1}'`, JSON, `find -exec … {} +`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

ITEM_NAMES = ("item", "index", "name", "stem", "parent")
"""What can be said about any item: its value, its position, and the parts of its value as a path."""

PATH_NAMES = ("args_json", "out_json")
"""Files of a task: its arguments, and where it may leave a JSON result."""

BRACES = re.compile(r"\{\{([^{}\n]+)\}\}|\{([^{}\n]+)\}")
"""What may be a placeholder: in the first group when it is written with two braces."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class TemplateError(ValueError):
    """A command can't be rendered; the text is one sentence for a person."""


class Part(NamedTuple):
    """Some literal text, and the name of the placeholder behind it (None: there is none)."""

    literal: str
    name: str | None


@lru_cache(maxsize=256)
def split(text: str, known: frozenset[str]) -> tuple[Part, ...]:
    """Cut *text* at its placeholders.

    Raises:
        TemplateError: it holds a placeholder that is not *known*.
    """
    parts: list[Part] = []
    literal, end = "", 0
    for match in BRACES.finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        read = resolve(match, known)
        if read.name is None:
            literal += read.literal
        else:
            parts.append(Part(literal, read.name))
            literal = ""
    parts.append(Part(literal + text[end:], None))
    return tuple(parts)


def resolve(match: re.Match[str], known: Collection[str]) -> Part:
    """What one match of `BRACES` means: literal text, or a placeholder.

    Raises:
        TemplateError: it looks like a placeholder and is not *known*.
    """
    doubled, single = match.groups()
    if doubled is not None:
        is_name = doubled in known or _NAME.fullmatch(doubled)
        return Part(match[0][1:-1] if is_name else match[0], None)
    if single in known:
        return Part("", single)
    if _NAME.fullmatch(single):
        names = listed(known) or "none"
        raise TemplateError(
            f"{{{single}}} is no placeholder; those of this command are {names}, "
            f"and {{{{{single}}}}} stands for a literal {{{single}}}."
        )
    return Part(match[0], None)


def fill(text: str, values: Mapping[str, str]) -> str:
    """*text* with every placeholder replaced by its value.

    Raises:
        TemplateError: it holds a placeholder that has no value.
    """
    return "".join(
        part.literal + (values[part.name] if part.name is not None else "")
        for part in split(text, frozenset(values))
    )


def values_of(item: str, index: int, columns: Mapping[str, str] | None = None) -> dict[str, str]:
    """The values of the placeholders for one item.

    A column of a table goes before what is derived from the item: `{name}` is the column `name` where
    there is one.
    """
    path = item.rstrip("/") or item
    name = posixpath.basename(path)
    return {
        "item": item,
        "index": str(index),
        "name": name,
        "stem": posixpath.splitext(name)[0],
        "parent": posixpath.dirname(path) or ".",
        **(columns or {}),
    }


def listed(names: Iterable[str]) -> str:
    """Placeholders for a sentence: the usual ones first, as `{item}, {index}`."""
    given = set(names)
    usual = [name for name in (*ITEM_NAMES, *PATH_NAMES) if name in given]
    return ", ".join(f"{{{name}}}" for name in [*usual, *sorted(given.difference(usual))])
