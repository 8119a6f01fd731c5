"""A cluster for tests, a runner on it, and batches to try: real jobs, real files."""

from __future__ import annotations

import asyncio
import json
import secrets
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runners.batches import BatchRef, BatchSpec, Cursor, Launched, Life, Outcome, Report, Watched
from runners.events import Event, is_last_word
from runners.slurm.base import BaseSlurmRunner
from runners.tasks import Numbered, StepContext, batch_spec
from runners.transport.base import Command, Exchange, Piece, Transport
from runners.workflow import Item, Step
from tests.lab.lab import Lab

PAUSE_S = 0.1
"""Between two looks."""


@dataclass(slots=True)
class Told:
    """What was told of a batch so far."""

    batch: BatchSpec
    watched: Watched
    reports: list[Report] = field(default_factory=list)

    def __str__(self) -> str:
        last = self.reports[-1] if self.reports else None
        told = [f"{event.kind} {event.detail}" for event in self.events if event.kind != "slot"]
        return f"{self.batch.token}: {last and (last.life, last.job, last.why)}, {told}"

    @property
    def events(self) -> list[Event]:
        return [event for report in self.reports for event in report.events]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event.detail for event in self.events if event.kind == kind]

    @property
    def verdicts(self) -> dict[int, str]:
        """The verdicts by index: each task may have only one that is to last."""
        ends = [end for end in self.of("end") if not end.get("again")]
        assert len({end["i"] for end in ends}) == len(ends), "a task has two verdicts"
        return {end["i"]: end["state"] for end in ends}

    @property
    def last(self) -> Report:
        return self.reports[-1]

    @property
    def over(self) -> bool:
        """It has ended: its worker says so, or its scheduler."""
        return any(map(is_last_word, self.events)) or (bool(self.reports) and self.last.life is Life.GONE)


class Cluster:
    """A lab, and a runner on it."""

    def __init__(
        self, lab: Lab, open_runner: Callable[[Transport], BaseSlurmRunner], line: Transport
    ) -> None:
        self.lab = lab
        self.transport = Meddler(line)
        self.runner = open_runner(self.transport)
        self._open_runner = open_runner
        runner = self.runner
        self.run = secrets.token_hex(4)
        self.folder = f"{runner.jobs_folder}/{self.run}"
        self.made = 0

    def again(self) -> Cluster:
        """What another engine, that was started after this one was killed, has."""
        other = Cluster(self.lab, self._open_runner, self.transport.real)
        other.run, other.folder = self.run, self.folder
        return other

    def here(self, path: str) -> Path:
        """A path of the cluster, as this machine sees it."""
        return self.lab.here(path)

    def batch(self, *scripts: str, slots: int = 2, meta: Mapping[str, Any] | None = None) -> BatchSpec:
        """A batch of tasks, each a script for /bin/sh that works in the run's own folder."""
        number = self.made
        self.made += 1
        step = Step.model_validate(
            {"name": "It", "command": ["sh", "-c", "{item}"], "meta": dict(meta or {})}
        )
        context = StepContext(self.run, step, f"{self.folder}/{number}_it", self.folder, {})
        tasks = [Numbered(index, index, Item(value=script)) for index, script in enumerate(scripts)]
        token = f"ry-{self.run}-{number:03d}-{secrets.token_hex(4)}"
        return batch_spec(context, tasks, token=token, number=number, slots=slots)

    async def started(self, *batches: BatchSpec) -> list[Told]:
        """These batches, prepared and launched."""
        await self.runner.prepare(batches)
        answers = await self.runner.launch([batch.ref for batch in batches])
        assert [answer.outcome for answer in answers] == [Outcome.STARTED] * len(batches), answers
        return [told(batch, answer) for batch, answer in zip(batches, answers, strict=True)]

    async def look(self, *batches: Told) -> None:
        """Look once at those of *batches* that have not ended."""
        live = {one.batch.token: one for one in batches if not one.over}
        for report in await self.runner.poll([one.watched for one in live.values()]):
            one = live[report.token]
            one.reports.append(report)
            one.watched = Watched(one.watched.batch, report.cursor)

    async def until(self, condition: Callable[[], object], *batches: Told, timeout_s: float = 30.0) -> None:
        """Look until *condition* holds."""
        until = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < until, f"it did not happen in {timeout_s:g} s: {[*map(str, batches)]}"
            await self.look(*batches)
            await asyncio.sleep(PAUSE_S)

    async def ended(self, *batches: Told, timeout_s: float = 30.0) -> None:
        """Look until all have ended."""
        await self.until(lambda: all(one.over for one in batches), *batches, timeout_s=timeout_s)

    def note_launch(self, batch: BatchSpec) -> None:
        """As after a launch of which nobody knows how it ended."""
        (self._scripts_of(batch) / "submitted").touch()

    def forget_launch(self, batch: BatchSpec) -> None:
        """As if it had never been launched."""
        (self._scripts_of(batch) / "submitted").unlink()

    def ran(self) -> list[str]:
        """What tasks made by :func:`recorded` wrote, sorted: each line is one time that it ran."""
        try:
            return sorted(self.here(f"{self.folder}/ran").read_text().split())
        except FileNotFoundError:
            return []

    def _scripts_of(self, batch: BatchSpec) -> Path:
        return self.lab.home.jobs.joinpath(*batch.folder.split("/")[-4:])

    def job(self, one: Told) -> str:
        """The id of a batch's job."""
        return one.watched.batch.native_id

    def shown(self, one: Told) -> str:
        """All that SLURM shows of a batch's job."""
        return self.lab.scontrol("show", "job", self.job(one))


