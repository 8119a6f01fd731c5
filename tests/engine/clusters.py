"""An engine under test with a real cluster beside this machine."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runners.config.files import add_resource, read_profile, read_resource, write_profile
from runners.config.home import Home
from tests.engine.lab import Lab
from tests.lab.lab import Lab as Slurm
from tests.lab.processes import descendants
from tests.lab.runyard_home import PROFILE
from tests.waiting import until

_IMPATIENT = """
import functools, os, sys
if os.fork():
    os._exit(0)
os.setsid()
import runners.slurm.base as base
base.Patience = functools.partial(base.Patience, missed_s=1.0, ask_s=0.2)
from runners.engine.process import run
sys.exit(run([]))
"""
"""An engine like any other, but it soon looks a second time for a job whose submission was not answered."""


class ClusterLab(Lab):
    """One home whose resources are `local`, and those of a cluster: one of these is under test."""

    def __init__(self, home: Home, slurm: Slurm, resource: str) -> None:
        shutil.copytree(slurm.home.config, home.config, dirs_exist_ok=True, ignore=_not_local)
        super().__init__(home)
        self.slurm = slurm
        self.resource = resource

    @property
    def there(self) -> dict[str, str]:
        """What a launch says to go to the cluster: tasks start in the folder of their run."""
        return {"resource": self.resource, "profile": PROFILE, "workdir": ""}

    @property
    def over_ssh(self) -> bool:
        return self.resource == "lab-ssh"

    def add_twin(self) -> dict[str, str]:
        """Another resource for the same place; what a launch says to go there."""
        folder = self.home.resources
        resource = read_resource(folder, self.resource).value
        add_resource(folder, "twin", resource.model_copy(update={"name": "twin"}))
        write_profile(folder, "twin", PROFILE, read_profile(folder, self.resource, PROFILE).value, None)
        return {**self.there, "resource": "twin"}

    # What tasks leave on the cluster

    def folder(self, run: str) -> Path:
        """The folder of a run on the cluster, as this machine sees it."""
        return self.slurm.here(self.run(run).folder)

    def ran_there(self, run: str) -> list[int]:
        """The indices that tasks of a run have appended to `ran`, sorted: each is one time that it ran."""
        try:
            return sorted(map(int, (self.folder(run) / "ran").read_text().split()))
        except FileNotFoundError:
            return []

    def open_gate_of(self, run: str) -> None:
        (self.folder(run) / "gate").touch(mode=0o644)

    def commands(self, name: str) -> list[str]:
        """The commands of that name that the engine has run."""
        return [row.command for row in self.store.commands() if row.command.split()[0] == name]

    def sessions(self) -> int:
        """How many connections there are to the cluster's sshd."""
        pid = self.slurm.pid("sshd")
        assert pid is not None
        named = f"sshd: {self.slurm.spec.user} [priv]".encode()
        return sum(_title(process) == named for process in descendants({pid}))

    # What goes wrong

    def take_down(self) -> None:
        """The cluster can't be reached any more: its sshd is gone, or its sudoers file grants nothing."""
        if self.over_ssh:
            self.slurm.stop_sshd()
        else:
            self.slurm.write_sudoers("# nobody may do anything\n")

    def bring_up(self) -> None:
        if self.over_ssh:
            self.slurm.start_sshd()
        else:
            self.slurm.write_sudoers()

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """slurmctld takes connections, and answers none."""
        self.slurm.pause_controller()
        try:
            yield
        finally:
            self.slurm.resume_controller()

    async def handed_over(self, run: str) -> None:
        """Wait until the engine has noted that it hands the batches of a run to sbatch."""
        await until(lambda: self._has(run) and self.batches(run))
        tokens = [batch.token for batch in self.batches(run)]
        jobs = self.slurm.home.jobs
        await until(lambda: all(list(jobs.glob(f"{run}/*/batches/{token}/submitted")) for token in tokens))

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """What the engine sends does not get anywhere: it waits, and is gone when this ends."""
        if self.over_ssh:
            pid = self.slurm.pid("sshd")
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            try:
                yield
            finally:
                os.kill(pid, signal.SIGCONT)
        else:
            folder = self.home.state / "bin"
            folder.mkdir()
            pids = folder / "pids"
            (folder / "sudo").write_text(f"#!/bin/sh\necho $$ >>{pids}\nexec sleep 600\n")
            (folder / "sudo").chmod(0o755)
            before = os.environ["PATH"]
            os.environ["PATH"] = f"{folder}:{before}"
            try:
                yield
            finally:
                os.environ["PATH"] = before
                for pid in map(int, pids.read_text().split()):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    async def start_impatient_engine(self) -> None:
        """A real engine process, for tests that would wait long otherwise."""
        engine = await asyncio.create_subprocess_exec(sys.executable, "-c", _IMPATIENT, cwd="/")
        await engine.wait()
        await self._until_it_answers()


def _title(pid: int) -> bytes:
    """What a process calls itself; empty for one that is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0")
    except OSError:
        return b""


def _not_local(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "local"]
