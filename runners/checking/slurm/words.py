"""How findings about SLURM are put: names, evidence, and the findings themselves. Pure."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runners.checking.slurm.asked import Asked
from runners.checking.slurm.trial import TRY, Trial, Word
from runners.config.errors import shown
from runners.findings import Finding, FindingState

_AGAIN = "Check again; if it stays like that, ask the site's administrators."
"""A remedy for what could not be told."""

_NAMED = 8
_LINES = 6
_LINE = 240


def names(given: Iterable[str], *, most: int = _NAMED) -> str:
    """Some names in a sentence; not all of them where there are many."""
    known = [shown(name) for name in dict.fromkeys(given)]
    if not known:
        return "none"
    more = len(known) - most
    if more > 1:
        return f"{', '.join(known[:most])} and {more} more"
    return ", ".join(known)


def near_first(name: str, known: Iterable[str]) -> list[str]:
    """*known* names, those that *name* may have been meant to be first."""
    rest = sorted(dict.fromkeys(known))
    near = difflib.get_close_matches(name, rest, n=3, cutoff=0.6)
    return [*near, *(one for one in rest if one not in near)]


def pasted(text: str) -> str:
    """A name or a value as a word of a command to paste."""
    return shown(shlex.quote(text))


def evidence(command: Sequence[str], *said: str) -> str:
    """What was asked, and the lines of the answer that matter, cut where there is too much."""
    lines = [line for text in said for line in text.strip("\n").splitlines() if line.strip()]
    cut = [line if len(line) <= _LINE else f"{line[: _LINE - 1]}…" for line in lines[:_LINES]]
    if len(lines) > _LINES:
        cut.append(f"({len(lines) - _LINES} more lines)")
    return "\n".join([f"$ {shlex.join(command)}", *cut])


@dataclass(frozen=True, slots=True)
class Put:
    """Puts what was found about one set."""

    asked: Asked
    trial: Trial
    """The scheduler's own word. What it looks at itself and takes can't be wrong, whatever listings tell."""
    largest: Mapping[str, Trial] = field(default_factory=dict)
    """Its word on the largest jobs, by what they have the most of."""

    def ok(self, check: str, detail: str, proof: str = "") -> Finding:
        """All is well."""
        return Finding(self.asked.check(check), FindingState.OK, detail, evidence=proof)

    def untold(
        self, check: str, detail: str, proof: str = "", fix: str = "", *, tried: bool = False
    ) -> Finding:
        """It could not be told; *tried*: the scheduler looks at it itself."""
        if tried and self.trial.word is Word.TAKEN:
            return self.ok(check, f"SLURM takes such jobs. {detail}", self._with_trial(proof))
        return Finding(self.asked.check(check), FindingState.UNTOLD, detail, fix or _AGAIN, proof)

    def failure(
        self, check: str, detail: str, fix: str, proof: str = "", *, option: str = "", tried: bool = False
    ) -> Finding:
        """Jobs can't run.

        Args:
            check: the word of the check.
            detail: what was found.
            fix: what to do about it.
            proof: the evidence.
            option: what of the job is at fault, if anything of the configuration is.
            tried: the scheduler looks at it itself.
        """
        if tried and self.trial.word is Word.TAKEN:
            return self.ok(check, f"SLURM takes such jobs all the same. {detail}", self._with_trial(proof))
        return self._bad(FindingState.FAILURE, check, detail, fix, proof, option)

    def warning(self, check: str, detail: str, fix: str, proof: str = "", *, option: str = "") -> Finding:
        """Jobs hardly run as they were meant."""
        return self._bad(FindingState.WARNING, check, detail, fix, proof, option)

    def to(self, option: str, value: str) -> str:
        """A remedy: give *option* the *value*, where it is given."""
        return f"Set {self.asked.named(option)} to {value}"

    def without(self, option: str) -> str:
        """A remedy: give no such *option*."""
        if option in self.asked.own:
            return f"Leave out {self.asked.named(option)}"
        return f"Leave {self.asked.named(option)} empty"

    def _bad(
        self, state: FindingState, check: str, detail: str, fix: str, proof: str, option: str
    ) -> Finding:
        field = self.asked.field(option) if option else ""
        return Finding(
            self.asked.check(check), state, detail, fix, proof, of="resource" if field else "", field=field
        )

    def _with_trial(self, proof: str) -> str:
        return "\n".join(filter(None, (proof, evidence(TRY, self.trial.said))))


def asks_itself(name: str, less: str) -> str:
    """A remedy where it is the sample that says the field *name*, and has to ask for *less*."""
    much, option = ("so many CPUs", "--cpus") if name == "cpus_per_task" else ("so much memory", "--mem")
    return (
        f"The sample itself asks for {much} ({option}), and not the resource: ask for {less}, "
        "as a step has to."
    )


def batching_field(name: str) -> str:
    """The dotted path of a field of how tasks share jobs."""
    return f"jobs_runner_config.batching_config.{name}"
