"""Why something waits or has failed, for a person: a sentence, and what to do about it. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from runners.config.errors import shown
from runners.findings import SET_COMMAND

SLURM_SET = "jobs_runner_config.default_slurm_config"
"""The path of what each task asks of SLURM, in a resource's document."""

BATCHING = "jobs_runner_config.batching_config"
"""The path of how tasks share jobs."""


class Need(StrEnum):
    """What has to happen before it goes on."""

    WAITS = "waits"
    """Nothing: it goes on by itself."""
    ACTION = "action"
    """Somebody has to do something."""
    NEVER = "never"
    """As it was asked for, it will never start."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why something is as it is. Text from outside in it is printable."""

    sentence: str
    remedy: str
    """What to do: a sentence that ends, after a colon, with what can be pasted, if there is such."""
    need: Need = Need.ACTION
    cause: str = ""
    """A word for the kind of cause, which explanations with other values in them share."""
    of: Literal["resource", "profile", ""] = ""
    """Whose field is at fault, if it is one of the configuration."""
    field: str = ""
    """The dotted path of that field in its JSON document."""
    amount: float = 0.0
    """How much is asked for in the remedy: of several with one cause, that with the most helps all."""
    more: tuple[str, str] | None = None
    """What a retry should give each task, as typed: ``("mem", "320M")``; None where that is not known."""
    known: bool = True
    """False where the words were not known, and are told as they are."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of that which is explained; empty where it is not."""

    job: str = ""
    """The id of the SLURM job."""
    resource: str = ""
    run: str = ""
    partition: str = ""
    """Where the job is; as long as it waits perhaps several, with commas."""
    hosts: str = ""
    """The nodes that it had."""
    limit_s: float | None = None
    """The time limit of the job; negative or infinite for none."""
    peak_mb: float | None = None
    """The most memory that the task held."""
    slots: int = 1
    """So many tasks had a part of what was asked for."""
    slurm: bool = False
    """It is a job of SLURM, or in one."""
    in_turn: int = 1
    """So many tasks, at most, share that time limit, one after the other."""
    own: Mapping[str, object] = field(default_factory=dict)
    """What its step asks for itself, its `meta`: the resource's values do not count for these. Untrusted."""

    def command(self, template: str) -> str:
        """*template* with what is known in the place of ``{job}`` and such; empty where something is not."""
        names = re.findall(r"\{(\w+)\}", template)
        values = {name: _word(str(getattr(self, name))) for name in names}
        return template.format_map(values) if all(values.values()) else ""

    def setting(self, path: str, value: str) -> str:
        """The command that sets the field at *path* of the resource to *value*."""
        name = _word(self.resource)
        command = f"runyard resource set {name}" if name else SET_COMMAND
        return f"{command} {shlex.quote(f'{path}={value}')}"

    def advice(self, text: str, *templates: str) -> str:
        """*text* with the first of the commands for which everything is known.

        Where there is none, the last sentence of *text*, which only leads to it, is left out.
        """
        command = next(filter(None, map(self.command, templates)), "")
        if templates and not command and ". " in text:
            text = text.rpartition(". ")[0]
        return advice(text, command)

    def retry(self, option: str, value: str) -> str:
        """The command that runs it again with *value* for that option; empty where the run is not known."""
        command = self.command("runyard retry {run}")
        return f"{command} {option} {value}" if command else ""

    def again(self, command: str) -> str:
        """*command*, and then the run once more, where it is known."""
        retry = self.command("runyard retry {run}")
        return f"{command} && {retry}" if retry else command


Explain = Callable[[re.Match[str], About], Explanation]
"""Explains what a pattern has found."""


def advice(text: str, command: str = "") -> str:
    """A sentence that ends with its *command*, where there is one."""
    return f"{text}: {command}" if command else f"{text}."


def sentence(words: str) -> str:
    """*words*, which lack capital and full stop, as a sentence."""
    return f"{words[:1].upper()}{words[1:]}" + ("" if words.endswith((".", "!", "?")) else ".")


def filled(words: str, named: str) -> str:
    """*words* with *named* in the place of {0}; where nothing is named, without its place."""
    if named:
        return words.replace("{0}", named)
    return words.replace(" ({0})", "").replace(": {0}", "")


def plainly(cause: str, words: str, text: str, command: str = "") -> Explain:
    """What explains with *words*, and what the match names in the place of {0}, and says what to do."""

    def explain(match: re.Match[str], about: About) -> Explanation:
        named = next((shown(group.strip()) for group in match.groups() if group), "")
        remedy = about.advice(text, *([command] if command else []))
        return Explanation(sentence(filled(words, named)), remedy, cause=cause)

    return explain


def _word(text: str) -> str:
    """A word for a shell; empty for what nobody could paste."""
    return shlex.quote(text) if text.isprintable() and text else ""
