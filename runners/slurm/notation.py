"""How SLURM writes ids, times, memory and numbers in what it answers. Pure."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

_LARGEST_ID = 2**32
"""Ids are 32 bits wide; more digits are no id."""

_JOB = re.compile(
    r"(?P<job>[0-9]{1,10})"
    r"(?:_(?P<task>[0-9]{1,10})|_\[(?P<tasks>[0-9,:%.-]+)\]|\+(?P<part>[0-9]{1,10}))?"
    r"(?:\.(?P<step>[A-Za-z0-9_+]+))?"
)
_CLOCK = re.compile(r"(?:([0-9]{1,6})-)?(?:([0-9]{1,6}):)?([0-9]{1,6}):([0-9]{1,2}(?:\.[0-9]{1,9})?)")
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)([KMGTP]?)[nc]?")
_MB_IN = {"": 1 / 1024**2, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2, "P": 1024.0**3}


class JobId(NamedTuple):
    """An id as SLURM shows it: of a job, a part of one, or one of its steps."""

    job: int
    task: int | None = None
    """Of an array, one task: `123_4`."""
    tasks: str | None = None
    """Of an array, the tasks that wait: `1-5%2` of `123_[1-5%2]`."""
    part: int | None = None
    """Of a job of several parts: 0 of `123+0`."""
    step: str | None = None
    """`batch`, `extern` or a number: what stands behind the dot."""


def parse_job_id(text: str) -> JobId:
    """Read `123`, `123_4`, `123_[1-5%2]`, `123+0`, each perhaps with a step (`123.batch`).

    Raises:
        ValueError: it is none of these.
    """
    match = _JOB.fullmatch(text.strip())
    if match is None or not 0 < int(match["job"]) < _LARGEST_ID:
        raise ValueError(f"{text!r} is no id of a job")
    task, part = match["task"], match["part"]
    return JobId(
        int(match["job"]),
        None if task is None else int(task),
        match["tasks"],
        None if part is None else int(part),
        match["step"],
    )


def parse_clock(text: str) -> float | None:
    """Seconds from a time or limit as SLURM shows it: `0:05`, `1:00:00`, `2-03:04:05`, `00:01.250`.

    Infinity for UNLIMITED; None where it tells none (INVALID, NOT_SET, Partition_Limit, nothing at all).
    """
    text = text.strip()
    if text == "UNLIMITED":
        return math.inf
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    days, hours, minutes, seconds = match.groups()
    return int(days or 0) * 86_400 + int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)


def parse_size(text: str) -> float | None:
    """MB from memory as SLURM shows it: `500M`, `1.50G`, `326656K`, `4Gn`; a bare number is bytes.

    SLURM counts in steps of 1024, and its M is what a job that asked for MB was given: so what a job asked
    for and what it reached compare. None where it tells none.
    """
    match = _SIZE.fullmatch(text.strip())
    return float(match[1]) * _MB_IN[match[2]] if match else None


def parse_count(text: str) -> int | None:
    """A whole number of at most 15 digits; None for anything else, as where there is no limit."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
