"""What each slot gets of the GPUs (and other generic resources) of its job. Pure.

A step takes all that its job has unless it says how much, so that other steps of the job would wait for its
end: tried with SLURM 20.11, 22.05 and 24.11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from runners.slurm.settings import JobSettings

_ITEM = re.compile(r"(?P<what>[^,:()]+(?::[^,:()]+)??)(?::(?P<count>[0-9]+))?(?:\([^()]*\))?")
_COUNT = re.compile(r"(?:(?P<what>[^,:()]+):)?(?P<count>[0-9]+)")


def most_slots(settings: JobSettings) -> int | None:
    """How many slots of a job can have a part of everything; None where it asks for nothing of the kind."""
    counts = [count for _, count in (*_gres(settings), *_gpus(settings))]
    return min(counts) if counts else None


def step_options(settings: JobSettings, slots: int) -> list[str]:
    """What a step asks for, where there are so many of them at a time; none where it takes everything."""
    if slots < 2:
        return []
    options = []
    for option, items in (("gres", _gres(settings)), ("gpus", _gpus(settings))):
        if items:
            shares = (f"{what}:{count // slots}" if what else str(count // slots) for what, count in items)
            options.append(f"--{option}={','.join(shares)}")
    return options


def _gres(settings: JobSettings) -> list[tuple[str, int]]:
    """`gpu:v100:2,nvme` as names with counts."""
    return _read(_ITEM, settings.gres)


def _gpus(settings: JobSettings) -> list[tuple[str, int]]:
    """`2` or `v100:1,k80:1` as types, where they are named, with counts."""
    return _read(_COUNT, settings.gpus)


def _read(pattern: re.Pattern[str], value: str | None) -> list[tuple[str, int]]:
    matches: Iterable[re.Match[str] | None] = (
        pattern.fullmatch(item) for item in (value or "").split(",") if item
    )
    # What can't be read can't be shared out either: all of it goes to one slot.
    found = [((match["what"] or ""), int(match["count"] or 1)) if match else ("", 1) for match in matches]
    return [(what, count) for what, count in found if count]
