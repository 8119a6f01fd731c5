"""The lines that a worker writes, read back. Pure: a line is a fact, a fault in it is never fatal."""

import json
from typing import Any, NamedTuple

from runners.states import State

CORRUPT = "corrupt"
"""Kind of the event that stands for a line which could not be read."""

_SHOWN = 200
"""Characters of a corrupt line that are kept to be looked at."""

_ENDED = frozenset({State.DONE.value, State.FAILED.value, State.CANCELLED.value})


class Event(NamedTuple):
    """One line of a batch's event file."""

    seq: int | None
    """Its number within the file, from 1; None for a line that could not be read."""
    time: float
    """Seconds since the epoch, by the clock of the worker's machine; 0 where the line did not tell."""
    kind: str
    detail: dict[str, Any]
    """What the kind brings along (`runners/worker.py` lists it); checked, where Runyard relies on it."""


def parse_events(data: bytes, *, full: bool) -> tuple[list[Event], int]:
    """The events in *data*, and how many of its bytes they take up.

    A last line without its end is left for the next look, unless *data* is *full* (as much as one look
    reads) and holds no line end at all: such a line can't be an event, and waiting would last for ever.
    """
    end = data.rfind(b"\n") + 1
    if not end and full:
        end = len(data)
    return [_event(line) for line in data[:end].splitlines() if line.strip()], end


def _event(line: bytes) -> Event:
    try:
        # A torn line may be cut inside a character.
        found = json.loads(line.decode("utf-8"))
        seq, time, kind = found.pop("s"), found.pop("t"), found.pop("e")
        if type(seq) is not int or not isinstance(time, int | float) or not isinstance(kind, str):
            raise ValueError("not an event")
        _check(kind, found)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return Event(None, 0.0, CORRUPT, {"line": line[:_SHOWN].decode("utf-8", "replace")})
    return Event(seq, float(time), kind, found)


def _check(kind: str, detail: dict[str, Any]) -> None:
    """Refuse an event in which something Runyard relies on is of another type than the contract says."""
    if kind == "start":
        _numbers(detail["i"], detail["slot"])
    elif kind == "end":
        _numbers(detail["i"])
        if detail["state"] not in _ENDED or not isinstance(detail["why"], str):
            raise ValueError("not an end")
        for name, types in _END_TYPES.items():
            if not isinstance(detail.get(name), types) or isinstance(detail.get(name), bool):
                raise ValueError(f"not an end: {name}")
    elif kind == "slot":
        _numbers(detail["slot"])
        if not isinstance(detail["state"], str):
            raise ValueError("not a slot")
    elif kind == "hb":
        for slot, index, rss, cpu in detail["run"]:
            _numbers(slot, index, int(rss), int(cpu))
    elif kind == "left":
        for first, last in detail["i"]:
            _numbers(first, last)
        if not isinstance(detail["why"], str):
            raise ValueError("not what was left")
    elif kind in ("bye", "hello") and not isinstance(detail.get("why", ""), str):
        raise ValueError("not a bye")


_END_TYPES: dict[str, tuple[type, ...]] = {
    "slot": (int, type(None)),
    "exit": (int, type(None)),
    "signal": (str, type(None)),
    "wall": (int, float, type(None)),
    "cpu": (int, float, type(None)),
    "rss": (int, float, type(None)),
    "log": (int, type(None)),
    "left": (int, type(None)),
    "result_path": (str, type(None)),
}


def _numbers(*values: object) -> None:
    if not all(type(value) is int for value in values):
        raise ValueError("not a whole number")
