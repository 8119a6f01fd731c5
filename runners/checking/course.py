"""In which order things are looked at, and what is left out once something has failed.

Findings come one by one in an order that stays the same, though looks of one stage happen at the same time.
Whatever happens to a look, it ends in time and in a finding.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from runners.config.errors import shown
from runners.findings import REST, Finding, FindingState

WHOLE_S = 240.0
"""Seconds that a whole course may take; each look has a shorter time of its own."""

FAILURE_STOPS: Final[Collection[FindingState]] = frozenset({FindingState.FAILURE})
UNTOLD_STOPS: Final[Collection[FindingState]] = frozenset({FindingState.FAILURE, FindingState.UNTOLD})
"""What can stop a course; see `Look.stops`."""

_SEVERAL = ("channels", "cores", "cpus", "features", "job limits", "nodes")
"""The words of checks that are of several things."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """Something to look at, which brings one finding or several."""

    checks: tuple[str, ...]
    """The words of the findings, in their order."""
    findings: Callable[[], AsyncIterator[Finding]]
    limit_s: float
    stops: Collection[FindingState] = ()
    """The states of its findings that leave what comes in later stages without a sense."""
    together: str = ""
    """What to call all of them where none was looked at; empty: each by its word."""

    @property
    def names(self) -> tuple[str, ...]:
        """What was left out where none was looked at."""
        return (self.together,) if self.together else self.checks


@dataclass(frozen=True, slots=True)
class Stage:
    """Looks that don't need one another: they happen at the same time."""

    looks: Sequence[Look]


@dataclass(slots=True)
class _UnderWay:
    """A look that happens now."""

    look: Look
    found: asyncio.Queue[Finding | None] = field(default_factory=asyncio.Queue)
    """None: there are no more."""


async def findings_of(stages: Sequence[Stage], *, whole_s: float = WHOLE_S) -> AsyncGenerator[Finding, None]:
    """All findings of *stages*, which are done one after the other.

    Where a look stops the course, one last finding says what was not looked at, and that there is something
    to do about what stopped it. Ending the iteration ends the looks. Raises nothing of its own.
    """
    until = asyncio.get_running_loop().time() + whole_s
    rest: list[str] = []
    told: list[Finding] = []
    for number, stage in enumerate(stages):
        stopped: list[Finding] = []
        running = [_UnderWay(look) for look in stage.looks]
        tasks = [asyncio.create_task(_look(one, until, whole_s)) for one in running]
        try:
            for one in running:
                while (finding := await one.found.get()) is not None:
                    if finding.check == REST:
                        # It comes last, whoever tells of it.
                        rest.append(finding.detail)
                        continue
                    if finding.state in one.look.stops:
                        stopped.append(finding)
                    told.append(finding)
                    yield finding
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if stopped:
            left = [check for later in stages[number + 1 :] for look in later.looks for check in look.names]
            if left:
                rest.insert(0, not_looked_at(left, stopped[0]))
            break
    if rest:
        detail = " ".join(rest)
        causes = dict.fromkeys(one.check for one in told if one.fix and _because(one) in detail)
        fix = f"Do what there is to do about {_listed(_brief([*causes]))}, and check again." if causes else ""
        yield Finding(REST, FindingState.UNTOLD, detail, fix)


def not_looked_at(checks: Sequence[str], because: Finding) -> str:
    """What to say of *checks* that *because* leaves without a sense."""
    names = _brief(checks)
    several = len(names) > 1 or names[0].partition(" of the ")[0] in _SEVERAL
    text = f"{_listed(names)} {'were' if several else 'was'} not looked at, {_because(because)}"
    return f"{text[:1].upper()}{text[1:]}"


def _because(finding: Finding) -> str:
    """The end of a sentence whose reason is *finding*."""
    whys = {FindingState.FAILURE: "has failed", FindingState.WARNING: "has brought a warning"}
    return f"because {finding.check} {whys.get(finding.state, 'could not be told')}."


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _brief(checks: Sequence[str]) -> list[str]:
    """Words of checks for a list in a sentence: what is looked at of something else as well is named once."""
    parted = [check.partition(", ") for check in checks]
    both = {name for name, _, of in parted if not of}
    last = parted[-1][2]
    if last and {of for _, _, of in parted} == {last}:
        names = [name for name, _, _ in parted]
        return [*names[:-1], f"{names[-1]} of the {last}"]
    return [f"{name} of the {of}" if of else name for name, _, of in parted if not of or name not in both]


async def _look(one: _UnderWay, until: float, whole_s: float) -> None:
    """Look, in time. Cancelling ends it."""
    look = one.look
    now = asyncio.get_running_loop().time()
    limit_s = min(look.limit_s, max(0.0, until - now))
    late = f"It was not told within {limit_s:.0f} s."
    if limit_s < look.limit_s:
        late = f"It was not told in time: all that was looked at took {whole_s:.0f} s."
    left = list(look.checks)
    try:
        async with asyncio.timeout(limit_s):
            async for finding in look.findings():
                if finding.check in left:
                    del left[: left.index(finding.check) + 1]
                one.found.put_nowait(finding)
    except TimeoutError:
        fix = "Check again; if it stays like that, see what the machine that is asked is so busy with."
        _cut_short(one, left, Finding((left or look.checks)[0], FindingState.UNTOLD, late, fix))
    except Exception as error:
        # A fault of ours must not hide what else there is to be told.
        _log.exception("The check %r has failed.", (left or look.checks)[0])
        words = shown(str(error) or type(error).__name__)
        detail = f"It could not be told, because of a fault in Runyard itself: {words}"
        evidence = f"{type(error).__name__}: {error}"
        _cut_short(
            one, left, Finding((left or look.checks)[0], FindingState.UNTOLD, detail, evidence=evidence)
        )
    finally:
        one.found.put_nowait(None)


def _cut_short(one: _UnderWay, left: Sequence[str], why: Finding) -> None:
    """Tell *why* a look has ended before it had told all that is *left*, and what that was."""
    one.found.put_nowait(why)
    if left[1:]:
        one.found.put_nowait(Finding(REST, FindingState.UNTOLD, not_looked_at(left[1:], why)))
