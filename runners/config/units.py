"""Memory and time, from what people write to whole MB and seconds, and back to words for screens.

Pure. Everything inside Runyard is in MB (1 GB is 1000 MB, as in the reference system) and in seconds.
"""

from __future__ import annotations

import re

LARGEST = 2**53
"""No count, memory or time is larger: JSON readers and the store keep whole numbers exactly up to here."""

_MB_IN = {"": 1, "M": 1, "G": 1000, "T": 1_000_000}
_MEMORY = re.compile(r"([0-9]+)([MGT]?)")
_SLURM_TIME = re.compile(r"(?:([0-9]+)-)?([0-9]+)(?::([0-9]+))?(?::([0-9]+))?")
_UNIT_TIME = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?", re.IGNORECASE)
_LONGEST = 36_500 * 86_400


def parse_memory(value: object) -> int:
    """Memory in MB: a whole number of MB, or text such as `"500"`, `"500M"`, `"16G"` or `"1T"`.

    The rule is the reference system's with divergence D1: digits and at most one unit in capitals, at least
    1 MB. Raises `ValueError`, whose text completes a sentence that begins with the name of the field.
    """
    if isinstance(value, str):
        match = _MEMORY.fullmatch(value.strip())
        # int() refuses absurdly long text with a message of its own.
        mb = int(match[1]) * _MB_IN[match[2]] if match and len(match[1]) < 20 else 0
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1:
        mb = int(value)
    else:
        mb = 0
    if not 1 <= mb <= LARGEST:
        raise ValueError(
            'must be memory: a whole number of MB above 0, or digits with M, G or T such as "16G"'
        )
    return mb


def format_mb(mb: float) -> str:
    """Memory for a screen: `950 MB`, `4 GB`, `1.5 TB`."""
    # A unit begins where the smaller one would round up to 1000.
    for unit, size, least in (("TB", 1_000_000, 999_950), ("GB", 1000, 999.5)):
        if mb >= least:
            return f"{round(mb / size, 1):g} {unit}"
    return f"{round(mb)} MB"


MEMORY_FLOOR_MB = 16
"""Below this a peak says nothing of a task: the kernel counts for it what the worker that started it held
until the command took its place, about 14 MB (getrusage(2), `ru_maxrss`: execve(2) does not reset it)."""


def format_peak_mb(mb: float) -> str:
    """The most memory that a task held, for a screen: `<16 MB` where that is all that can be told."""
    return f"<{MEMORY_FLOOR_MB} MB" if mb < MEMORY_FLOOR_MB else format_mb(mb)


def parse_duration(text: str) -> int:
    """Seconds from a time limit as SLURM writes it, or with units.

    SLURM's forms (sbatch manual, `--time`): `minutes`, `minutes:seconds`, `hours:minutes:seconds`,
    `days-hours`, `days-hours:minutes`, `days-hours:minutes:seconds`. With units: `90m`, `2h`, `1d12h`, `30s`.
    Raises `ValueError`, whose text completes a sentence that begins with the name of the field.
    """
    text = text.strip()
    seconds = 0
    if len(text) > 40:
        pass  # int() refuses absurdly long text with a message of its own.
    elif match := _SLURM_TIME.fullmatch(text):
        days, *rest = match.groups()
        given = [int(part) for part in rest if part is not None]
        # With days the first number is hours; else one or two numbers begin with minutes.
        if days is None and len(given) < 3:
            given.insert(0, 0)
        hours, minutes, secs = [*given, 0, 0][:3]
        seconds = int(days or 0) * 86_400 + hours * 3600 + minutes * 60 + secs
    elif match := _UNIT_TIME.fullmatch(text):
        amounts = zip(match.groups(), (86_400, 3600, 60, 1), strict=True)
        seconds = sum(int(amount or 0) * size for amount, size in amounts)
    if not 1 <= seconds <= _LONGEST:
        raise ValueError(
            'must be a time above 0: minutes, "h:mm:ss", "d-hh:mm:ss", '
            'or a number with s, m, h or d such as "90m"'
        )
    return seconds


def format_duration(seconds: float) -> str:
    """A time as a clock shows it, whole seconds: `0:12:04`, `2-03:04:05`. `parse_duration` reads it back."""
    minutes, secs = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}-{hours:02}:{minutes:02}:{secs:02}"
    return f"{hours}:{minutes:02}:{secs:02}"


def format_time(seconds: float, *, going: bool = False) -> str:
    """A time for a screen: `0.2 s`, `3.4 s`, and from 10 s on as a clock shows it, `0:01:04`.

    Of what is still *going* on only whole seconds are told: tenths would be drawn anew at every look.
    """
    seconds = max(0.0, seconds)
    if going:
        return f"{int(seconds)} s" if seconds < 10 else format_duration(seconds)
    return f"{seconds:.1f} s" if seconds < 9.95 else format_duration(max(10.0, seconds))


def format_about(seconds: float) -> str:
    """A time that is only an estimate, in one unit: `45 s`, `3 min`, `2.5 h`, `3 d`."""
    if seconds < 60:
        return f"{max(0, round(seconds))} s"
    if seconds < 3570:
        return f"{round(seconds / 60)} min"
    if seconds < 172_000:
        return f"{round(seconds / 3600, 1):g} h"
    return f"{round(seconds / 86_400)} d"
