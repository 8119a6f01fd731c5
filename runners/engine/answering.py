"""What the engine answers when it is asked over its socket."""

from dataclasses import asdict
from typing import Any

from runners.base import BaseRunner
from runners.batches import LogChunk, RunnerError
from runners.config.errors import ConfigError
from runners.engine.logs import log_place
from runners.engine.places import Places
from runners.engine.pool import Pool
from runners.engine.refusal import RefusalError
from runners.engine.server import Answer, Operation, log_answer
from runners.engine.storing import Store
from runners.engine.supervisors import Supervisors
from runners.engine.wire import LARGEST


class Desk:
    """Answers questions about runs and resources."""

    def __init__(self, store: Store, pool: Pool, places: Places, supervisors: Supervisors) -> None:
        self._store = store
        self._pool = pool
        self._places = places
        self._supervisors = supervisors

    @property
    def operations(self) -> dict[str, Operation]:
        """What can be asked, by name."""
        return {
            "read_log": self._read_log,
            "questions": self._questions,
            "answer": self._answer,
            "connect": self._connect,
        }

    async def _read_log(self, asked: dict[str, Any]) -> Answer:
        run, task = str(asked["run"]), int(asked["task"])
        place = await self._store.read(lambda writer: log_place(writer, run, task))
        if place.path is None:
            return log_answer(LogChunk(b"", 0, 0))
        runner = await self._runner(place.resource, place.profile)
        limit = max(0, min(int(asked["limit"]), LARGEST))
        return log_answer(await runner.read_log(place.path, int(asked["offset"]), limit))

    async def _questions(self, _: dict[str, Any]) -> Answer:
        return {"questions": [asdict(question) for question in self._places.questions()]}, b""

    async def _answer(self, asked: dict[str, Any]) -> Answer:
        answers = asked["answers"]
        if answers is not None and not all(isinstance(answer, str) for answer in answers):
            # Without the answers themselves: a fault is told and logged.
            raise TypeError("an answer is no text")
        return {"taken": self._places.answer(int(asked["id"]), answers)}, b""

    async def _connect(self, asked: dict[str, Any]) -> Answer:
        profile = asked["profile"]
        runner = await self._runner(str(asked["resource"]), None if profile is None else str(profile))
        self._places.try_now(runner.place)
        await self._pool.connect(runner.place)
        line = await runner.reach()
        await self._places.keep(runner.place, line)
        return asdict(line), b""

    async def _runner(self, resource: str, profile: str | None) -> BaseRunner:
        try:
            return await self._pool.runner(resource, profile)
        except (ConfigError, RefusalError) as error:
            raise RunnerError(str(error)) from error