def told(batch: BatchSpec, answer: Launched) -> Told:
    """A batch that was launched, of which nothing has been told."""
    return Told(batch, Watched(BatchRef(batch.token, batch.folder, answer.native_id), Cursor()))


def recorded(name: object, then: str = "") -> str:
    """A script that leaves a line in `ran`, so that a second run of it would show."""
    return f"echo {shlex.quote(str(name))} >>ran; {then}"


class Meddler(Transport):
    """A transport in the way of another, for what lines do to those who use them."""

    def __init__(self, real: Transport) -> None:
        self.real = real
        self.before: Callable[[Sequence[Command]], object] = lambda _: None
        """Called with the commands before they are sent; may raise."""
        self.instead: Callable[[Command], Command] = lambda command: command
        """Called with each command; what it returns is run in its place."""
        self.after: Callable[[Sequence[Command], Exchange], Exchange] = lambda _, exchange: exchange
        """Called with what came back; may raise, or change it."""
        self.exchanges: list[tuple[str, ...]] = []
        """The commands of each exchange, by name."""

    @property
    def line(self) -> Any:
        return self.real.line

    @property
    def whole_reads(self) -> bool:
        return self.real.whole_reads

    async def exchange(
        self,
        commands: Sequence[Command],
        pieces: Sequence[Piece] = (),
        *,
        timeout_s: float,
        stop: bool = False,
    ) -> Exchange:
        self.exchanges.append(tuple(command.argv[0] for command in commands))
        self.before(commands)
        changed = [self.instead(command) for command in commands]
        exchange = await self.real.exchange(changed, pieces, timeout_s=timeout_s, stop=stop)
        return self.after(commands, exchange)

    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        return await self.real.fetch(paths, limit)

    async def close(self) -> None:
        await self.real.close()


def events_on_disk(cluster: Cluster, batch: BatchSpec, restart: int = 0) -> list[dict[str, Any]]:
    """What the worker wrote, read without the runner."""
    files = cluster.here(batch.folder).glob(f"events.{restart}*.jsonl")
    events = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
    return sorted(events, key=lambda event: int(event["s"]))
