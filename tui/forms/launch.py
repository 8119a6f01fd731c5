"""What is typed into the launch form, and the options that it means. Pure; imports no textual."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from runners.config.units import parse_duration, parse_memory
from runners.launching import LaunchError, LaunchOptions


@dataclass(frozen=True, slots=True)
class LaunchDraft:
    """The fields of the form as they are typed; an empty one is one that says nothing."""

    command: str = ""
    shell: bool = False
    items: str = ""
    items_from: str = ""
    workflow: str = ""
    resource: str = ""
    profile: str = ""
    workdir: str = ""
    folder: str = ""
    name: str = ""
    cpus: str = ""
    mem: str = ""
    time: str = ""
    slots: str = ""
    tasks_per_job: str = ""

    @property
    def blank(self) -> bool:
        """Nothing to run has been named yet."""
        return not self.command.strip() and not self.workflow.strip()

    @property
    def resource_name(self) -> str:
        """The resource that is meant."""
        return self.resource.strip() or "local"

    def faults(self) -> dict[str, str]:
        """What can't be read, a sentence for each field by its name. Looks at no file."""
        faults = {}
        for field, read in _READ.items():
            if field == "command" and self.shell:
                continue
            try:
                read(getattr(self, field), field)
            except LaunchError as error:
                faults[field] = str(error)
        return faults

    def without(self, fields: Iterable[str]) -> LaunchDraft:
        """The same with nothing in these *fields*."""
        return LaunchDraft(**{**asdict(self), **dict.fromkeys(fields, "")})

    def options(self) -> LaunchOptions:
        """The options that the draft means.

        Raises:
            LaunchError: a field can't be read; its name comes with the sentence.
        """
        command = self.command.strip()
        if self.shell:
            words: tuple[str, ...] = (command,) if command else ()
        else:
            words = _words(command, "command")
        return LaunchOptions(
            command=words,
            shell=self.shell,
            workflow=_path(self.workflow),
            items=_words(self.items, "items"),
            items_from=_path(self.items_from),
            resource=self.resource_name,
            profile=self.profile.strip() or None,
            name=self.name.strip() or None,
            cpus=_number(self.cpus, "cpus"),
            mem=self.mem.strip() or None,
            time=self.time.strip() or None,
            slots=_number(self.slots, "slots"),
            tasks_per_job=_number(self.tasks_per_job, "tasks_per_job"),
            workdir=_path(self.workdir),
            folder=_path(self.folder),
        )


def _words(text: str, field: str) -> tuple[str, ...]:
    """Words as a shell would see them, quotes and all, and nothing more of a shell."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        # A sentence of ours: shlex says "No closing quotation" and "No escaped character".
        what = "ends with a backslash" if "escaped" in str(error) else "has a quote that is not closed"
        raise LaunchError(f"The field {field} {what}.", field) from error


def _path(text: str) -> Path | None:
    return Path(os.path.expanduser(text.strip())) if text.strip() else None


def _number(text: str, field: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise LaunchError(f"{field} {text[:20]!r} must be a whole number.", field)
    return int(text)


def _needed(parse: Callable[[str], int]) -> Callable[[str, str], int | None]:
    """What reads a field whose text *parse* understands."""

    def read(text: str, field: str) -> int | None:
        try:
            return parse(text) if text.strip() else None
        except ValueError as error:
            raise LaunchError(f"{field} {text[:20]!r} {error}.", field) from error

    return read


_READ: Final[Mapping[str, Callable[[str, str], object]]] = {
    "command": _words,
    "items": _words,
    "cpus": _number,
    "mem": _needed(parse_memory),
    "time": _needed(parse_duration),
    "slots": _number,
    "tasks_per_job": _number,
}
"""What reads a field, where that can be told without looking at a file."""
