"""Constraints: which features of nodes a job wants, and whether nodes have them. Pure.

SLURM's own reading is intricate (counts, brackets that mean "all of one kind"); so this one is generous: what
it turns down no nodes can satisfy, and what it can't read it says nothing about.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"\s*(?:(?P<name>!?[\w.=:%+-]+)(?P<count>\*[0-9]+)?|(?P<sign>[&|,()\[\]]))")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint that can be read."""

    names: frozenset[str]
    """The features that it wants, in any combination."""
    tree: object
    simple: bool
    """One node must have all of it; else the nodes of a job may differ."""

    def holds(self, features: Collection[str]) -> bool:
        """Whether a node with *features* would do; or nodes that have these together, where not simple."""
        return _holds(self.tree, features, alone=self.simple)


def read_constraint(text: str) -> Constraint | None:
    """Read a constraint; None where it can't be."""
    tokens: list[str] = []
    place = 0
    simple = True
    text = text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            return None
        place = match.end()
        simple = simple and match["count"] is None and match["sign"] not in ("[", "]")
        tokens.append(match["name"] or match["sign"])
    stream = _Stream(tokens)
    try:
        tree = _any(stream)
    except (StopIteration, ValueError):
        return None
    if stream.now is not None:
        return None
    return Constraint(frozenset(_names(tree)), tree, simple)


class _Stream:
    def __init__(self, tokens: list[str]) -> None:
        self._rest = iter([*tokens, None])
        self.now: str | None = next(self._rest)

    def take(self) -> str:
        token = self.now
        if token is None:
            raise ValueError("it ends too early")
        self.now = next(self._rest)
        return token


def _any(stream: _Stream) -> object:
    parts = [_all(stream)]
    while stream.now == "|":
        stream.take()
        parts.append(_all(stream))
    return ("any", parts) if len(parts) > 1 else parts[0]


def _all(stream: _Stream) -> object:
    parts = [_one(stream)]
    while stream.now in ("&", ","):
        stream.take()
        parts.append(_one(stream))
    return ("all", parts) if len(parts) > 1 else parts[0]


def _one(stream: _Stream) -> object:
    token = stream.take()
    closing = {"(": ")", "[": "]"}.get(token)
    if closing is not None:
        inner = _any(stream)
        if stream.take() != closing:
            raise ValueError("a bracket is not closed")
        # A count may follow, which the reader of tokens does not know there: then it is no constraint to us.
        return inner
    if token in ("&", "|", ",", ")", "]"):
        raise ValueError("a name is missing")
    return token


def _holds(tree: object, features: Collection[str], *, alone: bool) -> bool:
    match tree:
        case ("any", list(parts)):
            return any(_holds(part, features, alone=alone) for part in parts)
        case ("all", list(parts)):
            return all(_holds(part, features, alone=alone) for part in parts)
        case str(name) if name.startswith("!"):
            # Of several nodes one may have it, and another not.
            return not alone or name[1:] not in features
    return tree in features


def _names(tree: object) -> Iterator[str]:
    match tree:
        case (str(), list(parts)):
            for part in parts:
                yield from _names(part)
        case str(name) if not name.startswith("!"):
            yield name
