"""Generic resources (GPUs and other devices): what nodes have, and what jobs ask for. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_COUNT = re.compile(r"([0-9]{1,15})([kKmMgGtTpP]?)")
_TIMES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}
_WORD = re.compile(r"[\w.+-]+", re.ASCII)
_BOUND = re.compile(r"\([^()]*\)")
_NONE = ("", "(null)", "none", "n/a")
_FLAGS = ("no_consume", "one_sharing", "all_sharing")


class GresAsk(NamedTuple):
    """What a job asks for of one kind."""

    name: str
    type: str
    """Empty: any."""
    number: int


def read_gres(text: str) -> Mapping[str, Mapping[str, int]] | None:
    """`gpu:v100:2(S:0-1),nvme:1` of a node: counts by name and type; None where it can't be read.

    The type is empty where the node names none.
    """
    found: dict[str, dict[str, int]] = {}
    text = _BOUND.sub("", text.strip()) if text.strip() not in _NONE else ""
    for item in filter(None, text.split(",")):
        words = [word for word in item.split(":") if word not in _FLAGS]
        count = count_of(words[-1]) if len(words) > 1 else None
        if count is not None:
            words.pop()
        if not 1 <= len(words) <= 2 or not all(map(_WORD.fullmatch, words)):
            return None
        kind = words[1] if len(words) > 1 else ""
        types = found.setdefault(words[0], {})
        types[kind] = types.get(kind, 0) + (1 if count is None else count)
    return found


def read_gres_ask(text: str) -> list[GresAsk] | None:
    """`gpu:v100:1,nvme` of a job; None where it can't be read."""
    asks = []
    for item in filter(None, text.strip().split(",")):
        if item.lower() == "none":
            continue
        words = [word for word in re.sub(r"^gres[:/]", "", item).split(":") if word not in _FLAGS]
        count = count_of(words[-1]) if len(words) > 1 else None
        if count is not None:
            words.pop()
        if not 1 <= len(words) <= 2 or not all(map(_WORD.fullmatch, words)):
            return None
        asks.append(GresAsk(words[0], words[1] if len(words) > 1 else "", 1 if count is None else count))
    return asks


def read_gpus_ask(text: str) -> list[GresAsk] | None:
    """`2` or `v100:1,k80:1` of a job, of all its nodes together; None where it can't be read."""
    asks = []
    for item in filter(None, text.strip().split(",")):
        kind, _, number = item.rpartition(":")
        count = count_of(number)
        if count is None and not kind:
            kind, count = number, 1
        if count is None or (kind and not _WORD.fullmatch(kind)):
            return None
        asks.append(GresAsk("gpu", kind, count))
    return asks


def count_of(text: str) -> int | None:
    """A count as gres and sinfo have them, `2` or `1K`; None for anything else."""
    match = _COUNT.fullmatch(text)
    return int(match[1]) * _TIMES[match[2].lower()] if match else None


def has(gres: Mapping[str, Mapping[str, int]], ask: GresAsk) -> int:
    """How many of what is asked for a node has."""
    types = gres.get(ask.name, {})
    return types.get(ask.type, 0) if ask.type else sum(types.values())
