"""Which release a command of SLURM is of, as `--version` answers. Pure."""

from __future__ import annotations

import re

from runners.transport.base import Reply

OLDEST = (20, 11)
"""The oldest release that this was tried with."""

_VERSION = re.compile(r"\bslurm(?:-\w+)?\s+(\d{1,3})\.(\d{1,3})(?:\.(\S+))?", re.IGNORECASE)


def read_version(reply: Reply) -> tuple[str, tuple[int, int] | None]:
    """A release as it is written, and to compare; None where it can't be read."""
    text = reply.out.decode("utf-8", "replace")
    match = _VERSION.search(text)
    if match is None:
        return reply.last_words, None
    release = ".".join(filter(None, match.groups()))
    return release, (int(match[1]), int(match[2]))
