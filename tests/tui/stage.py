"""A dashboard on a made-up store: its clock stands still, its engine has logs, questions and checks only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from textual.pilot import Pilot
from textual.screen import Screen

from runners.batches import LogChunk
from runners.config.files import ensure_local_resource
from runners.config.home import Home
from runners.engine.client import EngineClient, EngineError
from runners.findings import Finding
from runners.sample import Sample
from runners.store.writer import Writer
from runners.transport.questions import Question
from tests.tui import stores
from tui.dashboard import Dashboard

Stage = Pilot[int]


class Logs(EngineClient):
    """An engine's logs, by run and task, its questions, its checks, and nothing else of it."""

    def __init__(self, home: Home, logs: Mapping[tuple[str, int], bytes], no_engine: str = "") -> None:
        """*no_engine* is why an engine can't be started; empty where one can."""
        super().__init__(home)
        self.logs = dict(logs)
        self.started = 0
        self.no_engine = no_engine
        self.asked: list[Question] = []
        """What it needs a person for."""
        self.given: list[tuple[int, Sequence[str] | None]] = []
        """What a person has answered, by the question's id."""
        self.findings: list[Finding] = []
        """What a check finds; one that goes on takes in what is added."""
        self.checking = False
        """Whether a check goes on when all of these were found."""
        self.check_trouble = ""
        """Why it ends then; empty where it ends well."""
        self.checked: list[tuple[object, object, Sample]] = []
        """What was checked: resource, profile, sample."""
        self.left = 0
        """How many checks have ended, whether they came to their end or were given up."""

    async def ensure_running(self, timeout_s: float = 10.0) -> None:
        """Only counted: there is no engine to start."""
        self.started += 1
        if self.no_engine:
            raise EngineError(self.no_engine)

    async def questions(self) -> list[Question]:
        """Those that are open."""
        return list(self.asked)

    async def answer(self, number: int, answers: Sequence[str] | None) -> bool:
        """Taken as long as the question is open."""
        open_ones = [question for question in self.asked if question.id == number]
        self.given.append((number, answers))
        for question in open_ones:
            self.asked.remove(question)
        return bool(open_ones)

    async def check(self, resource: object, profile: object, sample: Sample) -> AsyncGenerator[Finding, None]:
        """As the engine does."""
        self.checked.append((resource, profile, sample))
        told = 0
        try:
            while told < len(self.findings) or self.checking:
                if told < len(self.findings):
                    told += 1
                    yield self.findings[told - 1]
                else:
                    await asyncio.sleep(0.005)
            if self.check_trouble:
                raise EngineError(self.check_trouble)
        finally:
            self.left += 1

    async def read_log(self, run: str, task: int, offset: int, limit: int) -> LogChunk:
        """As the engine does."""
        log = self.logs.get((run, task))
        if log is None:
            raise EngineError(f"Task {task} of run {run} has no log.")
        start = max(0, len(log) + offset) if offset < 0 else min(offset, len(log))
        return LogChunk(log[start : start + limit], start, len(log))


def make_home(folder: Path, tell: Callable[[Writer], None] | None) -> Home:
    """A home in *folder* whose store holds what *tell* writes."""
    home = Home.at(folder)
    home.make()
    ensure_local_resource(home.resources, home.jobs.parent)
    writer = Writer.open(home.database)
    if tell is not None:
        tell(writer)
    writer.close()
    return home


@asynccontextmanager
async def on_stage(
    home: Home,
    *,
    size: tuple[int, int] = (80, 24),
    run: str | None = None,
    read_only: bool = False,
    logs: Mapping[tuple[str, int], bytes] | None = None,
    engine: Callable[[], bool] = lambda: True,
    no_engine: str = "",
) -> AsyncIterator[Stage]:
    """The dashboard of *home*, once it has read the store."""
    dashboard = Dashboard(
        home,
        run=run,
        read_only=read_only,
        clock=lambda: stores.T0,
        client=Logs(home, logs or {}, no_engine),
        alive=engine,
    )
    with (
        # How long a key press waits to see that nothing goes on any more: Textual's 20 ms add up.
        patch("textual._wait.SLEEP_GRANULARITY", 0.005),
        patch("textual._wait.SLEEP_IDLE", 0.0005),
        # Four looks at the store in a second are right for a person.
        patch("tui.feed.INTERVAL_S", 0.02),
        patch("tui.widgets.top_line.CORES", 2),
    ):
        async with dashboard.run_test(size=size, notifications=True) as stage:
            await until(stage, lambda: dashboard.picture.read_at > 0 or dashboard.picture.problem != "")
            if run is not None:
                await until(
                    stage, lambda: dashboard.picture.run is not None and dashboard.picture.run.complete
                )
            await stage.pause()
            yield stage


async def until(stage: Stage, true: Callable[[], bool]) -> None:
    """Let the dashboard go on until something is *true*; fails after some seconds."""
    for _ in range(1500):
        if true():
            return
        await stage.pause(0.01)
    raise AssertionError("It never came true.")


async def sees(stage: Stage, *texts: str) -> None:
    """Wait until all of *texts* are on the screen."""
    try:
        await until(stage, lambda: all(text in shown(stage) for text in texts))
    except AssertionError:
        missing = [text for text in texts if text not in shown(stage)]
        raise AssertionError(f"{missing} never appeared on:\n{shown(stage)}") from None


async def at(stage: Stage, screen: type[Screen[Any]]) -> None:
    """Wait until a screen of this kind is in front, with its parts: it is there before they are."""
    await until(stage, lambda: isinstance(stage.app.screen, screen) and stage.app.screen.is_mounted)


def shown(stage: Stage) -> str:
    """The text on the screen, line by line."""
    lines = stage.app.screen._compositor.render_strips()
    return "\n".join(line.text.rstrip() for line in lines)
