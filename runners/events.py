"""The lines that a worker writes, read back. Pure: a line is a fact, a fault in it is never fatal."""

import json
import math
from typing import Any, NamedTuple, NoReturn

from runners.states import State

CORRUPT = "corrupt"
"""Kind of the event that stands for a line which could not be read."""

_SHOWN = 200
"""Bytes of a corrupt line that are kept to be looked at."""

_LARGEST = 2**53
"""No number that a worker writes comes near; larger ones would not fit into the store."""

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


class _NoEventError(ValueError):
    """The line is none."""


def parse_events(data: bytes, *, full: bool) -> tuple[list[Event], int]:
    """The events in *data*, and how many of its bytes they take up.

    A last line without its end is left for the next look, unless *data* is *full* (as much as one look
    reads) and holds no line end at all: such a line can't be an event, and waiting would last for ever.
    """
    end = data.rfind(b"\n") + 1
    if not end and full:
        end = len(data)
    return [_event(line) for line in data[:end].split(b"\n") if line.strip()], end


def is_last_word(event: Event) -> bool:
    """Whether the worker has nothing more to tell, and will not be started again for it either."""
    return event.kind == "bye" and not event.detail.get("again")


def _event(line: bytes) -> Event:
    try:
        found = _decode(line.decode("utf-8"))
        if b"\\ud" in line:
            # A file name that is no UTF-8 comes as half a pair, which can be neither stored nor shown.
            found = _decode(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace").decode())
        seq, time, kind = _whole(found.pop("s")), _number(found.pop("t")), _text(found.pop("e"))
        _check(kind, found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Event(None, 0.0, CORRUPT, {"line": line[:_SHOWN].decode("utf-8", "replace")})
    return Event(seq, time, kind, found)


def _check(kind: str, detail: dict[str, Any]) -> None:
    """Refuse an event in which something Runyard relies on is of another type than the contract says."""
    match kind:
        case "start":
            _whole(detail["i"])
            _whole(detail["slot"])
        case "end":
            _whole(detail["i"])
            _text(detail["why"])
            if detail["state"] not in _ENDED:
                raise _NoEventError("state")
            for name in ("slot", "log", "left"):
                if detail.get(name) is not None:
                    _whole(detail[name])
            # An exit code is 0 or more; what a kernel may do to it is not ours to judge.
            for name in ("exit", "wall", "cpu", "rss"):
                if detail.get(name) is not None:
                    _number(detail[name])
            for name in ("signal", "result_path"):
                if detail.get(name) is not None:
                    _text(detail[name])
        case "slot":
            _whole(detail["slot"])
            _text(detail["state"])
            if detail.get("pid") is not None:
                _whole(detail["pid"])
        case "hb":
            for slot, index, rss, cpu in detail["run"]:
                _whole(slot)
                _whole(index)
                _number(rss or 0)
                _number(cpu or 0)
        case "left":
            _text(detail["why"])
            for first, last in detail["i"]:
                _whole(first)
                _whole(last)
        case "bye":
            _text(detail["why"])


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise _NoEventError("not a whole number")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value) or abs(value) >= _LARGEST:
        raise _NoEventError("not a number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _NoEventError("not a text")
    return value


def _refuse(constant: str) -> NoReturn:
    raise _NoEventError(constant)


_decode = json.JSONDecoder(parse_constant=_refuse).decode
