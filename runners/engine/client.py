"""Talking to the engine, and starting one where there is none."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from runners.batches import Line, LogChunk
from runners.config.home import Home
from runners.engine.finding_wire import unpacked
from runners.engine.lock import held
from runners.engine.starting import open_log, spawn
from runners.engine.versions import of_another_version, retold
from runners.engine.wire import LARGEST, WireError, receive, send, short_path
from runners.transport.local import words
from runners.transport.questions import Kind, Prompt, Question

if TYPE_CHECKING:
    from runners.findings import Finding
    from runners.sample import Sample

_ANSWER_S = 10.0
"""How long an answer may take: the engine may be waiting for a slow disk."""

_LOG_S = 60.0
"""How long reading a log may take: it may lie behind a line that is made only now."""

_STOP_S = 2.0
"""How long whoever leaves a check waits to say so."""

_CONNECT_S = 900.0
"""Longer than a line takes that waits for several answers of a person."""

_NO_ENGINE = "No engine is running; `runyard engine status` tells more."

_START_S = 3.0
"""How long an engine may take before another one is started; a second one does no harm."""


class EngineError(Exception):
    """The engine can't be started or does not answer; the text is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the engine says of itself."""

    pid: int
    host: str
    started: float
    """Seconds since the epoch."""
    runs: int
    """Runs to which something can still happen."""
    batches: int
    """Batches that are being watched."""


