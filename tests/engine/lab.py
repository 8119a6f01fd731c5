"""An engine under test: launching, looking at the rows, and killing what is to be killed."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from runners.config.home import Home
from runners.engine.asking import ask
from runners.engine.client import EngineClient, EngineError, engine_alive
from runners.engine.engine import Engine
from runners.processes import Owner
from runners.requests import (
    CancelRequest,
    LaunchRequest,
    LaunchSpec,
    RequestKind,
    RetryRequest,
    TaskNeeds,
    new_run_id,
)
from runners.store.rows import BatchRow, RunRow, TaskRow
from runners.store.writer import Writer
from runners.workflow import Item, Step, Workflow
from tests.waiting import until


def step(*command: str, **others: Any) -> Step:
    """A step with this argument list."""
    return Step.model_validate({"name": "It", "command": list(command), **others})


def shell(script: str, **others: Any) -> Step:
    """A step that is a shell's script."""
    return step(script, shell=True, **others)


class Lab:
    """One home, seen from outside the engine."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.client = EngineClient(home)
        home.make()
        self.store = Writer.open(home.database)
        self.work = home.jobs.parent / "work"
        self.work.mkdir()

    def request(self, *steps: Step, items: Iterable[str] = (), **others: Any) -> LaunchRequest:
        """A launch of these steps."""
        spec = LaunchSpec.model_validate(
            {
                "name": "test",
                "resource": "local",
                "workflow": Workflow(name="w", steps=list(steps)),
                "workdir": str(self.work),
                "environment": {"PATH": os.environ["PATH"]},
                **others,
            }
        )
        return LaunchRequest(run=new_run_id(), spec=spec, items=[Item(value=item) for item in items])

    def leave(self, kind: RequestKind, payload: BaseModel) -> int:
        """Write a request, calling no engine."""
        return self.store.add_request(kind.value, payload.model_dump_json())

    async def launch(self, *steps: Step, items: Iterable[str] = (), **others: Any) -> str:
        """Launch and return the run's id once the engine has it."""
        request = self.request(*steps, items=items, **others)
        await ask(self.home, RequestKind.LAUNCH, request)
        return request.run

    async def cancel(self, run: str, task: int | None = None, batch: int | None = None) -> None:
        """Cancel a run, or a task or a batch of it."""
        await ask(self.home, RequestKind.CANCEL, CancelRequest(run=run, task=task, batch=batch))

    async def retry(self, run: str, **needs: Any) -> str:
        """Retry a run with these needs, and return the new one's id."""
        request = RetryRequest(run=new_run_id(), of=run, needs=TaskNeeds(**needs))
        await ask(self.home, RequestKind.RETRY, request)
        return request.run

    def run(self, run: str) -> RunRow:
        return self.store.run(run)

    def tasks(self, run: str) -> list[TaskRow]:
        return self.store.tasks(run)

    def states(self, run: str) -> list[str]:
        """The states of all tasks, by index."""
        return [task.state.value for task in self.tasks(run)]

    def batches(self, run: str) -> list[BatchRow]:
        return self.store.batches(run)

    async def ended(self, run: str, timeout_s: float = 30.0) -> RunRow:
        """Wait for the end of a run."""
        await until(lambda: self._has(run) and self.run(run).state.final, timeout_s)
        return self.run(run)

    async def claimed(self, run: str, number: int = 0) -> Owner:
        """The coordinator of a batch, once it has claimed it."""
        await until(lambda: self._has(run) and self.batches(run))
        batch = self.batches(run)[number]
        claim = Path(batch.folder) / "claim"
        await until(claim.exists)
        return Owner.of(json.loads(claim.read_bytes()))

    def _has(self, run: str) -> bool:
        return any(row.id == run for row in self.store.runs())

    @asynccontextmanager
    async def hosted(self, idle_s: float = 600.0) -> AsyncIterator[Engine]:
        """An engine in this process."""
        engine = Engine(self.home, idle_s=idle_s)
        task = asyncio.create_task(engine.run())
        try:
            # Not ensure_running: that would start a second one as long as this one is not up.
            await self._until_it_answers()
            yield engine
        finally:
            engine.stop()
            await task

    async def _until_it_answers(self) -> None:
        while True:
            with contextlib.suppress(EngineError):
                if await self.client.status() is not None:
                    return
            await asyncio.sleep(0.01)

    async def start_engine(self) -> int:
        """A real engine process; its pid."""
        await self.client.ensure_running()
        status = await self.client.status()
        assert status is not None
        return status.pid

    async def kill_engine(self) -> None:
        """``kill -9`` for the engine."""
        status = await self.client.status()
        assert status is not None
        assert status.pid != os.getpid()
        os.kill(status.pid, signal.SIGKILL)
        # Its threads, and a child on its way to another program, hold the lock a moment longer.
        await until(lambda: not alive(status.pid) and not engine_alive(self.home))

    # Tasks that leave traces

    def appends(self) -> str:
        """Script of a task that appends its index to the file `ran`, in one write."""
        return f"echo {{index}} >>{self.work}/ran"

    def ran(self) -> list[int]:
        """The indices that were appended, in the order of it."""
        file = self.work / "ran"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def gated(self) -> Step:
        """A step whose tasks say that they run, and wait for :meth:`open_gate`."""
        return shell(f"{self.appends()}; while ! test -e {self.work}/gate; do sleep 0.02; done")

    def open_gate(self) -> None:
        (self.work / "gate").touch()


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in b"ZX"
    except OSError:
        return False


def fill(file: Path) -> None:
    """Write to *file* until the disk is full."""
    with file.open("wb", buffering=0) as target, contextlib.suppress(OSError):
        while True:
            target.write(bytes(4096))
