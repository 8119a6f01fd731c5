"""The scalar values of a configuration, by the reference system's rules (shared/conformance/README.md).

Messages complete a sentence that begins with the name of the field.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from runners.config.units import LARGEST, parse_memory


@dataclass(frozen=True, slots=True)
class Hint:
    """What a form needs to know of a value beyond its type; it stands in the value's annotation."""

    kind: Literal["", "memory", "time", "path"] = ""
    unit: str = ""
    names: tuple[str, ...] = ()
    """All that the value may be, where it is one of a few texts that are checked elsewhere."""
    empty_is_none: bool = False
    """An optional object for which `{}`, and not null, says that there is none."""


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def has_control(text: str) -> bool:
    """Whether `text` holds a control character (U+0000 to U+001F, U+007F), as divergence D4 has it."""
    return _CONTROL.search(text) is not None


def _one_line(text: str) -> str:
    if has_control(text):
        raise ValueError("must not hold a line break or another control character")
    return text


def _absolute_path(text: str) -> str:
    if text.startswith("~"):
        raise ValueError("must be written in full, as in /home/USER/…: ~ is not replaced here")
    if not text.startswith("/"):
        raise ValueError("must be an absolute path (one that begins with /)")
    if ".." in text.split("/"):
        raise ValueError('must not have a ".." in its path')
    return posixpath.normpath(text)


Integer = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
"""A whole number; `"4"`, `4.0` and `true` count as one."""

Count = Annotated[int, Field(ge=1, le=LARGEST)]
"""A whole number, at least 1."""

Seconds = Annotated[int, Field(ge=0, le=LARGEST), Hint(unit="s")]
"""A time in whole seconds, 0 or more."""

Memory = Annotated[int, BeforeValidator(parse_memory), Hint("memory", unit="MB")]
"""Memory in MB, given as a number of MB or as text such as `"16G"`."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Text without outer white space; not empty."""

Line = Annotated[Text, AfterValidator(_one_line)]
"""Text that goes into a submission script: a control character could begin a line of its own there."""

TimeLimit = Annotated[Line, Hint("time")]
"""A time limit in SLURM's own words, which are not looked at here."""

RawLine = Annotated[str, AfterValidator(_one_line)]
"""Like `Line`, but kept exactly as given, and perhaps empty."""

AbsolutePath = Annotated[Text, AfterValidator(_absolute_path), Hint("path")]
"""An absolute path without `..`, normalised."""
