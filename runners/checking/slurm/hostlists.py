"""Lists of nodes as SLURM writes them, such as `c[1-4,07],g1`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from runners.config.errors import shown

_MOST = 100_000
"""Nodes of a list: more has no cluster, and what comes from outside may name any number."""
_DIMENSIONS = 8
"""Brackets in one name; SLURM itself knows fewer."""
_LONGEST = 80

_ITEM = re.compile(r"((?:[^,\[\]]|\[[^\[\]]*\])+)")
_SPAN = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def hosts_of(text: str) -> Iterator[str]:
    """The nodes of a list; what can't be read is passed over."""
    return islice((host for item in _ITEM.findall(text) for host in _spread(item)), _MOST)


def first_host(text: str) -> str:
    """One node of a list, to name it in a command."""
    return next(hosts_of(text), text)


def brief(text: str) -> str:
    """A list in a sentence, cut where it is long."""
    return shown(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _spread(item: str) -> Iterator[str]:
    before, bracket, rest = item.partition("[")
    if not bracket:
        yield item
        return
    inner, _, after = rest.partition("]")
    if item.count("[") > _DIMENSIONS:
        return
    for part in inner.split(","):
        if (span := _SPAN.fullmatch(part)) is None:
            continue
        first, last = span[1], span[2] or span[1]
        for number in range(int(first), int(last) + 1):
            for end in _spread(after):
                yield f"{before}{number:0{len(first)}}{end}"
