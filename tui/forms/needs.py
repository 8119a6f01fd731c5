"""What each task of a retry is given, as it is typed: `mem=5G time=2h`. Pure; imports no textual."""

from __future__ import annotations

import re
from typing import Final

from runners.launching import LaunchError, task_needs
from runners.requests import TaskNeeds

ABOUT: Final = "What each of them is given this time, one or more of: mem=5G time=2h cpus=4."
"""What can be typed, for a person."""

_MEMORY: Final = re.compile(r"[0-9]+[MGT]")
"""What can't be anything but memory. In small letters it might be minutes."""


def read_needs(text: str) -> TaskNeeds:
    """What *text* means; options of the command line (`--mem 5G`) mean the same, as memory alone (`5G`) does.

    Raises:
        LaunchError: it can't be read; the sentence says what to type.
    """
    words = iter(text.replace("=", " ").split())
    given: dict[str, str] = {}
    for word in words:
        name, value = ("mem", word) if _MEMORY.fullmatch(word) else (word.removeprefix("--"), next(words, ""))
        if name not in ("mem", "time", "cpus"):
            raise LaunchError(f"{name[:20]!r} can't be given to a task: mem=5G, time=2h and cpus=4 can.")
        if name in given or not value:
            raise LaunchError(f"{name} must be given one value, such as mem=5G, time=2h or cpus=4.")
        given[name] = value
    cpus = given.get("cpus")
    if cpus is not None and not (cpus.isascii() and cpus.isdecimal() and len(cpus) < 10):
        raise LaunchError(f"cpus {cpus[:20]!r} must be a whole number.")
    return task_needs(cpus=None if cpus is None else int(cpus), mem=given.get("mem"), time=given.get("time"))


def fault(text: str) -> str:
    """Why *text* can't be read; empty where it can."""
    try:
        read_needs(text)
    except LaunchError as error:
        return str(error)
    return ""
