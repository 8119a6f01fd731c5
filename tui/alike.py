"""Texts of one cause that differ by amounts of memory only, told once with the span of these. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

_AMOUNT: Final = re.compile(
    r"(?P<before>[:,] )(?P<word>asked|reached) (?P<number>[0-9]{1,12}(?:\.[0-9]{1,3})?) (?P<unit>[MGT]B)\b"
)
"""What :mod:`runners.worker` and :mod:`runners.slurm.evidence` tell of the memory of a task."""

_MB: Final = {"MB": 1, "GB": 1000, "TB": 1_000_000}


class Alike(NamedTuple):
    """Some of several texts, which say the same."""

    text: str
    number: int
    """So many are of it."""
    first: int
    """Where the first of them stands among all, from 0."""


def alike(texts: Iterable[str]) -> Sequence[Alike]:
    """What *texts* say, each once, the most frequent first; untrusted as these are.

    `out of memory: asked 100 MB, reached 105 MB` and such of 300 MB become one that `reached 105 to 300 MB`.
    """
    texts = list(texts)
    numbers = Counter(texts)
    firsts = {text: place for place, text in reversed(list(enumerate(texts)))}
    groups: dict[str, list[str]] = {}
    for text in numbers:
        groups.setdefault(_AMOUNT.sub("", text), []).append(text)
    found = [
        Alike(_told(group), sum(numbers[text] for text in group), firsts[group[0]])
        for group in groups.values()
    ]
    return sorted(found, key=lambda each: -each.number)


def _told(texts: Sequence[str]) -> str:
    """Of several texts that differ by amounts the one that names most of these, with their spans."""
    if len(texts) == 1:
        return texts[0]
    known = {text: list(_AMOUNT.finditer(text)) for text in texts}
    amounts: dict[str, list[re.Match[str]]] = {}
    for match in (match for matches in known.values() for match in matches):
        amounts.setdefault(match["word"], []).append(match)
    fullest = max(texts, key=lambda text: len(known[text]))
    return _AMOUNT.sub(
        lambda match: f"{match['before']}{match['word']} {_span(amounts[match['word']])}", fullest
    )


def _span(amounts: Sequence[re.Match[str]]) -> str:
    least, most = min(amounts, key=_mb), max(amounts, key=_mb)
    if _mb(least) == _mb(most):
        return f"{least['number']} {least['unit']}"
    unit = "" if least["unit"] == most["unit"] else f" {least['unit']}"
    return f"{least['number']}{unit} to {most['number']} {most['unit']}"


def _mb(amount: re.Match[str]) -> float:
    return float(amount["number"]) * _MB[amount["unit"]]
