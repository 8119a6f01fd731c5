"""What a resource that is being edited makes of a sample of work: the plan, and the first job's script.

Imports no textual. It looks up a user's home folder, which may take a while: `preview` is for a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from runners.config.errors import ConfigError
from runners.config.home import Home
from runners.config.profile import Profile
from runners.config.resource import LocalResource, Resource
from runners.config.units import parse_memory
from runners.plan import Plan
from runners.sample import MOST, MOST_MB, Sample, sample_plan, sample_script
from runners.slurm.script import script_head
from tui.sample_script import jobs_folder_of
from tui.subject import Subject, Unsaved, companions


@dataclass(frozen=True, slots=True)
class SampleTyped:
    """A sample as it is typed: an empty text says nothing."""

    tasks: str = "100"
    cpus: str = ""
    mem: str = ""
    needs_gpu: bool = False

    def read(self) -> Sample:
        """What is meant.

        Raises:
            ConfigError: a text can't be read; its field is `tasks`, `cpus` or `mem`.
        """
        faults: list[tuple[str, str]] = []
        tasks = _count(self.tasks, "tasks", faults)
        cpus = _count(self.cpus, "cpus", faults) if self.cpus.strip() else None
        mem = None
        if self.mem.strip():
            try:
                mem = parse_memory(self.mem)
            except ValueError as error:
                faults.append(("mem", str(error)))
            else:
                if mem > MOST_MB:
                    faults.append(("mem", f"must not be above {MOST_MB:,} MB"))
        if faults:
            raise ConfigError.at("The sample", faults)
        return Sample(tasks, cpus, mem, self.needs_gpu)


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown beside a form."""

    plan: Plan | None = None
    refused: str = ""
    """Why there is no plan, in one sentence."""
    script: tuple[str, ...] = ()
    """The first job's script, line by line, up to the part that is Runyard's own."""
    no_script: str = ""
    """Why there is no script, in one sentence."""


def preview(resource: Resource | None, profile: Profile | None, typed: SampleTyped) -> Preview:
    """What *resource* makes of the sample; *profile* says where its files go. None: it can't be used.

    Without a profile the script has the folders of a made-up user.
    """
    if resource is None:
        why = "There is none while the configuration has errors."
        return Preview(refused=why, no_script=why)
    try:
        sample = typed.read()
        plan = sample_plan(resource, sample)
    except ConfigError as error:
        return Preview(refused=str(error), no_script="There is none, because there is no plan.")
    if isinstance(resource, LocalResource):
        return Preview(plan, no_script="On this machine a worker is started: there is no script to submit.")
    folder = "/home/USER/runyard" if profile is None else jobs_folder_of(profile)
    try:
        script = sample_script(resource, sample, jobs_folder=folder)
    except ConfigError as error:
        return Preview(plan, no_script=str(error))
    return Preview(plan, script=tuple(script_head(script)))


class Asked(NamedTuple):
    """What is to be previewed."""

    subject: Subject
    model: object
    """What *subject* is as it is typed; None where it has errors."""
    unsaved: Unsaved
    """What is typed of what it goes with."""
    sample: SampleTyped


class Previewer:
    """Previews what is typed, one after the other: a thread can't be called back."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._busy = False
        self._made_of: Asked | None = None
        self._outdated = False

    def forget(self) -> None:
        """The files may be others by now."""
        self._outdated = True

    async def follow(self, asked: Callable[[], Asked], show: Callable[[Preview], None]) -> None:
        """Preview until what was shown is of what is asked for by then.

        Cancelling it leaves a thread behind, and what that finds is not shown.
        """
        if self._busy:
            return
        self._busy = True
        try:
            while (now := asked()) != self._made_of or self._outdated:
                self._outdated = False
                found = await asyncio.to_thread(self._preview, now)
                self._made_of = now
                show(found)
        finally:
            self._busy = False

    def _preview(self, asked: Asked) -> Preview:
        resource, profile = companions(self._home, asked.subject, asked.model, asked.unsaved)
        return preview(resource, profile, asked.sample)


def _count(text: str, field: str, faults: list[tuple[str, str]]) -> int:
    text = text.strip().replace(",", "")
    if text.isascii() and text.isdecimal() and 1 <= len(text) <= 9 and 1 <= int(text) <= MOST:
        return int(text)
    faults.append((field, f"must be a whole number from 1 to {MOST:,}"))
    return 1
