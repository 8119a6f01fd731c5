"""What is typed into the launch form, and the options that it means. Pure; imports no textual."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from runners.launching import LaunchError, LaunchOptions


@dataclass(frozen=True, slots=True)
class LaunchDraft:
    """The fields of the form as they are typed; an empty one is one that says nothing."""

    command: str = ""
    shell: bool = False
    items: str = ""
    items_from: str = ""
    workflow: str = ""
    workdir: str = ""
    resource: str = "local"
    name: str = ""
    cpus: str = ""
    mem: str = ""
    time: str = ""
    slots: str = ""

    @property
    def blank(self) -> bool:
        """Nothing to run has been named yet."""
        return not self.command.strip() and not self.workflow.strip()

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
            resource=self.resource.strip() or "local",
            name=self.name.strip() or None,
            cpus=_number(self.cpus, "cpus"),
            mem=self.mem.strip() or None,
            time=self.time.strip() or None,
            slots=_number(self.slots, "slots"),
            workdir=_path(self.workdir),
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
