"""Preflight checks that go on in the engine, which holds the lines; findings are read from it one by one."""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from runners.batches import RunnerError
from runners.config.errors import ConfigError
from runners.config.profile import Profile, parse_profile
from runners.config.resource import Resource, parse_resource
from runners.engine.finding_wire import packed
from runners.engine.pool import Pool
from runners.engine.refusal import RefusalError
from runners.engine.server import Answer, Operation
from runners.findings import Finding
from runners.sample import MOST, MOST_MB, Sample

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Checks at a time: each has a dozen commands run, and asks a scheduler."""

_ABANDONED_S = 30.0
"""A check that nobody has asked after for so long is of no use to anybody any more."""

_WAIT_S = 3.0
"""How long a question for findings waits for the next one."""


class _Check:
    """One check: what it has found so far, and how long it may go on."""

    def __init__(self, resource: Resource, profile: Profile | None, sample: Sample) -> None:
        self.resource = resource
        self.profile = profile
        self.sample = sample
        self.findings: list[Finding] = []
        self.done = False
        self.trouble = ""
        """Why it ended before its end; empty where it did not."""
        self.news = asyncio.Event()
        """Set when there is another finding, or its end."""
        self.read = asyncio.Event()
        """Set when somebody has read its end."""
        self._until = asyncio.get_running_loop().time() + _ABANDONED_S
        self._limit: asyncio.Timeout | None = None

    def limit(self) -> asyncio.Timeout:
        """What ends it when nobody asks after it any more."""
        self._limit = asyncio.timeout_at(self._until)
        return self._limit

    def asked_after(self, patience_s: float) -> None:
        """Somebody has asked after it: it may go on for *patience_s* seconds from now."""
        self._until = asyncio.get_running_loop().time() + patience_s
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(self._until)

    def end(self, trouble: str = "") -> None:
        """There are no findings to come."""
        if not self.done:
            self.done, self.trouble = True, trouble
            self.news.set()


class Checks:
    """Begins checks, hands their findings out, and forgets each when its end was read."""

    def __init__(self, pool: Pool, own: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """*pool* has the lines to the resources; *own* has work done beside all else."""
        self._pool = pool
        self._own = own
        self._checks: dict[str, _Check] = {}

    @property
    def operations(self) -> dict[str, Operation]:
        """What can be asked, by name."""
        return {"check": self._begin, "findings": self._findings, "stop_check": self._stop}

    async def _begin(self, asked: dict[str, Any]) -> Answer:
        """Begin to check the documents `resource` and `profile` (null where it needs none)."""
        if len(self._checks) >= AT_ONCE:
            raise RunnerError(f"{AT_ONCE} checks are going on already; wait until one of them has ended.")
        wanted = json.loads(asked["data"])
        check = _Check(*_documents(wanted["resource"], wanted["profile"]), _sample(wanted["sample"]))
        name = secrets.token_hex(8)
        self._checks[name] = check
        self._own(self._run(name, check))
        return {"id": name}, b""

    async def _findings(self, asked: dict[str, Any]) -> Answer:
        """The findings from number `seen` on; waits a few seconds where there are none yet."""
        check, seen = self._checks.get(str(asked["id"])), int(asked["seen"])
        if check is None or seen < 0:
            raise RunnerError("The engine does not know this check any more; check again.")
        check.asked_after(_ABANDONED_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WAIT_S):
                while len(check.findings) <= seen and not check.done:
                    check.news.clear()
                    await check.news.wait()
        data = packed(check.findings[seen:])
        # Whoever asks again from there on is told that nothing is left.
        done = check.done and len(check.findings) <= seen
        if done:
            check.read.set()
            if check.trouble:
                raise RunnerError(check.trouble)
        return {"done": done}, data

    async def _stop(self, asked: dict[str, Any]) -> Answer:
        check = self._checks.get(str(asked["id"]))
        if check is not None:
            check.asked_after(0.0)
        return {}, b""

    async def _run(self, name: str, check: _Check) -> None:
        """Check, and keep what was found until it was read, or nobody asks for it any more."""
        try:
            async with check.limit():
                try:
                    await self._look(check)
                finally:
                    check.end("The check was stopped.")
                await check.read.wait()
        except TimeoutError:
            log.info("A check was stopped, or nobody asked after it for %g s.", _ABANDONED_S)
        finally:
            check.end("The check was stopped.")
            del self._checks[name]

    async def _look(self, check: _Check) -> None:
        try:
            async with self._pool.visit(check.resource, check.profile) as runner:
                async for finding in runner.check(check.sample):
                    check.findings.append(finding)
                    check.news.set()
            check.end()
        except (ConfigError, RefusalError, RunnerError) as error:
            check.end(str(error))
        except TimeoutError:
            # Not ours, whose end comes as a cancellation: some runner has let its own out.
            check.end("The check took too long; engine.log tells more.")
            log.exception("A check let a timeout out.")
        except Exception:
            log.exception("A check failed.")
            check.end(
                "The engine can't go on with the check because of a fault of its own; engine.log tells more. "
                "If Runyard was updated while the engine ran, `runyard engine stop` lets a new one start."
            )


def _documents(resource: object, profile: object) -> tuple[Resource, Profile | None]:
    """What the documents hold.

    Raises:
        RunnerError: they hold nothing that could be used; the sentence is that of the configuration.
    """
    try:
        found = parse_resource(resource), None if profile is None else parse_profile(profile)
        Pool.match(*found)
    except ConfigError as error:
        raise RunnerError(str(error)) from error
    return found


def _sample(document: dict[str, Any]) -> Sample:
    """The sample in *document*.

    Raises:
        ValueError: a number is out of bounds, or no number.
    """
    return Sample(
        tasks=_number(document["tasks"]) or 1,
        cpus=_number(document["cpus"]),
        mem_mb=_number(document["mem_mb"], MOST_MB),
        needs_gpu=bool(document["needs_gpu"]),
    )


def _number(value: object, most: int = MOST) -> int | None:
    if value is not None and (not isinstance(value, int) or not 1 <= value <= most):
        raise ValueError(f"{value!r} is no number from 1 to {most}")
    return value