def _question(found: dict[str, Any]) -> Question:
    prompts = tuple(Prompt(**prompt) for prompt in found["prompts"])
    return Question(**{**found, "kind": Kind(found["kind"]), "prompts": prompts})


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """Around what takes an answer apart: one that can't be read is that of another version."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError(of_another_version("The engine's answer can't be read", error)) from error


def engine_alive(home: Home) -> bool:
    """Whether an engine is running for *home*. Some microseconds."""
    return held(home.lock)


class EngineClient:
    """The engine of one home. Every call makes its own connection, and no call outlasts its time limit."""

    def __init__(self, home: Home) -> None:
        self._home = home

    async def ensure_running(self, timeout_s: float = 10.0) -> None:
        """Start an engine, detached, unless one is running; return once it answers.

        Cancelling leaves an engine that has been started alone.

        Raises:
            EngineError: it says why it can't run, or there is none after *timeout_s* seconds.
        """
        until = time.monotonic() + timeout_s
        start_at = 0.0
        # What a new engine has to say reaches us even when its log is on a full disk.
        said, its_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            while await self._status() is None:
                with contextlib.suppress(BlockingIOError):
                    if reason := os.read(said, 4096).decode("utf-8", "replace").strip():
                        raise EngineError(reason)
                if time.monotonic() > until:
                    raise EngineError(f"The engine did not start within {timeout_s:g} s; {self._log_tail()}.")
                if time.monotonic() >= start_at and not engine_alive(self._home):
                    await self._start(its_end)
                    start_at = time.monotonic() + _START_S
                await asyncio.sleep(0.02)
        finally:
            os.close(said)
            os.close(its_end)

    async def wake(self) -> str:
        """Have the engine look at the requests now; nothing happens where none is running.

        Returns what keeps it from writing to the store, in SQLite's words; empty where nothing does.
        """
        reply = await self._ask({"op": "wake"})
        with _reading():
            return "" if reply is None else str(reply[0]["trouble"])

    async def status(self) -> EngineStatus | None:
        """What the engine says of itself; None where none is running.

        Raises:
            EngineError: one is running and does not answer.
        """
        status = await self._status()
        if status is None and engine_alive(self._home):
            raise EngineError(f"The engine does not answer; {self._log_tail()}.")
        return status

    async def stop(self) -> bool:
        """Stop the engine, which cancels nothing, and wait until it is gone; False where none was running.

        Raises:
            EngineError: it does not stop.
        """
        running = engine_alive(self._home)
        if await self._ask({"op": "stop"}) is None and not running:
            return False
        until = time.monotonic() + _ANSWER_S
        while engine_alive(self._home):
            if time.monotonic() > until:
                raise EngineError(f"The engine does not stop; {self._log_tail()}.")
            await asyncio.sleep(0.02)
        return True

    async def questions(self) -> list[Question]:
        """What the engine needs a person for at the moment; none where no engine is running.

        Raises:
            EngineError: it does not answer.
        """
        reply = await self._ask({"op": "questions"})
        with _reading():
            return [] if reply is None else [_question(question) for question in reply[0]["questions"]]

    async def answer(self, number: int, answers: Sequence[str] | None) -> bool:
        """Answer the question with the id *number*, one text for each of its prompts; None: refuse.

        The answers go to the engine's memory and nowhere else. Returns whether they were taken: False where
        that question is not open any more.

        Raises:
            EngineError: it does not answer.
        """
        asked = {"op": "answer", "id": number, "answers": None if answers is None else list(answers)}
        reply = await self._ask(asked)
        with _reading():
            return reply is not None and bool(reply[0]["taken"])

    async def connect(self, resource: str, profile: str | None) -> Line:
        """Try to reach *resource* as *profile* now, and return how that went.

        It lasts as long as people take to answer what it asks meanwhile (see :meth:`questions`), minutes at
        most. Cancelling leaves the attempt alone.

        Raises:
            EngineError: no engine is running, or there is no such resource or profile.
        """
        asked = {"op": "connect", "resource": resource, "profile": profile}
        reply = await self._ask(asked, _CONNECT_S)
        if reply is None:
            raise EngineError(_NO_ENGINE)
        with _reading():
            return Line(**reply[0])

    async def check(self, resource: object, profile: object, sample: Sample) -> AsyncGenerator[Finding, None]:
        """Have the engine check a resource as a profile, and yield what it finds as it finds it.

        Cancelling the task, or closing the iterator, stops the check. Nothing is changed on the resource, and
        nobody is asked anything.

        Args:
            resource: its JSON document, which need not be that of any file.
            profile: the same of the profile; None where the resource needs none.
            sample: the work that the scheduler is asked about.

        Raises:
            EngineError: no engine is running, a document is not valid, or the check has ended too early.
        """
        documents = {"resource": resource, "profile": profile, "sample": asdict(sample)}
        data = json.dumps(documents).encode()
        if len(data) > LARGEST:
            raise EngineError("The resource and the profile are too large to be checked.")
        begun = await self._ask({"op": "check"}, data=data)
        if begun is None:
            raise EngineError(_NO_ENGINE)
        with _reading():
            name = begun[0]["id"]
        seen, done = 0, False
        try:
            while not done:
                reply = await self._ask({"op": "findings", "id": name, "seen": seen})
                if reply is None:
                    done = True
                    raise EngineError("The engine has ended in the middle of the check; check again.")
                head, data = reply
                with _reading():
                    findings = unpacked(data)
                    done = bool(head["done"])
                for finding in findings:
                    seen += 1
                    yield finding
        finally:
            if not done:
                # It stops by itself as well, but later.
                with contextlib.suppress(EngineError):
                    await self._ask({"op": "stop_check", "id": name}, _STOP_S)

    async def read_log(self, run: str, task: int, offset: int, limit: int) -> LogChunk:
        """At most *limit* bytes of a task's log from *offset* on; a negative offset counts from its end.

        Raises:
            EngineError: no engine is running, there is no such task, or its log can't be read.
        """
        asked = {"op": "read_log", "run": run, "task": task, "offset": offset, "limit": min(limit, LARGEST)}
        reply = await self._ask(asked, _LOG_S)
        if reply is None:
            raise EngineError(_NO_ENGINE)
        head, data = reply
        with _reading():
            return LogChunk(data, int(head["offset"]), int(head["size"]))

    async def _status(self) -> EngineStatus | None:
        reply = await self._ask({"op": "status"})
        if reply is None:
            return None
        head, _ = reply
        with _reading():
            return EngineStatus(head["pid"], head["host"], head["started"], head["runs"], head["batches"])

    async def _ask(
        self, message: dict[str, Any], timeout_s: float = _ANSWER_S, data: bytes = b""
    ) -> tuple[dict[str, Any], bytes] | None:
        """The answer to *message*, with *data* behind it; None where no engine answers the call."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(timeout_s):
                with short_path(self._home.socket) as name:
                    reader, writer = await asyncio.open_unix_connection(name)
                await send(writer, message, data)
                reply = await receive(reader)
        except TimeoutError:
            raise EngineError(f"The engine gave no answer within {timeout_s:g} s.") from None
        except (OSError, WireError):
            return None
        finally:
            if writer is not None:
                writer.close()
        if reply is not None and "error" in reply[0]:
            raise EngineError(retold(str(reply[0]["error"])))
        return reply

    async def _start(self, stdout: int) -> None:
        try:
            log = await asyncio.to_thread(open_log, self._home)
            try:
                # What we wait for is not the engine, but the process that it leaves at once.
                await asyncio.to_thread(spawn(self._home, stdout, log).wait)
            finally:
                os.close(log)
        except OSError as error:
            raise EngineError(f"The engine can't be started: {words(error)}.") from error

    def _log_tail(self) -> str:
        path = self._home.engine_log
        try:
            last = path.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()[-1:]
        except OSError:
            last = []
        return f"{str(path)!r} ends with: {last[0].rstrip('.')}" if last else f"{str(path)!r} says nothing"
