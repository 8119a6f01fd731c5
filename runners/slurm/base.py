"""Batches as SLURM jobs, wherever the cluster is: what differs lies in the transport."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Sequence

from runners.base import BaseRunner
from runners.batches import (
    BatchRef,
    BatchSpec,
    Launched,
    Line,
    LogChunk,
    Pace,
    Report,
    RunnerError,
    Watched,
)
from runners.config.resource import SlurmSSHResource, SlurmSudoResource
from runners.plan import Plan, plan_slurm
from runners.reading import fetch, read_log
from runners.slurm.batch_script import batch_script
from runners.slurm.cancels import cancel
from runners.slurm.client import SlurmClient
from runners.slurm.launches import Launches
from runners.slurm.life import Patience
from runners.slurm.looks import Looks
from runners.slurm.scripts import Scripts
from runners.transport.base import Command, Transport, TransportError
from runners.workflow import Step

_QUICK_S, _QUIET_S = 2.0, 60.0
_REACH_S = 20.0


class BaseSlurmRunner(BaseRunner):
    """Runs batches as jobs of a cluster. The kinds of clusters say where jobs have their folders."""

    def __init__(
        self,
        resource: SlurmSudoResource | SlurmSSHResource,
        transport: Transport,
        *,
        user: str,
        as_user: bool = True,
        patience: Patience | None = None,
    ) -> None:
        """Open nothing as yet.

        Args:
            resource: the cluster.
            transport: to it.
            user: who owns the jobs.
            as_user: all commands run as that user, those too that only look.
            patience: how long to wait for what.
        """
        patience = patience or Patience()
        self._resource = resource
        self._transport = transport
        self._client = SlurmClient(transport, user)
        self._scripts = Scripts(resource.jobs_local_dir)
        self._launches = Launches(self._client, self._scripts, patience)
        self._looks = Looks(self._client, patience, as_user=as_user)

    @property
    @abstractmethod
    def jobs_folder(self) -> str:
        """See :attr:`BaseRunner.jobs_folder`."""

    @property
    @abstractmethod
    def place(self) -> str:
        """See :attr:`BaseRunner.place`."""

    @property
    def pace(self) -> Pace:
        """See :attr:`BaseRunner.pace`."""
        own = float(self._resource.jobs_poll_interval)
        return Pace(quick_s=max(_QUICK_S, own), quiet_s=max(_QUIET_S, own))

    @property
    def line(self) -> Line:
        """See :attr:`BaseRunner.line`. A cluster whose SLURM is silent counts as not to be reached."""
        line = self._transport.line
        if line.up and self._looks.silence:
            return Line(False, line.round_trip_s, self._looks.silence)
        return line

    async def reach(self) -> Line:
        """See :meth:`BaseRunner.reach`."""
        with contextlib.suppress(TransportError):
            await self._transport.exchange([Command(("sbatch", "--version"))], timeout_s=_REACH_S)
        return self.line

    def plan(self, step: Step, tasks: int) -> Plan:
        """See :meth:`BaseRunner.plan`."""
        return plan_slurm(tasks, self._resource.jobs_runner_config, step.meta)

    async def prepare(self, batches: Sequence[BatchSpec]) -> None:
        """See :meth:`BaseRunner.prepare`. Nothing is asked of the cluster.

        Raises:
            ConfigError: a script can't be written as the configuration and the step want it.
            RunnerError: it can't be kept on this machine.
        """
        try:
            await asyncio.to_thread(
                lambda: self._scripts.write({batch.folder: self._script(batch) for batch in batches})
            )
        except OSError as error:
            raise RunnerError(f"The run can't be set up: {_words(error)}.") from error

    async def discard(self, folder: str) -> None:
        """See :meth:`BaseRunner.discard`."""
        try:
            await asyncio.to_thread(self._scripts.remove, folder)
        except OSError as error:
            raise RunnerError(f"What the run had begun can't be removed: {_words(error)}.") from error

    async def launch(self, batches: Sequence[BatchRef]) -> Sequence[Launched]:
        """See :meth:`BaseRunner.launch`."""
        return await self._launches.launch(batches)

    async def poll(self, batches: Sequence[Watched]) -> Sequence[Report]:
        """See :meth:`BaseRunner.poll`."""
        return await self._looks.poll(batches)

    async def cancel(self, batch: BatchRef, tasks: Sequence[int] | None = None) -> bool:
        """See :meth:`BaseRunner.cancel`. A job that does not stop is cancelled while it is polled."""
        if tasks is None and not batch.native_id:
            # What was never handed over is taken back without the cluster, which may be out of reach.
            if await asyncio.to_thread(self._scripts.withdraw, batch.folder):
                return False
        started = await cancel(self._client, batch, tasks)
        if started and tasks is None:
            self._looks.stop(batch.token)
        return started

    async def read_log(self, path: str, offset: int, limit: int) -> LogChunk:
        """See :meth:`BaseRunner.read_log`."""
        return await read_log(self._transport, path, offset, limit)

    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        """See :meth:`BaseRunner.fetch`."""
        return await fetch(self._transport, paths, limit)

    async def close(self) -> None:
        """See :meth:`BaseRunner.close`."""
        await self._transport.close()

    def _script(self, batch: BatchSpec) -> bytes:
        whole_reads = self._transport.whole_reads
        return batch_script(batch, self._resource, self.jobs_folder, whole_reads=whole_reads)


def _words(error: OSError) -> str:
    return f"{error.strerror or error}: {error.filename!r}" if error.filename else str(error)
